# azd runs this on Windows; the work is in postdeploy.py.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '../..')
$python = '.venv/Scripts/python.exe'
if (-not (Test-Path $python)) { $python = 'python' }
& $python infra/hooks/postdeploy.py @args
exit $LASTEXITCODE

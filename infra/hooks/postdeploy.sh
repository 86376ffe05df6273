#!/usr/bin/env sh
# azd runs this on Linux and macOS; the work is in postdeploy.py.
set -eu
cd "$(dirname "$0")/../.."
python=.venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" infra/hooks/postdeploy.py "$@"

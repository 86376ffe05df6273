#!/usr/bin/env sh
# Resolves everything once (lock.txt, for every supported Python), then cuts what each deployable installs out of it.
# Run through `make lock`.
set -eu
cd "$(dirname "$0")"
compile() { # source, constraint, target
  uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet $2 "$1" -o "$3"
}
compile dev.in "" lock.txt
compile audit.in "" audit.txt # on its own: what looks at the code need not agree with what runs it
cut_out() { # source, target
  compile "$1" "-c lock.txt" "$2.new"
  { printf '# Cut out of requirements/lock.txt by `make lock`; edit requirements/%s instead.\n' "$1"; cat "$2.new"; } > "$2"
  rm "$2.new"
}
cut_out functions.in ../requirements.txt
cut_out worker.in ../media_worker/requirements.txt
cut_out demo.in demo.txt
compile infra.in "-c lock.txt" infra.txt
# The cloud's Functions runtime declares Python 3.13 but runs on 3.11 and 3.12 too; there it is installed without its marker.
sed -n '/^azure-functions-runtime==/,/[^\\]$/p' lock.txt | sed 's/ ; python_full_version[^\\]*\\/ \\/' > runtime.txt

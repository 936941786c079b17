#!/bin/sh
# Runs client.mjs beside this file with what is given; passes by, saying so, where there is no Node.js.
command -v node >/dev/null && command -v npm >/dev/null || { echo 'skipped: there is no node, or no npm'; exit 77; }
exec node "$(dirname "$0")/client.mjs" "$@"

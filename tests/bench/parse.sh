#!/usr/bin/env bash
# usage: parse.sh PARSE GENERATE_EXPORT [ROWS]: the benchmark parse on an export of a million rows
set -eu
file=$(mktemp "${TMPDIR:-/tmp}/tallyman-parse-XXXXXX.csv")
trap 'rm -f "$file"' EXIT
"$2" "${3:-1000000}" >"$file"
"$1" "$file"

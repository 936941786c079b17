#!/usr/bin/env bash
# usage: parse.sh PARSE GENERATE_EXPORT [ROWS]: the benchmark parse on an export and on narrow numbers, a million rows each
set -eu
rows=${3:-1000000}
file=$(mktemp "${TMPDIR:-/tmp}/tallyman-parse-XXXXXX.csv")
trap 'rm -f "$file"' EXIT

echo 'an export of 22 columns, seven bodies of ten with line breaks:'
"$2" "$rows" >"$file"
"$1" "$file"

echo '20 columns of numbers with up to five digits:'
awk -v rows="$rows" 'BEGIN {
  srand(1)
  for (row = 0; row <= rows; row++)
    for (column = 1; column <= 20; column++)
      printf "%s%s", row ? int(rand() * 100000) : "c" column, column < 20 ? "," : "\n"
}' >"$file"
"$1" "$file"

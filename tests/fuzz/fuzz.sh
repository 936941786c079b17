#!/usr/bin/env bash
# Runs one fuzz target for a while: 10 seconds, or ten minutes of a long proof.
# What it finds interesting stays in the build folder; the seeds in corpus/NAME are read, not changed.
set -eu
exe=$1 name=$2
here=$(dirname "$0")
seconds=10
[ "${TALLYMAN_PROOF:-short}" = long ] && seconds=600
found=$(dirname "$exe")/found-$name
mkdir -p "$found"
export LSAN_OPTIONS=suppressions=$here/../leaks.supp:print_suppressions=0
exec "$exe" -max_total_time=$seconds -rss_limit_mb=2048 -timeout=10 -max_len=20000 -print_final_stats=1 \
  -artifact_prefix="$found-" "$found" $([ -d "$here/corpus/$name" ] && echo "$here/corpus/$name")

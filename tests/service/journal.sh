#!/usr/bin/env bash
# The journal, for which a file stands, gets each line with its priority; what is no journal gets none.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export XDG_STATE_HOME=$scratch/state
printf 'pipeline: desk\nsource:\n  csvv: { path: rows.csv }\nsink:\n  json: { path: out.ndjson }\n' >desk.yaml
: >journal
broken=0

# expect NUMBER PRIORITY WORD…: so many lines, all of them with that, when the command says the words
expect() {
  local wanted=$1 priority=$2
  shift 2
  "$TALLYMAN" "$@" 2>journal && { echo "$*: exit 0"; broken=1; }
  [ "$(grep -c "^$priority" journal)" -eq "$wanted" ] && [ "$(wc -l <journal)" -eq "$wanted" ] ||
    { echo "$*:"; cat journal; broken=1; }
}

export JOURNAL_STREAM
JOURNAL_STREAM=$(stat -c %d:%i journal)
expect 1 '<3>tallyman: ' status
expect 4 '<3>' run desk.yaml
JOURNAL_STREAM=1:1
expect 1 'tallyman: ' status
exit $broken

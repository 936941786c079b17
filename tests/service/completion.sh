#!/usr/bin/env bash
# What TAB offers is what the help of each command names, and what may stand there.
# usage: completion.sh CONTRIB TALLYMAN
set -u
contrib=$1 tallyman=$(realpath "$2")
. "$contrib/completion/tallyman.bash" || exit 1
folder=$(mktemp -d) broken=0
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
mkdir desk
touch a.yaml b.yml c.csv "desk two.yaml"

# The offers for words, the last of which is being completed, sorted, with blanks between them.
offers() {
  COMP_WORDS=(tallyman "$@") COMP_CWORD=$#
  _tallyman "$tallyman" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
  printf '%s\n' "${COMPREPLY[@]}" | sort -u | paste -sd' '
}

expect() {
  local expected=$1 found
  shift
  found=$(offers "$@")
  [ "$found" = "$expected" ] && return
  echo "tallyman $*: offers \"$found\", expected \"$expected\""
  broken=1
}

commands=$("$tallyman" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 12 ] || { echo "the help names no commands"; exit 1; }
expect "$(printf '%s\n' $commands --help --version | sort | paste -sd' ')" ''

for command in $commands; do
  # Each option of the help, told apart by other means than the completion's: all that begins with two dashes in its columns.
  options=$("$tallyman" "$command" --help | cut -c1-25 | grep -o -e '--[a-z-]*=\?' | sort -u | paste -sd' ')
  [ -n "$options" ] || { echo "$command: its help names no option"; broken=1; }
  expect "$options" "$command" --
  # A word of the usage that the completion does not know would be offered nothing, and nobody would notice.
  for word in $("$tallyman" "$command" --help | sed -n 's/^  tallyman .*OPTION…\] //p' | grep -o '[A-Z]\{2,\}'); do
    case $word in
      PIPELINE | FILE | PLUGIN | KEY | ID) ;;
      *) echo "$command: the completion does not know $word"; broken=1 ;;
    esac
  done
  for word in $("$tallyman" "$command" --help | grep -o -e '--[a-z-]*=[A-Z]*' | cut -d= -f2 | sort -u); do
    case $word in
      FILE | PIPELINE | SINK | URI | N | SECONDS | ID | NAME | TIME) ;;
      *) echo "$command: the completion does not know what =$word takes"; broken=1 ;;
    esac
  done
done

expect 'run' ru
for command in run check doctor plan preview test status; do
  expect 'a.yaml b.yml desk desk two.yaml' "$command" ''
done
expect 'desk desk two.yaml' run a.yaml de
expect 'a.yaml b.yml c.csv desk desk two.yaml' guess ''
expect 'zendesk-organizations zendesk-tickets zendesk-users' inspect zendesk-
expect 'filter' inspect filt
expect '' trace ''
expect 'list reconcile resolve' doubt ''
expect 'a.yaml' doubt list a
expect 'a.yaml' doubt --json reconcile a
expect '' doubt resolve a
expect 'discard list retry' rejects ''
expect 'a.yaml' rejects list a
expect '' rejects discard a
expect 'a.yaml' rejects --pipeline a
expect 'a.yaml' rejects --pipeline = a
expect 'csv json postgresql zendesk-tickets' guess --sink ''
expect 'json' guess --sink = js
expect 'c.csv' guess -o c
expect 'c.csv' plan --references = c
expect 'postgresql: sqlite:' status --ledger =
expect 'c.csv' status --ledger = sqlite : c
expect '' run --drain ''
expect '' nonsense --
exit $broken

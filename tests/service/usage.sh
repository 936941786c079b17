#!/usr/bin/env bash
# What the command says of itself, to standard output and with success; and the manual, which knows each command.
# usage: usage.sh SOURCE_ROOT
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
manual=$1/man/tallyman.1
broken=0

complain() {
  echo "$*"
  broken=1
}

# says WORD…: something, and nothing to standard error
says() {
  "$TALLYMAN" "$@" >"$scratch/out" 2>"$scratch/err" || complain "$*: exit $?"
  [ -s "$scratch/out" ] && [ ! -s "$scratch/err" ] || complain "$*: $(cat "$scratch/err")"
}

says --version
says help
says --help
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' "$scratch/out")
[ "$(wc -w <<<"$commands")" -ge 12 ] || complain "commands: $commands"
for command in $commands; do
  says help "$command"
  mv "$scratch/out" "$scratch/help"
  says "$command" --help
  cmp -s "$scratch/help" "$scratch/out" || complain "help $command is not $command --help"
  grep -q "^\.It Cm $command\( \|\$\)" "$manual" || complain "the manual does not know $command"
done

if command -v mandoc >/dev/null; then
  said=$(mandoc -T lint -W warning "$manual" 2>&1) || complain "$said"
else
  echo 'there is no mandoc here to look at the manual'
fi
exit $broken

#!/usr/bin/env bash
# The promise to whoever writes a plugin: at most 40 lines, three commands, the installed headers only.
# Installs into a scratch folder, then runs the very commands that contrib/plugin-template/README.md gives.
set -eu
source_root=$1 build_root=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

DESTDIR=$scratch/root meson install -C "$build_root" --no-rebuild --quiet >"$scratch/install.log" 2>&1 ||
  { cat "$scratch/install.log"; exit 1; }
pc=$(find "$scratch/root" -name tallyman.pc)
plugins=$(find "$scratch/root" -path '*/tallyman/plugins' -type d)
export PKG_CONFIG_PATH=$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR=
export PATH=$(dirname "$(find "$scratch/root" -name tallyman -type f -perm -u+x)"):$PATH
export LD_LIBRARY_PATH=$(dirname "$(dirname "$pc")") XDG_STATE_HOME=$scratch/state
unset TALLYMAN_PLUGIN_PATH

# The prefix of the .pc file is where it will be, not where DESTDIR put it.
sed -i "s|^prefix=|prefix=$scratch/root|" "$pc"

cp "$source_root"/contrib/plugin-template/hello.* "$scratch"
cd "$scratch"
[ "$(wc -l <hello.c)" -le 40 ] || { echo "hello.c has more than 40 lines"; exit 1; }
sed -n '/^```sh$/,/^```$/p' "$source_root/contrib/plugin-template/README.md" | grep -v '^```' >commands
[ "$(wc -l <commands)" -eq 3 ] || { echo "not three commands:"; cat commands; exit 1; }

# The sink that the pipeline names is one of ours, which an installed Tallyman finds by itself.
sed -i "2s|\$PWD|\$PWD:$plugins|" commands
. ./commands >output 2>log || { cat log; exit 1; }
printf 'greeting\nhello world\nhello world\n' | diff - output || { cat log; exit 1; }
echo "hello.c: $(wc -l <hello.c) lines, $(wc -l <commands) commands, $(($(wc -l <output) - 1)) rows"

#!/usr/bin/env bash
set -euo pipefail

usage() {
    cat <<'END'
Usage: ./demo.sh [DIR]

Builds the examples, runs the short ones, and then counts the words of all files under DIR
(default: /usr/include) with worker threads that send their counts over a channel.
Installs what it needs for that, or, without root, says what to install.
END
}

case ${1-} in
-h | --help)
    usage
    exit 0
    ;;
-*)
    echo "demo.sh: unknown option $1" >&2
    usage >&2
    exit 2
    ;;
esac
if [ $# -gt 1 ]; then
    echo "demo.sh: one folder at most" >&2
    usage >&2
    exit 2
fi
folder=${1-/usr/include}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=.ci/packages.sh
. "$root/.ci/packages.sh"
need_build_tools
install_missing

echo "Building the examples"
log=$root/build/demo.log
mkdir -p "$root/build"
if ! (cd "$root" && CMAKE_GENERATOR=Ninja cmake --preset demo && cmake --build --preset demo) >"$log" 2>&1; then
    cat "$log" >&2
    echo "demo.sh: the examples could not be built" >&2
    exit 1
fi

example() {
    local name=$1 heading=$2
    shift 2
    printf '\n== %s: %s\n' "$name" "$heading"
    "$root/build/demo/examples/$name" "$@"
}

example hello "a string moved into a channel by another thread"
example many_producers "five producers, one receiver that iterates to the end"
example receiving "receive, try, wait a second; every error"
example sync_channel "room for three: the fourth send waits"
example streaming "messages printed as they come"
example wordcount "the words under $folder" "$folder"

#!/usr/bin/env bash
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'END'
Usage: ./verify.sh NAME [ARGUMENT]...

Checks that take longer than tests may. Each is a folder of verify/, and says more with --help:

END
    local run
    for run in verify/*/run; do
        # What the check is: the first comment of its program, or the first line of its docstring.
        printf '  %-10s %s\n' "$(basename "$(dirname "$run")")" \
            "$(sed -n -e '2,$s/^# *\([^ ].*\)$/\1/p' -e 's/^"""\(.*\)$/\1/p' "$run" | grep -v '^SPDX' | head -1)"
    done
}

case ${1-} in
-h | --help)
    usage
    ;;
'' | *[!a-z_]*)
    usage >&2
    exit 2
    ;;
*)
    if [ ! -x "verify/$1/run" ]; then
        echo "verify.sh: there is no check $1; see ./verify.sh --help" >&2
        exit 2
    fi
    exec "verify/$1/run" "${@:2}"
    ;;
esac

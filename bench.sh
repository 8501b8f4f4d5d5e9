#!/usr/bin/env bash
set -euo pipefail

usage() {
    cat <<'END_OF_USAGE'
Usage: ./bench.sh [--quick] [--row NAME]... [--peers A,B...] [--rounds N] [--one-core | --two-cores] [--out DIR]

Installs what is missing, builds Weir and all other channel libraries that can be built, runs them in turn, and writes a
JSON file, a table (.md) and plots (.svg) into bench/results. Without options that takes about half an hour.

  --quick         fewer rounds, messages and rows: done within 3 minutes, once all is built
  --row NAME      only this row; may be given more than once, and be a pattern: --row 'bounded1_*'
  --peers A,B     only Weir and these
  --rounds N      so many rounds instead of 5 (with --quick: 2)
  --one-core      only with all threads on one processor
  --two-cores     only with threads wherever the system puts them
  --out DIR       write into DIR
  --help          this text

bench/README.md says what the rows are. Beside them there are compile_time and code_bytes. To see what moved between two
results: bench/compare.py OLD NEW.

Exit status: 0 all was run (missing peers and runs that failed are named), 1 Weir could not be built or failed,
2 bad usage or missing packages.
END_OF_USAGE
}

fail() {
    echo "bench.sh: $1" >&2
    exit "${2-1}"
}

options=("$@")
while [ $# -gt 0 ]; do
    case $1 in
    --row | --peers | --rounds | --out)
        [ $# -ge 2 ] || fail "$1 needs a value; see ./bench.sh --help" 2
        shift 2
        ;;
    --quick | --one-core | --two-cores)
        shift
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        fail "unknown option $1; see ./bench.sh --help" 2
        ;;
    esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$root/build/bench
programs=$build/bin
log=$build/log

# shellcheck source=.ci/packages.sh
. "$root/.ci/packages.sh"
need_build_tools
need python3 command -v python3
install_missing

# The values are looked at before anything is built.
python3 "$root/bench/run.py" --check "${options[@]}"

has_header() {
    echo "#if !__has_include(<$1>)
          #error
          #endif" | g++ -x c++ -E -o /dev/null -
}

has_library() {
    echo 'int main() {}' | g++ -x c++ -o /dev/null - "-l$1"
}

# Debian has two versions of Boost, whose -dev packages exclude each other. The one that is there stays.
has_newer_boost() {
    dpkg-query -W libboost1.81-dev >/dev/null 2>&1
}

boost_package() {
    if has_newer_boost; then
        echo "libboost-${1}1.81-dev"
    else
        echo "libboost-$1-dev"
    fi
}

has_crate() {
    compgen -G "/usr/share/cargo/registry/$1-[0-9]*"
}

# A python3 that has been put before Debian's does not see Debian's modules.
python_that_plots() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import sys, matplotlib; assert sys.version_info >= (3, 11)' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    return 1
}

# What can be done without: the peers, and the plots.
install_the_rest() {
    if [ ${#missing[@]} -eq 0 ]; then
        return
    fi
    if ! command -v apt-get >/dev/null; then
        echo "Going on without what Debian has in the packages ${missing[*]}"
    elif [ "$(id -u)" -ne 0 ]; then
        echo "Going on without some packages. To have them, as root:"
        echo "    apt-get install --no-install-recommends ${missing[*]}"
    elif ! (install_missing); then
        # One that is not to be had keeps apt-get from installing any of the others.
        local package
        for package in "${missing[@]}"; do
            (missing=("$package") && install_missing) || echo "Going on without $package"
        done
    fi
}

missing=()
need python3-matplotlib python_that_plots
need python3-munkres python_that_plots # else apt-get takes scipy for it, and with that the older Boost
need libconcurrentqueue-dev has_header concurrentqueue/blockingconcurrentqueue.h
need libtbb-dev has_header oneapi/tbb/concurrent_queue.h
has_newer_boost || need libatomic-queue-dev has_header atomic_queue/atomic_queue.h # it is for the older Boost
need "$(boost_package fiber)" has_library boost_fiber
need libasio-dev has_header asio/experimental/concurrent_channel.hpp
need golang-go command -v go
need rustc command -v rustc
need cargo command -v cargo
need librust-crossbeam-channel-dev has_crate crossbeam-channel
need librust-flume-dev has_crate flume
need librust-async-channel-dev has_crate async-channel
need librust-tokio-dev has_crate tokio
install_the_rest

# cannot NAME REASON: a program that is missing; run.py reads the list.
cannot() {
    echo "$1: $2" >>"$build/missing"
    rm -f "$programs/$1"
}

build_cpp() {
    local line name
    if ! cmake -S "$root/bench" -B "$build" -G Ninja -D CMAKE_CXX_COMPILER=g++ >"$log/cmake" 2>&1; then
        cat "$log/cmake" >&2
        fail "the C++ programs could not be configured"
    fi
    while read -r line; do
        cannot "${line%%: *}" "${line#*: }"
    done < <(sed -n 's/^-- \(.*: left out, .*\)$/\1/p' "$log/cmake")
    if cmake --build "$build" -- -k 0 >"$log/build" 2>&1; then
        return
    fi
    # Which ones failed? What could be built has been.
    for source in "$root"/bench/peers/*.cpp "$root"/bench/limits/limits.cpp; do
        name=$(basename "$source" .cpp)
        if grep -q "^$name: " "$build/missing"; then
            continue
        fi
        if ! cmake --build "$build" --target "bench_$name" >"$log/$name" 2>&1; then
            cannot "$name" "cannot be built: $(grep -m 1 -o 'error: .*' "$log/$name" || tail -n 1 "$log/$name")"
        fi
    done
}

build_go() {
    if ! command -v go >/dev/null; then
        cannot go "go is not installed"
    elif ! (cd "$root/bench/peers/go" && go build -buildvcs=false -o "$programs/go" .) >"$log/go" 2>&1; then
        cannot go "cannot be built: $(tail -n 1 "$log/go")"
    fi
}

build_rust() {
    local line
    "$root/bench/peers/rust/build.sh" "$programs" 2>"$log/rust" || true
    while read -r line; do
        if [[ $line == *": "* ]]; then
            cannot "${line%%: *}" "${line#*: }"
        fi
    done <"$log/rust"
}

echo "Building the programs: minutes, where there are none yet"
mkdir -p "$programs" "$log"
: >"$build/missing"
build_cpp
build_go
build_rust
sed 's/^/Missing: /' "$build/missing"
if [ ! -x "$programs/weir" ]; then
    cat "$log/weir" >&2
    fail "Weir's own program could not be built"
fi

exec "$(python_that_plots || echo python3)" "$root/bench/run.py" "${options[@]}"

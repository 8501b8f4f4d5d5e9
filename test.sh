#!/usr/bin/env bash
set -euo pipefail

usual=(release asan tsan clang-libcxx m32 portable noexcept)
extra=(clang m32-gcc asan-portable tsan-portable)

usage() {
    cat <<'END'
Usage: ./test.sh [--quick | --everything] [--preset NAME]... [--test REGEX] [--list]

Without options: installs what is missing, builds the presets that CI builds, and runs all the tests that CI runs.

  --preset NAME   only this preset; may be given more than once
  --quick         only the preset release
  --everything    all presets, those marked * too, which take longer than CI has time for
  --test REGEX    only the tests whose names match, e.g. --test 'release\.smoke' or --test package
  --list          name the tests instead of running them (they have to be built for that)
  --help          this text

Presets:
  release         g++, somewhat optimized: everything
  asan            clang++, AddressSanitizer and UndefinedBehaviorSanitizer
  tsan            clang++, ThreadSanitizer
  clang-libcxx    clang++ with libc++
  m32             clang++, 32-bit
  portable        clang++, the parker made of a standard mutex and condition variable
  noexcept        g++ without exceptions and RTTI: a build and a smoke run
* clang           clang++ with libstdc++, optimized
* m32-gcc         m32 with g++
* asan-portable   asan with the portable parker
* tsan-portable   tsan with the portable parker
  debug           g++, for a debugger (only where asked for)

Each preset is built in build/NAME. Exit status: 0 all passed, 1 something failed, 2 bad usage or missing packages.
END
}

fail() {
    echo "test.sh: $1" >&2
    exit "${2-1}"
}

presets=()
test_regex=
list=
while [ $# -gt 0 ]; do
    case $1 in
    --preset | --test)
        [ $# -ge 2 ] || fail "$1 needs a value; see ./test.sh --help" 2
        if [ "$1" = --test ]; then
            test_regex=$2
        elif [[ " ${usual[*]} ${extra[*]} debug " == *" $2 "* ]]; then
            presets+=("$2")
        else
            fail "there is no preset $2; see ./test.sh --help" 2
        fi
        shift 2
        ;;
    --quick)
        presets+=(release)
        shift
        ;;
    --everything)
        presets+=("${usual[@]}" "${extra[@]}")
        shift
        ;;
    --list)
        list=yes
        shift
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        fail "unknown option $1; see ./test.sh --help" 2
        ;;
    esac
done

cd "$(dirname "${BASH_SOURCE[0]}")"

if [ ${#presets[@]} -eq 0 ]; then
    for preset in "${usual[@]}"; do
        if [ "$preset" = m32 ] && [ "$(uname -m)" != x86_64 ]; then
            echo "Leaving out m32: this machine is not x86-64"
        else
            presets+=("$preset")
        fi
    done
fi

# shellcheck source=.ci/packages.sh
. .ci/packages.sh
need_build_tools
for preset in "${presets[@]}"; do
    case $preset in
    noexcept) continue ;;
    release | debug)
        need pkgconf command -v pkg-config
        need python3 command -v python3
        need libasio-dev test -e /usr/include/asio.hpp
        need libboost1.81-dev test -e /usr/include/boost/asio.hpp
        need relacy-dev test -e /usr/include/relacy/relacy.hpp
        ;;
    clang* | m32 | portable) need clang-19 command -v clang++-19 ;;
    asan* | tsan*)
        need libasio-dev test -e /usr/include/asio.hpp
        need clang-19 command -v clang++-19
        need libclang-rt-19-dev test -d /usr/lib/llvm-19/lib/clang/19/lib
        ;;
    esac
    case $preset in
    clang-libcxx) need libc++-19-dev test -e /usr/lib/llvm-19/include/c++/v1/version ;;
    m32*) need g++-multilib can_build_32_bit ;;
    esac
    need googletest test -e /usr/src/googletest/CMakeLists.txt
done
install_missing

# The thread sanitizer of g++ 12 (verify/mutate) cannot place its shadow where the kernel moves programs about by more than 28 bits.
run=()
if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)" -gt 28 ] && setarch -R true 2>/dev/null; then
    run=(setarch -R)
fi

export CMAKE_GENERATOR=Ninja
jobs=$(nproc)
times=()
mkdir -p build
: >build/CTestTestfile.cmake
for preset in "${presets[@]}"; do
    printf '\n== %s: building\n' "$preset"
    began=$SECONDS
    cmake --preset "$preset" || fail "$preset: could not be configured"
    "${run[@]}" cmake --build --preset "$preset" --parallel "$jobs" || fail "$preset: could not be built"
    times+=("$preset $((SECONDS - began)) s")
    # ctest then sees the tests of all presets as one project.
    echo "subdirs($preset)" >>build/CTestTestfile.cmake
done

printf '\n== Time to build\n'
printf '%s\n' "${times[@]}"

printf '\n== Tests of %s\n' "${presets[*]}"
# Many tests wait more than they compute.
options=(--parallel "$((2 * jobs))" --output-on-failure --no-tests=error)
[ -z "$test_regex" ] || options+=(--tests-regex "$test_regex")
[ -z "$list" ] || options+=(--show-only)
[ ! -t 1 ] || options+=(--progress)
cd build
"${run[@]}" ctest "${options[@]}" || exit 1

# Sourced by demo.sh and test.sh: installs the Debian packages that are missing, or says which they are.

missing=()

# need PACKAGE COMMAND...: the package is missing if the command fails.
need() {
    local package=$1
    shift
    if ! "$@" >/dev/null 2>&1 && [[ " ${missing[*]} " != *" $package "* ]]; then
        missing+=("$package")
    fi
}

need_build_tools() {
    need g++ command -v g++
    need cmake command -v cmake
    need ninja-build command -v ninja
}

can_build_32_bit() {
    echo '#include <version>
          int main() {}' | g++ -m32 -x c++ -o /dev/null -
}

install_missing() {
    if [ ${#missing[@]} -eq 0 ]; then
        return
    fi
    if ! command -v apt-get >/dev/null; then
        echo "Missing here: what Debian has in the packages ${missing[*]}" >&2
        exit 2
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "Some packages are missing. As root:" >&2
        echo "    apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 2
    fi
    echo "Installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } </dev/null; then
        echo "apt-get could not install ${missing[*]}" >&2
        exit 2
    fi
}

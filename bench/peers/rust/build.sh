#!/usr/bin/env bash
# build.sh OUT_DIR: builds the Rust peers, each into OUT_DIR/NAME. One that cannot be built is named on standard error,
# with the reason, and the others are built all the same. The exit status is 0 where at least rust_std was built.
set -uo pipefail

if [ $# -ne 1 ]; then
    echo "usage: $0 OUT_DIR" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd) || exit 2
out=$(mkdir -p "$1" && cd "$1" && pwd) || exit 2
work=$out/rust_build
registry=/usr/share/cargo/registry

# A user's own flags, such as the processor's instruction set, would set these peers apart from the others.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET

cannot() {
    echo "$1: $2" >&2
}

first_error() {
    grep -m 1 '^error' "$1" || echo "see $1"
}

# Only rustc: no cargo, no crates.
build_std() {
    local name=rust_std
    rm -f "$out/$name"
    if ! command -v rustc >/dev/null; then
        cannot $name "rustc is not installed"
        return
    fi
    mkdir -p "$work"
    PEER_VERSION=$(rustc --version | cut -d ' ' -f 2) rustc --edition 2021 -C opt-level=3 -C lto=fat \
        -C codegen-units=1 -C panic=abort "$here/std.rs" -o "$out/$name" 2>"$work/$name.log" ||
        cannot $name "$(first_error "$work/$name.log")"
}

# A package for each peer, so that one that does not build leaves the others alone. It is made in OUT_DIR, since cargo
# leaves a lock file beside it.
build_crate() {
    local name=$1 crate=$2 options=${3:-} source version package=$work/$1
    rm -f "$out/$name"
    if ! command -v cargo >/dev/null; then
        cannot "$name" "cargo is not installed"
        return
    fi
    source=$(printf '%s\n' "$registry/$crate"-[0-9]*/ | sort -V | tail -n 1)
    if [ ! -f "$source/Cargo.toml" ]; then
        cannot "$name" "the crate $crate is not in $registry"
        return
    fi
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/Cargo.toml" | head -n 1)
    mkdir -p "$package"
    # A lock file of a newer cargo could not be read.
    rm -f "$package/Cargo.lock"
    cat >"$package/Cargo.toml" <<EOF
[package]
name = "$name"
version = "0.0.0"
edition = "2021"

[workspace]

[[bin]]
name = "$name"
path = "$here/$name.rs"

[dependencies]
$crate = { version = "=$version"$options }

[profile.release]
opt-level = 3
lto = "fat"
codegen-units = 1
panic = "abort"
EOF
    # Cargo looks for its configuration, which names the crates' source, from the current directory upwards.
    (cd "$here" && PEER_VERSION=$version cargo build --release --offline --manifest-path "$package/Cargo.toml" \
        --target-dir "$work/target" && cp "$work/target/release/$name" "$out/$name") >"$work/$name.log" 2>&1 ||
        cannot "$name" "$(first_error "$work/$name.log")"
}

build_std
build_crate crossbeam crossbeam-channel
build_crate flume flume
build_crate async_channel async-channel
build_crate tokio tokio ', features = ["rt", "sync"]'

[ -x "$out/rust_std" ]

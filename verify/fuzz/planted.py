#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants the defects of planted.toml one at a time, and sees that the fuzzer finds each."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from plant import plant  # noqa: E402

# Little is optimized: what takes long is the building.
FLAGS = "-std=c++23 -O0 -g1 -pthread -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all"
LIMITS = ["-max_len=600", "-timeout=20", "-rss_limit_mb=4096"]
KINDS = {"numbers": "std::uint32_t", "bytes": "fuzz::bytes", "copyable": "copyable", "counted": "counted", "vast": "vast",
         "carriers": "carrier"}


def only(kind):
    """A source with the runs of one kind, and none of the others."""
    runs = "".join(
        f"void run_{name}(std::span<const std::uint8_t> input) {{ byte_reader bytes(input); world<{message}>(bytes).run(); }}\n"
        if name == kind else f"void run_{name}(std::span<const std::uint8_t>) {{}}\n" for name, message in KINDS.items())
    return f'#include "kinds.hpp"\n#include "world.hpp"\nnamespace fuzz {{\n{runs}}}\n'


def find(defect, out, seconds):
    """By what the defect is found; None where it is not."""
    folder = out / "planted"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "found").mkdir(parents=True)
    plant(defect["header"], defect["old"], defect["new"], folder)
    program = folder / "target"
    (folder / "kinds.cpp").write_text(only(defect["kind"]))
    command = [os.environ.get("CXX", "clang++-19"), *FLAGS.split(), f"-I{folder}", f"-I{HERE.parent.parent / 'include'}", f"-I{HERE}"]
    subprocess.run([*command, "target.cpp", "fuzz.cpp", "allocation.cpp", folder / "kinds.cpp", "-o", program], cwd=HERE, check=True)
    artifacts = f"-artifact_prefix={folder}/"
    corpus = HERE / "corpus"
    if fails([program, *LIMITS, artifacts, "-runs=0", corpus]):
        return "the corpus"
    if fails([program, *LIMITS, artifacts, f"-max_total_time={seconds}", folder / "found", corpus]):
        return "fuzzing"
    return None


def fails(command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


def main():
    out, seconds = Path(sys.argv[1]), int(sys.argv[2])
    defects = tomllib.loads((HERE / "planted.toml").read_text())["defect"]
    defects = [each for each in defects if len(sys.argv) < 4 or sys.argv[3] in each["name"]]
    missed = 0
    for defect in defects:
        found_by = find(defect, out, seconds)
        missed += found_by is None
        print(f"{defect['name']}: {'NOT FOUND' if found_by is None else 'found by ' + found_by}", flush=True)
    print(f"{len(defects) - missed} of {len(defects)} found")
    return 0 if missed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants the defects of planted.toml one at a time, and sees that the fuzzer finds each."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from plant import plant  # noqa: E402

FLAGS = "-std=c++23 -O1 -g1 -fno-omit-frame-pointer -pthread -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all"
LIMITS = ["-max_len=600", "-timeout=20", "-rss_limit_mb=4096"]


def find(defect, out, seconds):
    """By what the defect is found; None where it is not."""
    folder = out / "planted"
    copy = plant(defect["header"], defect["old"], defect["new"], folder)
    program = folder / "target"
    compiler = os.environ.get("CXX", "clang++-19")
    command = [compiler, *FLAGS.split(), f"-I{folder}", f"-I{HERE.parent.parent / 'include'}"]
    subprocess.run([*command, "target.cpp", "allocation.cpp", "-o", program], cwd=HERE, check=True)
    copy.unlink()
    artifacts = f"-artifact_prefix={folder}/"
    corpus = HERE / "corpus"
    if fails([program, *LIMITS, artifacts, "-runs=0", corpus]):
        return "the corpus"
    (folder / "found").mkdir(exist_ok=True)
    if fails([program, *LIMITS, artifacts, f"-max_total_time={seconds}", folder / "found", corpus]):
        return "fuzzing"
    return None


def fails(command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


def main():
    out, seconds = Path(sys.argv[1]), int(sys.argv[2])
    defects = tomllib.loads((HERE / "planted.toml").read_text())["defect"]
    missed = 0
    for defect in defects:
        found_by = find(defect, out, seconds)
        missed += found_by is None
        print(f"{defect['name']}: {'NOT FOUND' if found_by is None else 'found by ' + found_by}", flush=True)
    print(f"{len(defects) - missed} of {len(defects)} found")
    return 0 if missed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: BSL-1.0
"""How the tools under verify/ build their programs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
SANITIZERS = {
    "thread": ["-O1", "-g1", "-fsanitize=thread", "-fno-omit-frame-pointer"],
    "address": ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"],
}


def compiler():
    return os.environ.get("CXX", "g++")


def build(source, program, *flags, include=()):
    """Compiles one file below the root to a program below build/verify, and returns its path."""
    output = ROOT / "build" / "verify" / program
    output.parent.mkdir(parents=True, exist_ok=True)
    includes = [f"-I{path}" for path in (*include, ROOT / "include")]
    command = [compiler(), "-std=c++23", "-pthread", *WARNINGS, *flags, *includes, ROOT / source, "-o", output]
    if subprocess.run(command).returncode != 0:
        sys.exit(f"{source} does not compile")
    return output


def without_moving(command, sanitizer=None):
    """The command, run so that the thread sanitizer of older compilers can place its memory."""
    return ["setarch", "-R", *command] if sanitizer == "thread" else list(command)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants a defect: copies one header of the library with one exact replacement.

    verify/plant.py HEADER OLD NEW OUTDIR

HEADER is a path below include/, such as weir/detail/flavor/list.hpp. The copy is OUTDIR/HEADER, so that a compiler that is
given -I OUTDIR before -I include takes it. OLD must be found exactly once.
"""

import sys
from pathlib import Path

INCLUDE = Path(__file__).resolve().parent.parent / "include"


def plant(header, old, new, outdir):
    """Returns the copy's path; raises ValueError where OLD is not there exactly once."""
    source = (INCLUDE / header).read_text()
    found = source.count(old)
    if found != 1:
        raise ValueError(f"{header}: found {found} times, not once: {old!r}")
    copy = Path(outdir) / header
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(source.replace(old, new))
    return copy


def main():
    if len(sys.argv) != 5 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if sys.argv[1:2] in (["-h"], ["--help"]) else 2
    try:
        print(plant(*sys.argv[1:]))
    except (OSError, ValueError) as error:
        print(f"plant.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

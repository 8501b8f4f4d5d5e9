#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants a defect: copies one header of the library with one exact replacement.

    verify/plant.py HEADER OLD NEW OUTDIR
    verify/plant.py --check

HEADER is a path below include/, such as weir/detail/flavor/list.hpp. The copy is OUTDIR/HEADER, so that a compiler that is
given -I OUTDIR before -I include takes it. OLD must be found exactly once. --check only sees that all defects of
verify/*/planted.toml can be planted.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parent / "include"


def planted(header, old, new):
    """Returns the header's text with the defect; raises ValueError where OLD is not there exactly once."""
    source = (INCLUDE / header).read_text()
    found = source.count(old)
    if found != 1:
        raise ValueError(f"{header}: found {found} times, not once: {old!r}")
    return source.replace(old, new)


def plant(header, old, new, outdir):
    """Returns the copy's path; raises as planted()."""
    text = planted(header, old, new)
    copy = Path(outdir) / header
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text)
    return copy


def check():
    """Whether all defects can be planted."""
    count = wrong = 0
    for table in sorted(HERE.glob("*/planted.toml")):
        for defects in tomllib.loads(table.read_text()).values():
            for defect in defects:
                count += 1
                try:
                    planted(defect["header"], defect["old"], defect["new"])
                except (OSError, ValueError) as error:
                    wrong += 1
                    print(f"{table.relative_to(HERE.parent)}: {defect['name']}: {error}", file=sys.stderr)
    print(f"{count - wrong} of {count} defects can be planted")
    return count > 0 and wrong == 0


def main():
    if sys.argv[1:] == ["--check"]:
        return 0 if check() else 1
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

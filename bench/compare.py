#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Shows what moved between two results of run.py, beyond the noise.

Usage: compare.py OLD NEW

A row of a program has moved where both of these hold:
  - all its runs in NEW are above all its runs in OLD, or all below. For Weir that is both series, the A/A one too;
  - new/old of the medians is farther from 1 than the row's A/A ratio is, in OLD and in NEW, and than 1.02; or than 1.1
    where a row was run only once, as those about memory are, and so has no spread.

Weir is also shown against a peer: new/old of Weir over new/old of the blocking peer that was the fastest in OLD, of
those in both. On a slower machine both become slower, and this stays at 1. It has moved where the interval of what it
could be, with the runs' extremes, does not contain 1, and it is as far from 1 as above.

Exit status: 0, whatever moved; 2 bad usage or input.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Nothing but results is left in the source tree.
sys.dont_write_bytecode = True
from report import AGAIN, OURS, WEIR, BadInput, Results, Row, Sample, number, table

# What differs by less has not moved.
LEAST = 1.02
LEAST_OF_ONE_RUN = 1.1
# Two limits that differ by more are worth a warning.
SAME_LIMIT = 1.1


@dataclass(frozen=True)
class Move:
    """new/old: of the medians, and the least and the most that it could be with other runs."""

    ratio: float
    low: float
    high: float

    def against(self, other: Move) -> Move:
        return Move(self.ratio / other.ratio, self.low / other.high, self.high / other.low)

    def is_beyond(self, noise: float) -> bool:
        """`noise`: as a logarithm."""
        return not self.low <= 1 <= self.high and abs(math.log(self.ratio)) > noise


def move(old: Sample, new: Sample, old_all: Sample, new_all: Sample) -> Move | None:
    """The medians of the samples, the extremes of all runs. None where there is nothing to divide by."""
    if min(old_all.low, new_all.low) <= 0:
        return None
    return Move(new.median / old.median, new_all.low / old_all.high, new_all.high / old_all.low)


@dataclass(frozen=True)
class Pair:
    """A row in both files."""

    old: Row
    new: Row

    @property
    def noise(self) -> float:
        ratios = [ratio for row in (self.old, self.new) if (ratio := row.noise())]
        least = LEAST_OF_ONE_RUN if 1 in (self.old.rounds, self.new.rounds) else LEAST
        return max(math.log(least), *(abs(math.log(ratio)) for ratio in ratios))

    def all_runs(self, row: Row, program: str) -> Sample | None:
        series = [row.sample(name) for name in ((WEIR, AGAIN) if program == WEIR else (program,))]
        return Sample(tuple(value for found in series if found for value in found.values)) if series[0] else None

    def move(self, program: str) -> Move | None:
        old, new = self.old.sample(program), self.new.sample(program)
        old_all, new_all = self.all_runs(self.old, program), self.all_runs(self.new, program)
        if not (old and new and old_all and new_all):
            return None
        return move(old, new, old_all, new_all)

    def reference(self) -> str | None:
        """The blocking peer that was the fastest, of those in both."""
        rivals = {name: median for name, median in self.old.rivals().items() if self.new.sample(name)}
        return min(rivals, key=lambda name: rivals[name]) if rivals else None


def pairs(old: Results, new: Results) -> Iterator[Pair]:
    by_name = {(row.scenario, row.regime): row for row in old.rows}
    for row in new.rows:
        found = by_name.get((row.scenario, row.regime))
        if found and found.metric == row.metric:
            yield Pair(found, row)


def word(ratio: float, row: Row) -> str:
    less, more = ("faster", "slower") if row.is_timed else ("less", "more")
    return more if ratio > 1 else less


def line(pair: Pair, program: str) -> list[str] | None:
    """What moved of a program, alone or against the fastest peer; None where nothing did."""
    alone = pair.move(program)
    if alone is None:
        return None
    reference = pair.reference() if program == WEIR and pair.new.is_timed else None
    peer = pair.move(reference) if reference else None
    against = alone.against(peer) if peer else None
    moved = alone.is_beyond(pair.noise)
    moved_against = against is not None and against.is_beyond(pair.noise)
    if not moved and not moved_against:
        return None
    verdict = word(alone.ratio, pair.new) if moved else "as before"
    if against is not None:
        verdict += f"; {word(against.ratio, pair.new)} against {reference}" if moved_against else f", as {reference}"
    old, new = pair.old.median(program), pair.new.median(program)
    ratios = [f"{alone.ratio:.2f}", f"{against.ratio:.2f}" if against else ""]
    return [f"{pair.new.scenario}, {pair.new.regime}", number(old), number(new), *ratios, verdict]


def moved_table(compared: Sequence[Pair], programs: Iterable[str]) -> list[str]:
    """Weir in full; of the others only what moved by itself."""
    lines = [
        [found[0], program, *found[1:]] for program in programs for pair in compared if (found := line(pair, program))
    ]
    if not lines:
        return ["Nothing moved beyond the noise.", ""]
    return table(["row", "program", "old", "new", "new/old", "against the peer", "what that is"], lines)


def limits_table(old: Results, new: Results) -> list[str]:
    common = [name for name in new.limits if name in old.limits]
    if not common:
        return ["No limit was measured in both.", ""]
    ratios = {name: new.limits[name].median / old.limits[name].median for name in common}
    return table(
        ["limit", "old", "new", "new/old"],
        (
            [name, number(old.limits[name].median), number(new.limits[name].median), f"{ratios[name]:.2f}"]
            for name in common
        ),
    )


def differing_limits(old: Results, new: Results) -> list[str]:
    """Those whose medians differ by more than SAME_LIMIT, and whose runs do not overlap."""
    different = []
    for name, after in new.limits.items():
        before = old.limits.get(name)
        changed = before and move(before, after, before, after)
        if changed and changed.is_beyond(math.log(SAME_LIMIT)):
            different.append(f"{name} ({changed.ratio:.2f})")
    return different


def warnings(old: Results, new: Results) -> list[str]:
    """Why a difference need not be the library's."""
    found = []
    for what in ("processor", "processors", "kernel", "system"):
        before, after = old.machine[what], new.machine[what]
        if before != after:
            found.append(f"another {what}: {before}, now {after}")
    for name in dict.fromkeys([*old.compilers, *new.compilers]):
        before, after = old.compilers.get(name, "none"), new.compilers.get(name, "none")
        if before != after:
            found.append(f"another {name}: {before}, now {after}")
    for name, program in new.programs.items():
        earlier = old.programs.get(name)
        if earlier and name not in OURS and earlier.version != program.version:
            found.append(f"another {name}: {earlier.version}, now {program.version}")
    if different := differing_limits(old, new):
        found.append(f"the machine's primitives differ, new/old: {', '.join(different)}")
    if old.data["options"]["quick"] != new.data["options"]["quick"]:
        found.append("one of the two was made with --quick, and has fewer messages a run")
    return found


def chance(old_runs: int, new_runs: int) -> str:
    """How often runs that are alike come apart for no reason: of all orders, those with all of one side first."""
    return f"{2 / math.comb(old_runs + new_runs, new_runs):.1%}"


def chance_line(old: Results, new: Results) -> str:
    old_rounds, new_rounds = (int(results.data["options"]["rounds"]) for results in (old, new))
    return (
        f"By chance, {chance(2 * old_rounds, 2 * new_rounds)} of Weir's rows and {chance(old_rounds, new_rounds)} of a "
        "peer's come apart where nothing moved, before their A/A is asked."
    )


def absent(old: Results, new: Results) -> list[str]:
    """What cannot be compared, because one of the files does not have it."""

    def names(results: Results) -> set[str]:
        return {f"{row.scenario}, {row.regime}, {name}" for row in results.rows for name in row.programs()}

    lines = []
    for title, only in (("Only in OLD", names(old) - names(new)), ("Only in NEW", names(new) - names(old))):
        if only:
            lines += [f"{title}:", *(f"- {name}" for name in sorted(only)), ""]
    return lines


def compare(old: Results, new: Results) -> list[str]:
    compared = list(pairs(old, new))
    others = [name for name in new.programs if name in old.programs and name not in OURS]
    lines = [f"OLD: {old.title}", f"NEW: {new.title}", ""]
    for text in warnings(old, new):
        lines += [f"Warning: {text}", ""]
    lines += limits_table(old, new)
    lines += [f"{len(compared)} rows are in both. What moved beyond the noise:", "", chance_line(old, new), ""]
    lines += ["Weir", "", *moved_table(compared, OURS)]
    lines += ["Peers", "", *moved_table(compared, others)]
    return lines + absent(old, new)


def main(arguments: Sequence[str]) -> int:
    if list(arguments) in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if len(arguments) != 2 or any(argument.startswith("-") for argument in arguments):
        print("compare.py: two files, please: compare.py OLD NEW; see --help", file=sys.stderr)
        return 2
    try:
        old, new = (Results(Path(argument)) for argument in arguments)
    except BadInput as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    print("\n".join(compare(old, new)).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes a Markdown table and plots of a JSON file that run.py wrote; they go beside it, under the same name.

Usage: report.py JSON
"""

from __future__ import annotations

import json
import math
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WEIR = "weir"
# Weir's channel in coroutines of Asio, and what it is compared with there.
WEIR_ASIO = "weir_asio"
ASIO = "asio"
# All that is Weir's own, and no peer.
OURS = (WEIR, WEIR_ASIO)
# Weir once more in each round: what it differs by is what a difference is worth.
AGAIN = "weir_again"

BLOCKING = "blocking"
TWO_CORES = "2 cores"
ONE_CORE = "1 core"

# What a run gives, the one that it is judged by first.
TIMES = ("ns", "p50_ns")
BYTES = "bytes"

NOTHING = "–"


class BadInput(Exception):
    """A file that is no result of run.py."""


@dataclass(frozen=True)
class Sample:
    """What one program gave for one row: a value a round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


@dataclass(frozen=True)
class Program:
    name: str
    version: str
    kind: str

    def is_rival(self, in_tasks: bool = False) -> bool:
        """Whether Weir is compared with it: its threads wait in the operating system's own way, or in_tasks nobody's do."""
        return (self.kind == BLOCKING or in_tasks) and self.name not in OURS


class Row:
    """A scenario in a regime: the runs of all programs."""

    def __init__(self, record: dict[str, Any], programs: dict[str, Program]) -> None:
        self.scenario: str = record["scenario"]
        self.regime: str = record["regime"]
        self.failures: dict[str, str] = record["failures"]
        self._known = programs
        self._runs: dict[str, list[dict[str, float]]] = record["runs"]
        self.metric = self._find_metric()

    def _find_metric(self) -> str:
        offered = {name for runs in self._runs.values() for run in runs for name in run}
        return next((name for name in (*TIMES, BYTES) if name in offered), TIMES[0])

    @property
    def kind(self) -> str:
        return self.scenario.split("_", 1)[0]

    @property
    def shape(self) -> str:
        return self.scenario.split("_", 1)[1]

    @property
    def is_timed(self) -> bool:
        return self.metric in TIMES

    @property
    def is_of_tasks(self) -> bool:
        """Whether what waits there is no thread."""
        return re.fullmatch(r"task\d|to_task|waiting", self.shape) is not None

    @property
    def rounds(self) -> int:
        return max((len(runs) for runs in self._runs.values()), default=0)

    def programs(self) -> list[str]:
        """Those that gave something for this row."""
        return [name for name in self._runs if name != AGAIN]

    def sample(self, program: str, metric: str | None = None) -> Sample | None:
        """None where the program does not offer the row or failed, or where its runs do not say that."""
        wanted = metric or self.metric
        values = tuple(run[wanted] for run in self._runs.get(program, []) if wanted in run)
        return Sample(values) if values else None

    def median(self, program: str, metric: str | None = None) -> float | None:
        found = self.sample(program, metric)
        return found.median if found else None

    def rivals(self) -> dict[str, float]:
        """The medians of the peers that Weir is compared with."""
        rivals = [name for name, program in self._known.items() if program.is_rival(self.is_of_tasks)]
        medians = {name: self.median(name) for name in rivals}
        return {name: median for name, median in medians.items() if median is not None}

    def fastest(self) -> str | None:
        """The fastest of them."""
        rivals = self.rivals()
        return min(rivals, key=lambda name: rivals[name]) if rivals else None

    def lead(self) -> float | None:
        """The fastest peer's median over Weir's: above 1, Weir is ahead."""
        fastest = self.fastest()
        return quotient(self.rivals()[fastest], self.median(WEIR)) if fastest else None

    def lead_in_asio(self) -> float | None:
        """Likewise in coroutines of Asio, over Asio's own channel."""
        return quotient(self.median(ASIO), self.median(WEIR_ASIO))

    def noise(self) -> float | None:
        """Weir's second median over its first."""
        return quotient(self.median(AGAIN), self.median(WEIR))


def quotient(above: float | None, below: float | None) -> float | None:
    """None where either is missing, or where there is nothing to divide by."""
    return above / below if above is not None and below else None


class Results:
    """A JSON file of run.py."""

    def __init__(self, path: Path) -> None:
        try:
            self.data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self.programs = {
                name: Program(name, info["version"], info["class"]) for name, info in self.data["programs"].items()
            }
            self.rows = [Row(record, self.programs) for record in self.data["rows"]]
            self.limits = {name: Sample(tuple(values)) for name, values in self.data["limits"].items() if values}
            self.machine: dict[str, Any] = self.data["machine"]
            self.compilers: dict[str, str] = self.data["compilers"]
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{path} is no result of run.py: {type(error).__name__}: {error}") from error

    @property
    def title(self) -> str:
        dirty = ", with changes" if self.data["dirty"] else ""
        return f"{self.data['date']}, commit {self.data['commit']}{dirty}"

    def regimes(self) -> list[str]:
        return list(dict.fromkeys(row.regime for row in self.rows))

    def of(self, regime: str) -> list[Row]:
        return [row for row in self.rows if row.regime == regime]

    def timed(self) -> list[Row]:
        return [row for row in self.rows if row.is_timed]

    def limit(self, row: Row) -> tuple[str, float] | None:
        """The primitive that a row is measured by. Those of two threads say nothing about one processor."""
        name = limit_name(row)
        if name is None or name not in self.limits or row.regime != TWO_CORES:
            return None
        return name, self.limits[name].median

    def bare(self, row: Row) -> float | None:
        """What the program of that row's steps alone takes."""
        found = self.limits.get(f"bare_{row.scenario}")
        return found.median if found and row.regime == TWO_CORES else None

    def peers(self, rows: Iterable[Row]) -> list[Program]:
        """The peers that have something to say on one of the rows, the blocking ones first."""
        rows = list(rows)
        shown = [
            program
            for name, program in self.programs.items()
            if name not in OURS and any(row.sample(name) or name in row.failures for row in rows)
        ]
        return sorted(shown, key=lambda program: (program.kind != BLOCKING, program.name))


def limit_name(row: Row) -> str | None:
    """What no channel can beat there: a claim by one thread, by several, or a line that goes there and back."""
    if row.kind in ("bounded1", "bounded0") and row.shape.startswith(("spsc", "mpsc")) or row.shape == "rtt":
        return "line_round_trip"
    if row.shape == "hot" or row.shape == "spsc" and row.kind in ("unbounded", "bounded1024"):
        return "xadd_alone"
    if row.shape.startswith("mpsc"):
        return "xadd_two_threads"
    if row.shape.startswith("spsc_"):
        return row.shape.replace("spsc", "copy")
    return None


def geometric_mean(values: Iterable[float]) -> float | None:
    logarithms = [math.log(value) for value in values if value > 0]
    return math.exp(statistics.fmean(logarithms)) if logarithms else None


# Text


def number(value: float | None) -> str:
    """Three digits or more, none of them noise only."""
    if value is None:
        return NOTHING
    if abs(value) < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if abs(value) < 99.95 else f"{value:,.0f}"


def times(value: float | None) -> str:
    """A ratio: the same as a number, but small ones show what they are."""
    if value is None:
        return NOTHING
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The first column is text, the others are figures."""
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def heading(program: Program) -> str:
    return program.name if program.kind == BLOCKING else f"{program.name} ({program.kind})"


def cell(row: Row, program: str, text: Callable[[Row, str], str]) -> str:
    if row.sample(program):
        return text(row, program)
    return "failed" if program in row.failures else NOTHING


def median_text(row: Row, program: str) -> str:
    return number(row.median(program))


def median_cell(row: Row, program: str) -> str:
    text = cell(row, program, median_text)
    return f"**{text}**" if program == row.fastest() else text


def spread(found: Sample | None) -> str:
    return f"{number(found.low)} to {number(found.high)}" if found else NOTHING


def limit_text(results: Results, row: Row) -> str:
    found = results.limit(row)
    multiple = quotient(row.median(WEIR), found[1]) if found else None
    return f"{times(multiple)} {found[0]}" if found and multiple is not None else NOTHING


def time_table(results: Results, rows: list[Row]) -> list[str]:
    peers = results.peers(rows)
    header = ["row", "Weir", "Weir's spread", "A/A", "fastest / Weir", "Weir / limit", "Weir / bare", *map(heading, peers)]
    return table(
        header,
        (
            [
                row.scenario,
                cell(row, WEIR, median_text),
                spread(row.sample(WEIR)),
                times(row.noise()),
                times(row.lead()),
                limit_text(results, row),
                times(quotient(row.median(WEIR), results.bare(row))),
                *(median_cell(row, peer.name) for peer in peers),
            ]
            for row in rows
        ),
    )


def plain_table(results: Results, rows: list[Row], text: Callable[[Row, str], str]) -> list[str]:
    """Weir and the peers, a cell each."""
    peers = results.peers(rows)
    return table(
        ["row", "Weir", *map(heading, peers)],
        ([row.scenario, *(cell(row, name, text) for name in (WEIR, *(peer.name for peer in peers)))] for row in rows),
    )


def processor_text(row: Row, program: str) -> str:
    return number(row.median(program, "cpu_ns"))


def quantiles_text(row: Row, program: str) -> str:
    return " / ".join(number(row.median(program, name)) for name in ("p50_ns", "p99_ns", "p999_ns"))


def memory_text(row: Row, program: str) -> str:
    return f"{row.median(program, BYTES) or 0:,.0f}"


def regime_part(results: Results, regime: str) -> list[str]:
    rows = [row for row in results.of(regime) if row.is_timed and not row.is_of_tasks]
    parked = [row for row in rows if row.shape == "parked"]
    if not rows:
        return []
    where = "all threads on one processor" if regime == ONE_CORE else "threads go where the system puts them"
    lines = [f"## {regime.capitalize()}: nanoseconds a message", ""]
    lines += [
        f"Wall time, medians; {where}. **Bold**: the fastest peer whose threads block, which Weir is compared with. "
        "A/A: Weir's second series over its first. `parked`: the median of the delivery times.",
        "",
    ]
    lines += time_table(results, rows)
    lines += [f"### {regime.capitalize()}: processor time a message", ""]
    lines += plain_table(results, rows, processor_text)
    if parked:
        lines += [f"### {regime.capitalize()}: delivery to a parked receiver, p50 / p99 / p99.9", ""]
        lines += plain_table(results, parked, quantiles_text)
    return lines


def tasks_part(results: Results) -> list[str]:
    rows = [row for row in results.timed() if row.is_of_tasks]
    if not rows:
        return []
    lines = ["## Coroutines and tasks: nanoseconds a message", ""]
    lines += [
        "At both ends, on one thread (`task1`) and on two (`task2`), or at the receiving end alone (`to_task`). **Bold**: the "
        "fastest peer, of whatever kind. What a waiting one takes stands under Memory.",
        "",
    ]
    return lines + time_table(results, rows)


def asio_part(results: Results) -> list[str]:
    rows = [row for row in results.rows if row.sample(WEIR_ASIO) or WEIR_ASIO in row.failures]
    if not rows:
        return []
    lines = ["## Coroutines of Asio: Weir's channel in the place of Asio's", ""]
    lines += [
        "`weir::asio`, and `asio::experimental::concurrent_channel`, both with `use_awaitable` and an `io_context` a thread; "
        "in `to_task` Weir's sender is a thread that blocks, and Asio's a coroutine, since its channel cannot block one. Nanoseconds a "
        "message; in `waiting` bytes a coroutine.",
        "",
    ]
    return lines + table(
        ["row", "Weir's channel", "spread", "Asio's channel", "spread", "Asio's / Weir's"],
        (
            [
                row.scenario,
                cell(row, WEIR_ASIO, median_text),
                spread(row.sample(WEIR_ASIO)),
                cell(row, ASIO, median_text),
                spread(row.sample(ASIO)),
                times(row.lead_in_asio()),
            ]
            for row in rows
        ),
    )


def memory_part(results: Results) -> list[str]:
    rows = [row for row in results.rows if row.metric == BYTES and (row.sample(WEIR) or row.rivals())]
    if not rows:
        return []
    lines = ["## Memory: resident bytes", ""]
    lines += ["`queued`: a message; `idle`: a channel; `burst`: in all, a while after the messages were received; `waiting`: a coroutine or task that waits.", ""]
    return lines + plain_table(results, rows, memory_text)


def lead_summary(results: Results) -> list[str]:
    timed = results.timed()
    threads = [row for row in timed if not row.is_of_tasks]
    groups = [(regime, [row for row in threads if row.regime == regime]) for regime in results.regimes()]
    if len(groups) > 1:
        groups.append(("both", threads))
    groups.append(("coroutines, against all peers", [row for row in timed if row.is_of_tasks]))
    named_leads = [(name, [row.lead() for row in rows]) for name, rows in groups]
    named_leads.append(("coroutines of Asio, against its own channel", [row.lead_in_asio() for row in timed]))
    lines = []
    for name, found in named_leads:
        leads = [lead for lead in found if lead is not None]
        mean = geometric_mean(leads)
        if mean is not None:
            lines.append(f"- {name}: {times(mean)} over {len(leads)} rows, from {times(min(leads))} to {times(max(leads))}")
    return lines or ["- no row with Weir and a blocking peer"]


def losing_rows(results: Results) -> list[str]:
    """The rows on which a peer's median is lower, and whether that could be noise."""
    lines = []
    for row in results.timed():
        lead, noise = row.lead(), row.noise()
        if lead is None or lead >= 1:
            continue
        within = noise is not None and abs(math.log(lead)) <= abs(math.log(noise))
        doubt = "; no more than A/A" if within else ""
        lines.append(
            f"- {row.scenario}, {row.regime}: {row.fastest()} {median_text(row, row.fastest() or '')}, "
            f"Weir {median_text(row, WEIR)} ({times(lead)}{doubt})"
        )
    for row in results.timed():
        lead = row.lead_in_asio()
        if lead is not None and lead < 1:
            lines.append(
                f"- {row.scenario}, in coroutines of Asio: its own channel {median_text(row, ASIO)}, "
                f"Weir's {median_text(row, WEIR_ASIO)} ({times(lead)})"
            )
    return lines or ["- none"]


def missing_lines(results: Results) -> list[str]:
    missing = [f"- {name}: {reason}" for name, reason in results.data["missing"].items()]
    return missing or ["- none"]


def failure_lines(results: Results) -> list[str]:
    lines = [
        f"- {row.scenario}, {row.regime}, {name}: {reason}"
        for row in results.rows
        for name, reason in row.failures.items()
    ]
    lines += [f"- the limit {name}: {reason}" for name, reason in results.data["limit_failures"].items()]
    left_out: dict[str, list[str]] = {}
    for what, reason in results.data["left_out"].items():
        left_out.setdefault(reason, []).append(what)
    lines += [f"- left out, since {reason}: {'; '.join(rows)}" for reason, rows in left_out.items()]
    return lines or ["- none"]


def producers_part(results: Results) -> list[str]:
    """What 16 producers cost over what 4 cost."""
    by_name = {(row.scenario, row.regime): row for row in results.rows}
    pairs = [
        (row, by_name[few, row.regime])
        for row in results.rows
        if row.shape == "mpsc16" and (few := f"{row.kind}_mpsc4", row.regime) in by_name
    ]
    if not pairs:
        return []
    peers = results.peers(row for row, _ in pairs)
    names = [WEIR, *(peer.name for peer in peers)]
    return [
        "## 16 producers over 4",
        "",
        *table(
            ["mpsc16 / mpsc4", "Weir", *map(heading, peers)],
            (
                [
                    f"{many.kind}, {many.regime}",
                    *(times(quotient(many.median(name), few.median(name))) for name in names),
                ]
                for many, few in pairs
            ),
        ),
    ]


def limits_part(results: Results) -> list[str]:
    return [
        "## The machine's primitives",
        "",
        "`bare_ROW`: a program of nothing but the steps that a message of that row cannot do without (`limits/bare.hpp`).",
        "",
        *table(
            ["primitive", "ns", "spread"],
            ([name, number(found.median), spread(found)] for name, found in results.limits.items()),
        ),
    ]


def compiler_part(results: Results) -> list[str]:
    lines = []
    if compiled := results.data["compile_time"]:
        lines += ["## Compile time", "", f"`{compiled['command']}`, milliseconds.", ""]
        samples = {name: Sample(tuple(values)) for name, values in compiled["ms"].items()}
        lines += table(
            ["file", "median", "spread"],
            ([name, number(found.median), spread(found)] for name, found in samples.items()),
        )
    if code := results.data["code_bytes"]:
        lines += ["## Code bytes a message type", "", code["what"], ""]
        lines += table(
            ["file", *(f"{count} types" if count != "1" else "1 type" for count in code["counts"]), "a type more"],
            (
                [name, *(number(text) for text in found["text"]), number(found["a_type"])]
                for name, found in code["files"].items()
            ),
        )
    return lines


def machine_part(results: Results) -> list[str]:
    options = results.data["options"]
    quick = ", with --quick" if options["quick"] else ""
    machine = results.machine
    return [
        "## Machine and versions",
        "",
        f"- {machine['processor']}, {machine['processors']} processors, {machine['memory_gib']} GiB; "
        f"{machine['system']}, kernel {machine['kernel']}",
        *(f"- {name}: {version}" for name, version in results.compilers.items()),
        f"- {options['rounds']} rounds{quick}; the load of the machine when it began: {machine['load']}",
        "",
        *table(
            ["program", "version", "threads that wait"],
            ([program.name, program.version, program.kind] for program in results.programs.values()),
        ),
    ]


def markdown(results: Results, plots: Sequence[str]) -> str:
    lines = [f"# Benchmark of {results.title}", ""]
    lines += ["## Fastest blocking peer's time over Weir's, geometric mean", "", *lead_summary(results), ""]
    lines += ["Rows on which Weir is behind:", "", *losing_rows(results), ""]
    lines += ["Missing programs:", "", *missing_lines(results), ""]
    lines += ["What failed or was left out:", "", *failure_lines(results), ""]
    lines += [f"![{name}]({name})" for name in plots] + [""]
    for regime in results.regimes():
        lines += regime_part(results, regime)
    lines += tasks_part(results) + asio_part(results) + producers_part(results) + memory_part(results)
    lines += limits_part(results) + compiler_part(results)
    lines += machine_part(results)
    return "\n".join(lines)


# Plots

COLOURS = {WEIR: "#c8102e"}
OTHER_COLOURS = ("#1f4e79", "#2e8b57", "#e0a030", "#7b5ea7", "#4aa5c9", "#8c6d46", "#9aa0a6", "#d98cb3", "#5b6b2f")
GROUPS: dict[str, Callable[[Row], bool]] = {
    "unbounded": lambda row: row.kind == "unbounded" and is_stream(row),
    "bounded": lambda row: row.kind in ("boundedN", "bounded1024", "bounded64") and is_stream(row),
    "handover": lambda row: row.kind in ("bounded1", "bounded0") and is_stream(row),
    "single": lambda row: row.shape in ("rtt", "oneshot", "clone", "parked"),
    "relays": lambda row: row.shape in ("chain4", "pool4", "forkjoin4"),
    "boxes": lambda row: row.shape.endswith("_box"),
    "sizes": lambda row: row.shape.startswith("spsc_"),
}
GROUP_TITLES = {
    "unbounded": "Unbounded channels",
    "bounded": "Bounded channels",
    "handover": "Capacity 1 and 0",
    "single": "One message at a time, and channels' lives",
    "relays": "More threads than processors",
    "boxes": "Messages that the sender allocates and the receiver frees",
    "sizes": "Messages of 64, 512 and 4096 bytes",
}
# More would not be told apart.
ROWS_A_PANEL = 6


def is_stream(row: Row) -> bool:
    return re.fullmatch(r"seq|hot|spsc|mpsc\d+", row.shape) is not None


def draw_bars(axes: Any, results: Results, rows: list[Row], names: list[str]) -> None:
    width = 0.84 / len(names)
    others = [name for name in results.programs if name != WEIR and results.programs[name].is_rival()]
    colours = COLOURS | dict(zip(others, OTHER_COLOURS * len(others), strict=False))
    for place, name in enumerate(names):
        shown = [(x, found) for x, row in enumerate(rows) if (found := row.sample(name))]
        middles = [x + (place - (len(names) - 1) / 2) * width for x, _ in shown]
        medians = [found.median for _, found in shown]
        spreads = [[found.median - found.low for _, found in shown], [found.high - found.median for _, found in shown]]
        axes.bar(middles, medians, width * 0.94, color=colours[name], label=name, zorder=2)
        axes.errorbar(middles, medians, yerr=spreads, fmt="none", ecolor="#333333", elinewidth=0.7, zorder=3)
    for x, row in enumerate(rows):
        if limit := results.limit(row):
            axes.hlines(limit[1], x - 0.45, x + 0.45, colors="black", linestyles="dashed", linewidth=1.2, zorder=4)


def finish_axes(axes: Any, rows: list[Row], places: int) -> None:
    axes.set_yscale("log")
    axes.set_xlim(-0.6, places - 0.4)
    axes.set_xticks(range(len(rows)), [row.scenario.replace("_", "\n", 1) for row in rows])
    axes.set_ylabel("ns a message")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.grid(axis="y", which="major", color="#dddddd", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)


def draw_group(pyplot: Any, results: Results, rows: list[Row], title: str) -> Any:
    rivals = [program.name for program in results.peers(rows) if program.is_rival()]
    names = [name for name in (WEIR, *rivals) if any(row.sample(name) for row in rows)]
    panels = math.ceil(len(rows) / ROWS_A_PANEL)
    per_panel = math.ceil(len(rows) / panels)
    figure, all_axes = pyplot.subplots(panels, 1, figsize=(12, 1 + 3.4 * panels), squeeze=False, sharey=True)
    for panel, axes in enumerate(all_axes[:, 0]):
        shown = rows[panel * per_panel : (panel + 1) * per_panel]
        draw_bars(axes, results, shown, names)
        finish_axes(axes, shown, per_panel)
    all_axes[0, 0].set_title(title, loc="left")
    labels = dict(zip(*reversed(all_axes[0, 0].get_legend_handles_labels()), strict=True))
    if any(results.limit(row) for row in rows):
        labels["the machine's limit"] = all_axes[0, 0].plot([], [], "--", color="black", linewidth=1.2)[0]
    figure.legend(labels.values(), labels.keys(), loc="lower center", ncols=6, frameon=False)
    figure.tight_layout(rect=(0, 0.55 / (1 + 3.4 * panels), 1, 1))
    return figure


def draw_leads(pyplot: Any, rows: list[Row], title: str) -> Any:
    """One bar a row and regime: how far Weir is ahead of the fastest blocking peer, or behind it."""
    scenarios = list(dict.fromkeys(row.scenario for row in rows))
    regimes = list(dict.fromkeys(row.regime for row in rows))
    height = 0.8 / len(regimes)
    figure, axes = pyplot.subplots(figsize=(9, 1.4 + 0.3 * len(scenarios)))
    for place, regime in enumerate(regimes):
        shown = [row for row in rows if row.regime == regime]
        middles = [scenarios.index(row.scenario) + (place - (len(regimes) - 1) / 2) * height for row in shown]
        # From 1 to the left or to the right.
        lengths = [(row.lead() or 1) - 1 for row in shown]
        axes.barh(middles, lengths, height * 0.9, left=1, color=("#c8102e", "#1f4e79")[place], label=regime, zorder=2)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=1, zorder=3)
    axes.set_yticks(range(len(scenarios)), scenarios)
    axes.set_ylim(len(scenarios) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes.set_xlabel("fastest blocking peer's time / Weir's: to the right of 1, Weir is ahead")
    axes.grid(axis="x", which="both", color="#e4e4e4", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.set_title(title, loc="left")
    figure.tight_layout()
    return figure


def plot(results: Results, path: Path) -> list[str]:
    """Writes the plots beside `path`; their names, or none where matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("svg")
    # The same results make the same file.
    matplotlib.rcParams.update({"svg.hashsalt": "weir", "font.size": 10})
    from matplotlib import pyplot

    written = []

    def save(figure: Any, name: str) -> None:
        figure.savefig(path.with_name(name), metadata={"Date": None})
        pyplot.close(figure)
        written.append(name)

    if led := [row for row in results.timed() if row.lead() is not None and not row.is_of_tasks]:
        save(draw_leads(pyplot, led, results.title), f"{path.stem}-lead.svg")
    for regime in results.regimes():
        for group, belongs in GROUPS.items():
            rows = [row for row in results.of(regime) if belongs(row) and row.sample(WEIR)]
            if rows:
                figure = draw_group(pyplot, results, rows, f"{GROUP_TITLES[group]}, {regime}: {results.title}")
                save(figure, f"{path.stem}-{group}-{regime.replace(' ', '')}.svg")
    return written


def write(path: Path) -> list[Path]:
    """Writes what belongs to a JSON file, beside it; what was written."""
    results = Results(path)
    plots = plot(results, path)
    text = path.with_suffix(".md")
    text.write_text(markdown(results, plots), encoding="utf-8")
    return [text, *(path.with_name(name) for name in plots)]


def summary(path: Path) -> str:
    """What somebody who waited for it wants to know first."""
    results = Results(path)
    parts = {
        "Fastest blocking peer's time over Weir's, geometric mean": lead_summary(results),
        "Rows on which Weir is behind": losing_rows(results),
        "Missing programs": missing_lines(results),
        "What failed or was left out": failure_lines(results),
    }
    return "\n".join("\n".join([f"{title}:", *lines]) for title, lines in parts.items())


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        asked = list(arguments) in (["-h"], ["--help"])
        print(__doc__.strip(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    path = Path(arguments[0])
    if path.suffix != ".json":
        print(f"report.py: {path} is no .json file", file=sys.stderr)
        return 2
    try:
        written = write(path)
    except BadInput as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    for file in written:
        print(file)
    if len(written) == 1:
        print("report.py: no plots: this Python has no matplotlib (Debian: python3-matplotlib)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

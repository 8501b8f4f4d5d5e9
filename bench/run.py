#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs the benchmark's programs in turn and writes what they measured. ../bench.sh builds them and calls this.

README.md says what a program does. For each row and regime every program runs once a round, in an order that is rotated
from round to round, so that nobody always follows the same neighbour, and drift of the machine is shared by all.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import datetime
import fnmatch
import json
import math
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Nothing but results is left in the source tree.
sys.dont_write_bytecode = True
import report
from report import AGAIN, ONE_CORE, OURS, TWO_CORES, WEIR

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent

KINDS = {
    "unbounded": "seq hot spsc mpsc2 mpsc4 mpsc8 mpsc16 rtt oneshot clone parked queued idle burst "
    "spsc_64 spsc_512 spsc_4096 mpsc4_box select_rx select_both forkjoin4 ready10 ready100 ready1000 ready10000",
    "boundedN": "seq spsc mpsc4 select_rx select_both",
    "bounded1024": "hot spsc mpsc2 mpsc4 mpsc8 mpsc16 rtt parked spsc_64 spsc_512 spsc_4096",
    "bounded64": "spsc mpsc4 mpsc16_box pool4 task1 task2 to_task",
    "bounded1": "spsc mpsc4 mpsc16 mpsc4_box rtt chain4 oneshot parked idle task1 task2 to_task waiting",
    "bounded0": "spsc mpsc4 mpsc16 rtt parked select_rx select_both",
}
SCENARIOS = [f"{kind}_{shape}" for kind, shapes in KINDS.items() for shape in shapes.split()]

# Rows that no channel runs: what the compiler makes of the headers.
COMPILE_TIME = "compile_time"
CODE_BYTES = "code_bytes"
ROWS = [*SCENARIOS, COMPILE_TIME, CODE_BYTES]

MEMORY_SHAPES = ("queued", "idle", "burst", "waiting")
ONE_CORE_SHAPES = re.compile(r"spsc|mpsc\d+(_box)?|rtt|chain4|pool4|forkjoin4|parked")
QUICK_LEAVES_OUT = re.compile(r".*_(burst|mpsc2|mpsc8)|code_bytes")

LIMITS_PROGRAM = "limits"
LIMITS = (
    "xadd_alone",
    "xadd_two_threads",
    "line_round_trip",
    "futex_round_trip",
    "futex_wake_nobody",
    "membarrier",
    "pause",
    "yield",
    "clock",
    "copy_64",
    "copy_512",
    "copy_4096",
    "bare_unbounded_hot",
    "bare_unbounded_rtt",
    "bare_bounded1_spsc",
    "bare_bounded0_spsc",
)

# Messages a second, as README.md has it.
PARKED_RATE = 10_000

BURST_SECONDS = 60
# Each holds up to a gigabyte for a moment, and then only sleeps.
BURSTS_AT_ONCE = 4


@dataclass(frozen=True)
class Pace:
    """How thoroughly all is measured."""

    rounds: int
    # Of a row's most messages.
    share: float
    # How long a run of a row lasts, or, for streams, lasts at most.
    handover_seconds: float
    stream_seconds: float
    parked_seconds: float
    pilot_seconds: float
    limit_seconds: float
    # When a run is killed.
    patience: float
    # Seconds from the beginning; no row is begun after that.
    end: float


FULL = Pace(
    rounds=5,
    share=1,
    handover_seconds=0.3,
    stream_seconds=1,
    parked_seconds=1,
    pilot_seconds=0.005,
    limit_seconds=0.05,
    patience=60,
    end=math.inf,
)
QUICK = Pace(
    rounds=2,
    share=0.2,
    handover_seconds=0.1,
    stream_seconds=0.1,
    parked_seconds=0.05,
    pilot_seconds=0.002,
    limit_seconds=0.02,
    patience=5,
    end=130,
)


# Seconds that are too few for a run, its process and its pilots.
SHORT_OF_TIME = 0.03


@dataclass(frozen=True)
class Load:
    """How many messages a run of a row has: that many, or, with `seconds`, no more than take so long."""

    most: int
    seconds: float | None = None

    def messages_of(self, nanoseconds: float) -> int:
        """Where each takes so long."""
        if self.seconds is None:
            return self.most
        return min(self.most, int(self.seconds * 1e9 / max(nanoseconds, 0.1)))


def load_of(scenario: str, pace: Pace) -> Load:
    kind, shape = scenario.split("_", 1)
    if shape == "burst":
        return Load(10_000_000)
    if shape == "parked":
        return Load(int(PARKED_RATE * pace.parked_seconds))
    if shape in ("idle", "waiting"):
        return Load(int(20_000 * pace.share))
    if kind == "boundedN" or shape in ("seq", "queued"):
        # The memory touched is what these rows show; all programs must touch as much.
        return Load(int(5_000_000 * pace.share))
    if shape in ("oneshot", "clone"):
        # Many, or the first channel of the process, which may cost milliseconds, would be most of it.
        return Load(int(1_000_000 * pace.share))
    if shape in ("rtt", "forkjoin4"):
        return Load(int(1_000_000 * pace.share), pace.handover_seconds)
    if kind in ("bounded64", "bounded1", "bounded0"):
        return Load(int(5_000_000 * pace.share), pace.handover_seconds)
    # An unbounded channel may hold all of them at once. Not fewer either: for some hundredths of a second all threads may share a
    # processor.
    large = {"spsc_512": 1_500_000, "spsc_4096": 200_000} if kind == "unbounded" else {}
    most = large.get(shape, 5_000_000)
    return Load(int(most * pace.share), pace.stream_seconds)


def regimes_of(scenario: str, asked: Sequence[str]) -> list[str]:
    """One core changes nothing about memory, copies, or what one thread does."""
    shape = scenario.split("_", 1)[1]
    return [regime for regime in asked if regime == TWO_CORES or ONE_CORE_SHAPES.fullmatch(shape)]


class NothingToDo(Exception):
    """What was asked for is empty."""


class RunFailed(Exception):
    """A program that did not say what it measured; the text says why."""


@dataclass(frozen=True)
class Program:
    """A peer, or `limits`: what stands in README.md."""

    name: str
    path: Path
    info: dict[str, str]
    offers: frozenset[str]


def ask(path: Path, question: str) -> str:
    try:
        answer = subprocess.run([path, question], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise RunFailed(f"`{path.name} {question}` failed: {error}") from error
    return answer.stdout


def open_program(path: Path) -> Program:
    text = ask(path, "info")
    try:
        info = json.loads(text)
        chosen = {key: str(info[key]) for key in ("name", "version", "class")}
    except (ValueError, KeyError, TypeError) as error:
        raise RunFailed(f"`{path.name} info` said {text.strip()!r}") from error
    return Program(path.name, path, chosen, frozenset(ask(path, "list").split()))


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else "nothing on standard error"


def first_processor() -> int:
    """0, but where this process may not run there."""
    return min(os.sched_getaffinity(0))


def parse_result(text: str) -> dict[str, float]:
    try:
        found = {name: float(value) for name, value in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        found = {}
    if not found.keys() & {*report.TIMES, report.BYTES}:
        raise RunFailed(f"no result in its output {text.strip()[:200]!r}")
    return found


def run_once(
    program: Program, scenario: str, messages: int, regime: str, patience: float, *more: str
) -> dict[str, float]:
    """One run. If it takes longer than `patience` seconds it is killed, and nothing else is."""
    command = [str(program.path), "run", scenario, str(messages), *more]
    if regime == ONE_CORE:
        # It becomes the program, so that what is killed is the program.
        command = ["taskset", "-c", str(first_processor()), *command]
    try:
        # It kills the program that it started when the time is up, or when somebody interrupts us.
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=patience)
    except subprocess.TimeoutExpired:
        raise RunFailed(f"killed after {patience:.0f} s, with {messages} messages") from None
    except OSError as error:
        raise RunFailed(f"could not be started: {error}") from error
    if done.returncode < 0:
        raise RunFailed(f"ended by {signal.Signals(-done.returncode).name}")
    if done.returncode > 0:
        raise RunFailed(f"exit status {done.returncode}: {last_line(done.stderr)}")
    return parse_result(done.stdout)


def find_count(program: Program, scenario: str, regime: str, load: Load, pace: Pace) -> int:
    """How many messages the program gets: pilot runs, longer and longer, until one says how long a message takes."""
    if load.seconds is None:
        return load.most
    fewest = min(100, load.most)
    count = fewest
    took_before = math.inf
    while True:
        nanoseconds = max(run_once(program, scenario, count, regime, pace.patience)["ns"], 0.1)
        took = nanoseconds * count / 1e9
        wanted = max(fewest, load.messages_of(nanoseconds))
        # What comes once in a process, such as a first allocation, does not grow with the messages.
        is_long = took >= pace.pilot_seconds and took >= 2 * took_before
        if is_long or wanted <= count or count == load.most:
            return wanted
        took_before = took
        aim = int(1.5 * pace.pilot_seconds * 1e9 / nanoseconds)
        count = min(load.most, max(3 * count, min(100 * count, aim)))


def run_long_enough(
    program: Program, scenario: str, count: int, regime: str, load: Load, pace: Pace
) -> dict[str, float]:
    """One run, and how many messages it had.

    Threads that begin on one processor may take as long as a pilot lasts until the system moves one of them, and a pilot then
    says nothing about what comes after. So a run that is over in less than half its time is one more pilot.
    """
    while True:
        found = run_once(program, scenario, count, regime, pace.patience)
        wanted = load.messages_of(found.get("ns", 0))  # `parked` has none, nor a time that it takes at most
        if wanted < 2 * count:
            return {"messages": count, **found}
        count = wanted


class Progress:
    """What runs, and how long it will still take: on a terminal a line that changes, elsewhere a line now and then."""

    SECONDS_A_LINE = 10

    def __init__(self, steps: int, end: float) -> None:
        self._began = time.monotonic()
        self._stepping = self._began
        self._steps = steps
        self._done = 0
        self._end = end
        self._terminal = sys.stderr.isatty()
        self._next_line = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def steps_left(self) -> int:
        return max(self._steps - self._done, 1)

    def show(self, what: str) -> None:
        if self._terminal:
            print(f"\r\x1b[K{what}{self._left()}", end="", file=sys.stderr, flush=True)
        elif self.seconds >= self._next_line:
            self._next_line = self.seconds + self.SECONDS_A_LINE
            print(f"{what}{self._left()}", file=sys.stderr, flush=True)

    def _left(self) -> str:
        if not self._done:
            return ""
        left = (time.monotonic() - self._stepping) / self._done * self.steps_left
        left = max(min(left, self._end - self.seconds), 0)
        return f", {left / 60:.0f} min left" if left >= 90 else f", {left:.0f} s left"

    def begin_steps(self) -> None:
        """What was done until now says nothing about how long a step takes."""
        self._stepping = time.monotonic()

    def step(self, steps: int = 1) -> None:
        self._done += steps

    def close(self) -> None:
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@dataclass
class Measured:
    """What goes into the file, beside what the machine is."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    limits: dict[str, list[float]] = field(default_factory=dict)
    limit_failures: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A row in a regime, and who runs it."""

    scenario: str
    regime: str
    contestants: tuple[tuple[str, Program], ...]
    rounds: int

    @property
    def text(self) -> str:
        return f"{self.scenario}, {self.regime}"

    @property
    def steps(self) -> int:
        """A pilot for each counts as a run."""
        return len(self.contestants) * (self.rounds + 1)


def program_name(contestant: str) -> str:
    return WEIR if contestant == AGAIN else contestant


def contestants_of(scenario: str, programs: Iterable[Program]) -> tuple[tuple[str, Program], ...]:
    """Who offers the scenario, and Weir once more, apart from itself."""
    offering = [(program.name, program) for program in programs if scenario in program.offers]
    again = [(AGAIN, program) for name, program in offering if name == WEIR]
    middle = (len(offering) + 1) // 2
    return tuple(offering[:middle] + again + offering[middle:])


def make_jobs(scenarios: Iterable[str], regimes: Sequence[str], programs: Sequence[Program], rounds: int) -> list[Job]:
    jobs = []
    for scenario in scenarios:
        # Memory is the same in every round.
        row_rounds = 1 if scenario.endswith(MEMORY_SHAPES) else rounds
        for regime in regimes_of(scenario, regimes):
            jobs.append(Job(scenario, regime, contestants_of(scenario, programs), row_rounds))
    return [job for job in jobs if job.contestants]


class Runner:
    def __init__(self, pace: Pace, limits: Program | None, progress: Progress) -> None:
        self._pace = pace
        self._limits = limits
        self._progress = progress
        self.measured = Measured()

    def run(self, jobs: Sequence[Job]) -> None:
        """The limits are measured as often as a row has rounds, all along, so that they see the drift that rows see."""
        self._progress.begin_steps()
        timed = [job for job in jobs if not job.scenario.endswith("burst")]
        stops = [len(timed) * k // self._pace.rounds for k in range(self._pace.rounds)]
        for place, job in enumerate(timed):
            for _ in range(stops.count(place)):
                self.measure_limits()
            if self._progress.seconds > self._pace.end:
                self.measured.left_out[job.text] = f"the {self._pace.end:.0f} s were over"
            else:
                self.measured.rows.append(self.measure(job))
        for job in jobs:
            if job.scenario.endswith("burst"):
                self.measured.rows.append(self.measure_burst(job))

    def measure_limits(self) -> None:
        if self._limits is None:
            return
        for name in LIMITS:
            if name in self.measured.limit_failures:
                continue
            self._progress.show(f"limits: {name}")
            load = Load(100_000_000, self._pace.limit_seconds)
            try:
                count = find_count(self._limits, name, TWO_CORES, load, self._pace)
                found = run_once(self._limits, name, count, TWO_CORES, self._pace.patience)["ns"]
            except RunFailed as failure:
                self.measured.limit_failures[name] = str(failure)
            else:
                self.measured.limits.setdefault(name, []).append(found)

    def seconds_a_run(self) -> float:
        """What is left of the time is shared by the runs that are left."""
        return (self._pace.end - self._progress.seconds) / self._progress.steps_left

    def load(self, job: Job) -> Load:
        load = load_of(job.scenario, self._pace)
        return load if load.seconds is None else Load(load.most, min(load.seconds, max(self.seconds_a_run(), 0.01)))

    def measure(self, job: Job) -> dict[str, Any]:
        load = self.load(job)
        # A row with one round is better than no row.
        rounds = job.rounds if self.seconds_a_run() > SHORT_OF_TIME else 1
        if rounds < job.rounds:
            self.measured.left_out[f"{job.text}: all rounds but one"] = "time was short"
        runs: dict[str, list[dict[str, float]]] = {}
        failures: dict[str, str] = {}
        counts: dict[str, int] = {}
        self._progress.show(f"{job.text}: pilots")
        for _, program in job.contestants:
            # Weir comes twice, and is asked once.
            if program.name not in counts and program.name not in failures:
                try:
                    counts[program.name] = find_count(program, job.scenario, job.regime, load, self._pace)
                except RunFailed as failure:
                    failures[program.name] = f"pilot: {failure}"
            self._progress.step()
        for turn in range(rounds):
            self._progress.show(f"{job.text}: round {turn + 1} of {rounds}")
            first = turn * len(job.contestants) // rounds
            for name, program in job.contestants[first:] + job.contestants[:first]:
                self._progress.step()
                # One that was killed once would take as long again.
                if program.name in failures:
                    continue
                try:
                    found = run_long_enough(program, job.scenario, counts[program.name], job.regime, load, self._pace)
                except RunFailed as failure:
                    failures[program.name] = f"round {turn + 1}: {failure}"
                else:
                    counts[program.name] = int(found["messages"])
                    runs.setdefault(name, []).append(found)
        self._progress.step((job.rounds - rounds) * len(job.contestants))
        return {"scenario": job.scenario, "regime": job.regime, "runs": runs, "failures": failures}

    def measure_burst(self, job: Job) -> dict[str, Any]:
        """Several at once: they do nothing but sleep for most of the time, and nobody looks at theirs."""
        runs: dict[str, list[dict[str, float]]] = {}
        failures: dict[str, str] = {}
        count = load_of(job.scenario, self._pace).most
        patience = self._pace.patience + BURST_SECONDS
        with concurrent.futures.ThreadPoolExecutor(BURSTS_AT_ONCE) as pool:
            self._progress.show(f"{job.text}: {BURST_SECONDS} s a run, {BURSTS_AT_ONCE} at once")
            asked = {
                name: pool.submit(run_once, program, job.scenario, count, job.regime, patience, str(BURST_SECONDS))
                for name, program in job.contestants
            }
            try:
                for name, answer in asked.items():
                    try:
                        runs[name] = [{"messages": count, **answer.result()}]
                    except RunFailed as failure:
                        failures[program_name(name)] = str(failure)
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return {"scenario": job.scenario, "regime": job.regime, "runs": runs, "failures": failures}


# What the compiler makes of the headers

COMPILE = ("g++", "-std=c++23", "-O2", "-I", str(ROOT / "include"))

UMBRELLA = "#include <weir/weir.hpp>\n"

CODE_COUNTS = (1, 9)
CODE_PREFIX = """\
#include <weir/weir.hpp>
#include <cstdint>
#include <utility>

template <int>
struct message {
    std::uint64_t words[2];
};
"""
CODE_USES = {
    "channel": """
template <class T>
bool use(const T& sample) {
    auto [tx, rx] = weir::channel<T>();
    auto second = tx;
    return tx.send(sample).has_value() && second.send(sample).has_value() && rx.recv().has_value() &&
        rx.try_recv().has_value();
}
""",
    "sync_channel": """
template <class T>
bool use(const T& sample, std::size_t capacity) {
    auto [tx, rx] = weir::sync_channel<T>(capacity);
    auto second = tx;
    return tx.send(sample).has_value() && second.try_send(sample).has_value() && rx.recv().has_value() &&
        rx.try_recv().has_value();
}
""",
}
CODE_WHAT = (
    "Text size of an object file, `g++ -std=c++23 -O2`, that has one function for each message type. "
    "`channel`: it makes an unbounded channel, copies the sender, sends with both, calls recv and try_recv, and "
    "destroys all. `sync_channel`: the same with a capacity known only at run time (so the rendezvous is in it), send "
    f"and try_send. A type more: the difference quotient from {CODE_COUNTS[0]} type to {CODE_COUNTS[1]}."
)


def compile_file(source: Path) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    subprocess.run([*COMPILE, "-c", source, "-o", source.with_suffix(".o")], check=True)
    return (time.perf_counter() - began) * 1000


def headers_needed(source: Path) -> list[str]:
    """The headers that `source` and Weir's own open themselves: all that would be opened without Weir."""
    listing = subprocess.run(
        [*COMPILE, "-E", "-H", source, "-o", os.devnull], check=True, capture_output=True, text=True
    ).stderr
    ours = str(ROOT / "include" / "weir")
    parents = [True]
    needed = []
    for dots, path in re.findall(r"^(\.+) (.*)$", listing, re.MULTILINE):
        is_ours = path.startswith(ours)
        del parents[len(dots) :]
        if parents[-1] and not is_ours:
            needed.append(path)
        parents.append(is_ours)
    return needed


def write_sources(folder: Path) -> dict[str, Path]:
    """What is compiled, and beside each file one with the headers that it would include without Weir."""
    texts = {"hello.cpp": (ROOT / "examples" / "hello.cpp").read_text(encoding="utf-8"), "weir.hpp": UMBRELLA}
    sources: dict[str, Path] = {}
    for place, (name, text) in enumerate(texts.items()):
        whole, headers = folder / f"whole{place}.cpp", folder / f"headers{place}.cpp"
        whole.write_text(text, encoding="utf-8")
        headers.write_text("".join(f'#include "{path}"\n' for path in headers_needed(whole)), encoding="utf-8")
        sources |= {name: whole, f"the standard headers of {name}": headers}
    return sources


def measure_compile_time(rounds: int, progress: Progress) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        sources = write_sources(Path(name))
        found: dict[str, list[float]] = {source: [] for source in sources}
        for turn in range(rounds):
            progress.show(f"{COMPILE_TIME}: round {turn + 1} of {rounds}")
            for source, path in sources.items():
                found[source].append(compile_file(path))
    return {"command": "g++ -std=c++23 -O2 -c", "ms": found}


def code_source(use: str, types: int) -> str:
    more = ", std::size_t" if "capacity" in use else ""
    made = [f"template bool use(const message<{k}>&{more});\n" for k in range(types)]
    return CODE_PREFIX + use + "".join(made)


def text_bytes(source: Path) -> int:
    compile_file(source)
    listing = subprocess.run(["size", source.with_suffix(".o")], check=True, capture_output=True, text=True).stdout
    return int(listing.splitlines()[1].split()[0])


def measure_code_bytes(progress: Progress) -> dict[str, Any]:
    files = {}
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "code.cpp"
        for use, text in CODE_USES.items():
            sizes = []
            for types in CODE_COUNTS:
                progress.show(f"{CODE_BYTES}: {use}, {types} types")
                source.write_text(code_source(text, types), encoding="utf-8")
                sizes.append(text_bytes(source))
            files[use] = {"text": sizes, "a_type": (sizes[1] - sizes[0]) / (CODE_COUNTS[1] - CODE_COUNTS[0])}
    return {"what": CODE_WHAT, "counts": [str(count) for count in CODE_COUNTS], "files": files}


# What there is


def expected_peers() -> set[str]:
    """The names of all programs that there are sources of."""
    names = {path.stem for path in (BENCH / "peers").glob("*.cpp")}
    rust = {path.stem for path in (BENCH / "peers" / "rust").glob("*.rs")} - {"scenarios"}
    names |= {"rust_std" if name == "std" else name for name in rust}
    return names | {path.parent.name for path in (BENCH / "peers").glob("*/main.go")}


def why_missing(build: Path) -> dict[str, str]:
    """What the build could not make: lines of `NAME: reason` that bench.sh has left there."""
    try:
        lines = (build / "missing").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def find_programs(build: Path) -> tuple[dict[str, Program], dict[str, str]]:
    """The programs by name, and why others are missing."""
    missing = why_missing(build)
    programs = {}
    for path in sorted((build / "bin").glob("*")):
        if path.is_file() and os.access(path, os.X_OK):
            try:
                programs[path.name] = open_program(path)
            except RunFailed as failure:
                missing[path.name] = str(failure)
    for name in (expected_peers() | {LIMITS_PROGRAM}) - programs.keys() - missing.keys():
        missing[name] = "was not built"
    return programs, dict(sorted(missing.items()))


def first_line(*command: str) -> str | None:
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return found.splitlines()[0] if found else None


def compilers() -> dict[str, str]:
    versions = {
        "g++": first_line("g++", "--version"),
        "rustc": first_line("rustc", "--version"),
        "go": first_line("go", "version"),
    }
    return {name: version for name, version in versions.items() if version}


def processor_name() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else platform.machine()


def machine() -> dict[str, Any]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": processor_name(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_gib": round(pages / 2**30, 1),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "load": round(os.getloadavg()[0], 2),
    }


def commit() -> tuple[str, bool]:
    """The short name, and whether the tree differs from it; what earlier runs wrote does not count."""
    git = ("git", "-C", str(ROOT))
    name = first_line(*git, "rev-parse", "--short", "HEAD")
    changed = first_line(*git, "status", "--porcelain", "--", ".", ":!bench/results")
    return name or "unknown", changed is not None


def unused(folder: Path, stem: str) -> Path:
    """No earlier result is overwritten."""
    places: Iterator[Path] = (folder / f"{stem}{end}.json" for end in ("", *(f"-{k}" for k in range(2, 1000))))
    return next(path for path in places if not path.exists())


# The command line


def positive(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 9999")
    return int(text)


def rows_matching(text: str) -> list[str]:
    found = fnmatch.filter(ROWS, text)
    if not found:
        raise argparse.ArgumentTypeError(f"there is no row {text!r}; the rows are: {' '.join(ROWS)}")
    return found


def peers_named(text: str) -> list[str]:
    names = text.split(",")
    known = expected_peers()
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"there is no peer {unknown[0]!r}; the peers are: {' '.join(sorted(known))}")
    return names


class Parser(argparse.ArgumentParser):
    """Says what is wrong the way that the project's scripts do."""

    def error(self, message: str) -> Any:
        self.exit(2, f"{self.prog}: {message}; see ./bench.sh --help\n")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(prog="bench.sh", allow_abbrev=False, description="See ./bench.sh --help.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--row", dest="rows", action="extend", type=rows_matching, metavar="NAME")
    parser.add_argument("--peers", type=peers_named, metavar="A,B")
    parser.add_argument("--rounds", type=positive, metavar="N")
    cores = parser.add_mutually_exclusive_group()
    cores.add_argument("--one-core", dest="regimes", action="store_const", const=[ONE_CORE])
    cores.add_argument("--two-cores", dest="regimes", action="store_const", const=[TWO_CORES])
    parser.add_argument("--out", type=Path, default=BENCH / "results", metavar="DIR")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "bench", metavar="DIR")
    parser.add_argument("--check", action="store_true", help="only look whether the other options make sense")
    parser.set_defaults(regimes=[TWO_CORES, ONE_CORE])
    return parser.parse_args(arguments)


def chosen_rows(options: argparse.Namespace) -> list[str]:
    """In the table's order, whatever the order asked for."""
    if options.rows:
        return [name for name in ROWS if name in options.rows]
    return [name for name in ROWS if not (options.quick and QUICK_LEAVES_OUT.fullmatch(name))]


def chosen_peers(options: argparse.Namespace, programs: dict[str, Program]) -> list[Program]:
    names = [name for name in programs if name != LIMITS_PROGRAM]
    if options.peers:
        names = [name for name in names if name in OURS or name in options.peers]
    return [programs[name] for name in names]


def pace_of(options: argparse.Namespace) -> Pace:
    pace = QUICK if options.quick else FULL
    return Pace(**(vars(pace) | {"rounds": options.rounds})) if options.rounds else pace


def about(options: argparse.Namespace, pace: Pace, peers: Iterable[Program], missing: dict[str, str]) -> dict[str, Any]:
    name, dirty = commit()
    wanted = [*OURS, LIMITS_PROGRAM, *(options.peers or missing)]
    return {
        "commit": name,
        "dirty": dirty,
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "compilers": compilers(),
        "options": {"quick": options.quick, "rounds": pace.rounds, "only_peers": options.peers},
        "programs": {peer.name: peer.info for peer in peers},
        "missing": {name: reason for name, reason in missing.items() if name in wanted},
    }


def measure_all(options: argparse.Namespace, programs: dict[str, Program], missing: dict[str, str]) -> dict[str, Any]:
    pace = pace_of(options)
    rows = chosen_rows(options)
    peers = chosen_peers(options, programs)
    data = about(options, pace, peers, missing)
    jobs = make_jobs([row for row in rows if row in SCENARIOS], options.regimes, peers, pace.rounds)
    if not jobs and not {COMPILE_TIME, CODE_BYTES} & set(rows):
        raise NothingToDo("none of the rows asked for is run in that regime; see ./bench.sh --help")
    progress = Progress(sum(job.steps for job in jobs), pace.end)
    runner = Runner(pace, programs.get(LIMITS_PROGRAM), progress)
    try:
        data["compile_time"] = measure_compile_time(pace.rounds, progress) if COMPILE_TIME in rows else None
        data["code_bytes"] = measure_code_bytes(progress) if CODE_BYTES in rows else None
        runner.run(jobs)
    finally:
        progress.close()
    return data | vars(runner.measured)


def json_text(data: dict[str, Any]) -> str:
    """A row a line: so much can be read, and looks well in a difference."""
    rows = ",\n".join(json.dumps(row) for row in data["rows"])
    others = [f"{json.dumps(key)}: {json.dumps(value, indent=1)}" for key, value in data.items() if key != "rows"]
    return "{\n" + ",\n".join([*others, f'"rows": [\n{rows}\n]']) + "\n}\n"


def weir_failed(data: dict[str, Any]) -> bool:
    return any(name in row["failures"] for row in data["rows"] for name in OURS)


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    if options.check:
        return 0
    programs, missing = find_programs(options.build)
    if WEIR not in programs:
        print(f"run.py: {options.build / 'bin' / WEIR}: {missing.get(WEIR)}; ./bench.sh builds it", file=sys.stderr)
        return 2
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"run.py: {options.out}: {error.strerror}", file=sys.stderr)
        return 2
    try:
        data = measure_all(options, programs, missing)
    except NothingToDo as error:
        print(f"bench.sh: {error}", file=sys.stderr)
        return 2
    stem = f"{data['date']}-{data['commit']}{'-dirty' if data['dirty'] else ''}"
    path = unused(options.out, stem)
    path.write_text(json_text(data), encoding="utf-8")
    for file in (path, *report.write(path)):
        print(f"Wrote {file}")
    print(report.summary(path))
    return 1 if weir_failed(data) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nbench.sh: interrupted, nothing was written", file=sys.stderr)
        sys.exit(130)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Weakens each ordered atomic operation, and removes each protocol step of steps.toml, one at a time, and tells which test
notices.

All mutants are compiled into each test program at once; the environment says which of them is the case (mutated.hpp). So a
mutant costs a run of the tests, not a build. First it is checked that docs/design/memory_order.md names every ordered
operation and every step, and nothing else. A mutant that nothing notices must be explained there.

Exit status: 0 every mutant was noticed or is explained, 1 not so, 2 the sources, the steps or the document do not agree.
"""

import argparse
import importlib.machinery
import os
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sites import DOCUMENT, INCLUDE, ORDER, ROOT, all_sites, check_document, documented_steps, explained, without_comments  # noqa: E402

HERE = Path(__file__).resolve().parent
OUT = ROOT / "build" / "mutate"  # or where --build says
MODEL = ROOT / "verify" / "model"

THREAD = ["-O1", "-g1", "-fsanitize=thread", "-fno-omit-frame-pointer"]
ADDRESS = ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
PLAIN = ["-O1", "-g1"]
GTEST = ["-lgtest", "-lgtest_main"]


@dataclass
class Program:
    """Something that is built once, with all mutants in it."""
    name: str
    sources: list
    flags: list
    libraries: list = field(default_factory=list)
    includes: list = field(default_factory=list)


@dataclass
class Killer:
    """A run of a program: passes for the library as it is."""
    name: str
    program: Program
    arguments: list
    headers: str  # a pattern: mutants of which headers it may notice
    patience: float  # seconds; a run that lasts longer hangs
    notices: str = "os"  # o: weaker orders, s: missing steps


@dataclass
class Mutant:
    number: int
    header: str
    line: int
    name: str
    kind: str  # order or step
    result: str = ""
    seconds: float = 0


def unit(name):
    return [f"tests/unit/detail/{each}_test.cpp" for each in name.split()] + ["tests/unit/support/allocation.cpp"]


def conformance(names):
    return [f"tests/conformance/{name}.cpp" for name in names.split()]


def all_killers():
    """In the order in which they are asked: what costs little and notices much first."""
    protocols = Program("protocols", ["verify/mutate/killers/protocols.cpp"], [*THREAD, "-DWEIR_MEMBARRIER=0"])
    # The question of flag_word by a plain load: a read-modify-write there would order what is to be ordered elsewhere.
    unmasked = Program("protocols-unmasked", ["verify/mutate/killers/protocols.cpp"], [*THREAD, "-DWEIR_MEMBARRIER=1"])
    fuzz = Program("fuzz", ["verify/fuzz/replay.cpp", "verify/fuzz/allocation.cpp"], ADDRESS)
    wait = Program("unit_wait", unit("wait/debt_lock wait/flag_word wait/parker wait/receiver_wait wait/sender_wait "
                                     "wait/wait_list wait/stop"), PLAIN, GTEST, ["tests/unit"])
    flavor = Program("unit_flavor", unit("flavor/list flavor/look_ahead flavor/rendezvous flavor/ring flavor/list_block"),
                     PLAIN, GTEST, ["tests/unit"])
    detail = Program("unit_detail", unit("channel_core handles receiving nested_drop"), PLAIN, GTEST, ["tests/unit"])
    promises = Program("conformance", conformance("disconnect lifetime order rendezvous stall timing"), PLAIN, GTEST)
    promises_tsan = Program("conformance-tsan", conformance("disconnect lifetime order"), THREAD, GTEST)
    own = ["--gtest_brief=1"]
    lengthy = "--gtest_filter=-*parker*:*uses_no_processor_time*:*leaves_the_processor_alone*"
    everything = "."
    killers = []
    for kind, program in (("", protocols), (" (unmasked)", unmasked)):
        killers += [
            Killer("protocols parts" + kind, program, ["parts"], "wait/", 20),
            Killer("protocols list" + kind, program, ["list"], "list|look_ahead|channel|receiv|wait/", 20),
            Killer("protocols ring" + kind, program, ["ring"], "ring|look_ahead|blocking|channel|receiv|wait/", 20),
            Killer("protocols rendezvous" + kind, program, ["rendezvous"], "rendezvous|blocking|channel|receiv|wait/", 20),
        ]
    killers += [
        Killer("fuzz corpus", fuzz, ["verify/fuzz/corpus"], "list|ring|look_ahead|receiving|channel|nested", 60, "s"),
        Killer("unit_wait", wait, own, "wait/", 60, "s"),
        Killer("unit_detail", detail, own, "channel|receiving|nested|handles|wait/", 60, "s"),
        Killer("unit_flavor", flavor, own, "flavor/|channel|wait/", 120, "s"),
        Killer("conformance", promises, [*own, lengthy], everything, 240, "s"),
        Killer("conformance (thread sanitizer)", promises_tsan, own, everything, 240, "o"),
    ]
    return killers + model_killers()


def model_killers():
    """The models' quick sets: all interleavings, and what weak memory allows, up to a bound."""
    if not (MODEL / "run").exists():
        print("mutate: there are no models here", file=sys.stderr)
        return []
    sys.path.append(str(MODEL))
    models = importlib.machinery.SourceFileLoader("model_run", str(MODEL / "run")).load_module()
    OUT.mkdir(parents=True, exist_ok=True)
    relacy = models.prepare_relacy(OUT)
    common = "receiver_wait|flag_word|debt_lock|channel|receiving"
    headers = {"wait": "wait/", "list": f"list|look_ahead|{common}", "ring": f"ring|look_ahead|blocking|wait/|{common}",
               "rendezvous": f"rendezvous|blocking|wait/|{common}", "lifetime": f"flavor/(list|ring|rend)|look_ahead|{common}"}
    killers = []
    for name, variant in models.RUNS:
        program = Program(f"model-{name}-{variant}", [f"verify/model/{name}.cpp"],
                          ["-O2", "-DNDEBUG", "-isystem", str(relacy), *models.VARIANTS[variant]], [],
                          ["verify/model/platform", "verify/model"])
        killers.append(Killer(f"model {name} ({variant})", program, ["--quick"], headers.get(name, "."), 300))
    return killers


# ---- Mutants ----

def read_steps():
    return tomllib.loads((HERE / "steps.toml").read_text())["step"]


def make_mutants():
    """Writes the mutated headers; returns the mutants."""
    steps = read_steps()
    sites = all_sites()
    wrong = check_document(sites)
    texts = {path: path.read_text() for path in sorted(INCLUDE.rglob("*.hpp"))}
    mutants = []
    number = 1
    for step in steps:
        path = INCLUDE / step["header"]
        found = path.read_text().count(step["old"])
        if found != 1 or "MUTANT" not in step["new"]:
            wrong.append(f"steps.toml: {step['name']}: found {found} times in {step['header']}, or without MUTANT")
            continue
        line = path.read_text()[:path.read_text().index(step["old"])].count("\n") + 1
        if step["old"] not in texts[path]:
            wrong.append(f"steps.toml: {step['name']}: overlaps another step")
            continue
        texts[path] = texts[path].replace(step["old"], step["new"].replace("MUTANT", f"::weir_mutation::is({number})"))
        mutants.append(Mutant(number, step["header"], line, step["name"], "step"))
        number += 1
    documented = documented_steps()
    names = [step["name"] for step in steps]
    wrong += [f"{DOCUMENT.name} does not list the step: {name}" for name in names if name not in documented]
    wrong += [f"steps.toml does not have the step: {name}" for name in documented if name not in names]

    by_header = {}
    for site in sites:
        by_header.setdefault(site.header, []).append(site)
    for header, own in by_header.items():
        path = INCLUDE / header
        tokens = list(ORDER.finditer(without_comments(texts[path])))
        if [token.group(1) for token in tokens] != [site.order for site in own]:
            wrong.append(f"steps.toml: a step of {header} adds or takes away an ordered operation")
            continue
        text = texts[path]
        first = number
        firsts = []
        for site in own:
            firsts.append(first)
            for weaker in site.weaker():
                mutants.append(Mutant(first, header, site.line, f"{site.name}: {site.order} to {weaker}", "order"))
                first += 1
        for token, site, begin in reversed(list(zip(tokens, own, firsts))):
            weaker = ", ".join(f"memory_order_{order}" for order in site.weaker())
            text = (text[:token.start()] + f"::weir_mutation::order({begin}, {token.group()}, {weaker})"
                    + text[token.end():])
        texts[path] = text
        number = first
    known = {mutant.name for mutant in mutants}
    wrong += [f"{DOCUMENT.name} explains what there is not: {name}" for name in explained() if name not in known]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        sys.exit(2)
    for path, text in texts.items():
        copy = OUT / "include" / path.relative_to(INCLUDE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_text() != text:
            copy.write_text(text)
    return mutants


# ---- Programs ----

class Builder:
    """Builds each program when it is first asked for."""

    def __init__(self):
        self.locks = {}
        self.paths = {}
        self.lock = threading.Lock()

    def path_of(self, program):
        with self.lock:
            own = self.locks.setdefault(program.name, threading.Lock())
        with own:
            if program.name not in self.paths:
                self.paths[program.name] = self.build(program)
        return self.paths[program.name]

    def build(self, program):
        began = time.monotonic()
        folder = OUT / program.name
        folder.mkdir(parents=True, exist_ok=True)
        includes = [f"-I{ROOT / each}" for each in program.includes] + [f"-I{OUT / 'include'}"]
        compiler = [*os.environ.get("CCACHE", "").split(), os.environ.get("CXX", "g++")]
        flags = ["-std=c++23", "-w", "-pthread", *program.flags, "-include", str(HERE / "mutated.hpp"), *includes]
        objects = []
        for source in program.sources:
            made = folder / (Path(source).stem + ".o")
            objects.append(made)
            self.call([*compiler, *flags, "-c", ROOT / source, "-o", made])
        self.call([*compiler, *flags, *objects, *program.libraries, "-o", folder / "program"])
        print(f"built {program.name} in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        return folder / "program"

    @staticmethod
    def call(command):
        if subprocess.run([str(each) for each in command]).returncode != 0:
            print(f"mutate: {command[-1]} could not be built: a mutant that does not compile is no mutant", file=sys.stderr)
            os._exit(2)


def randomization_is_too_wide():
    try:
        return int(Path("/proc/sys/vm/mmap_rnd_bits").read_text()) > 28
    except (OSError, ValueError):
        return False


PREFIX = ["setarch", "-R"] if randomization_is_too_wide() else []


def run(killer, path, number, patience):
    """None where it passes; else what happened."""
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1 report_signal_unsafe=0", "WEIR_MUTANT": str(number),
                   "ASAN_OPTIONS": "detect_stack_use_after_return=1"}
    process = subprocess.Popen([*PREFIX, path, *killer.arguments], cwd=ROOT, env=environment, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        told, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "hangs"
    if process.returncode == 0:
        return None
    told = told.decode(errors="replace")
    for pattern in (r"WARNING: ThreadSanitizer: ([\w -]+)", r"ERROR: AddressSanitizer: ([\w-]+)", r"runtime error: (.*)",
                    r'"result": "(?!ok)([\w ]+)"', r"\[  FAILED  \] ([\w./]+)", r"(?:protocols|fuzz|weir): (.*)"):
        if match := re.search(pattern, told):
            return match.group(1).strip()[:80]
    return f"exit status {process.returncode}"


def ask(killer, builder, mutant):
    """What the killer says of the mutant; None: nothing."""
    path = builder.path_of(killer.program)
    happened = run(killer, path, mutant.number, killer.patience)
    if happened == "hangs":  # or is the machine busy?
        happened = run(killer, path, mutant.number, 2 * killer.patience)
    return happened


def kill(mutant, killers, builder):
    began = time.monotonic()
    letter = "o" if mutant.kind == "order" else "s"
    for killer in killers:
        if letter in killer.notices and re.search(killer.headers, mutant.header.removeprefix("weir/detail/")):
            if happened := ask(killer, builder, mutant):
                mutant.result = f"{killer.name}: {happened}"
                break
    mutant.seconds = time.monotonic() - began
    return mutant


# ---- Telling ----

def told_of(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return "?"


def report(mutants, seconds):
    known = set(explained())
    killed = [each for each in mutants if each.result]
    survived = [each for each in mutants if not each.result]
    unexplained = [each for each in survived if each.name not in known]
    lines = [f"{len(killed)} of {len(mutants)} mutants were noticed; {len(survived) - len(unexplained)} of the others are "
             f"explained, {len(unexplained)} are not.",
             "",
             f"Commit {told_of(['git', 'rev-parse', '--short', 'HEAD'])}, {told_of(['g++', '--version'])}, "
             f"{seconds / 60:.0f} minutes.",
             "", "| mutant | noticed by |", "|---|---|"]
    for mutant in mutants:
        result = mutant.result or ("survives, explained" if mutant.name in known else "**survives**")
        lines.append(f"| {mutant.name} | {result} |")
    stale = [each.name for each in killed if each.name in known]
    return "\n".join(lines) + "\n", unexplained, stale


def main():
    parser = argparse.ArgumentParser(prog="mutate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the mutants instead of running them")
    parser.add_argument("--check", action="store_true", help="only hold steps.toml and the document to the sources")
    parser.add_argument("--only", action="append", default=[], metavar="FILE[:LINE]", help="only mutants there; may be repeated")
    parser.add_argument("--kind", default="", choices=["order", "step"], help="only weaker orders, or only missing steps")
    parser.add_argument("--quick", action="store_true", help="a sample that takes about a minute, by the cheapest programs")
    parser.add_argument("--killer", action="append", default=[], metavar="NAME", help="only killers whose names contain NAME")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many runs at a time (2)")
    parser.add_argument("--build", type=Path, metavar="FOLDER", help="where to build (build/mutate)")
    parser.add_argument("--output", metavar="FILE", help="write the table there as well")
    asked = parser.parse_args()

    global OUT
    OUT = asked.build.resolve() if asked.build else OUT
    began = time.monotonic()
    mutants = make_mutants()
    for only in asked.only:
        file, _, line = only.partition(":")
        mutants = [each for each in mutants if each.header.endswith(file) and line in ("", str(each.line))]
    mutants = [each for each in mutants if asked.kind in ("", each.kind)]
    if asked.check or asked.list:
        for mutant in mutants if asked.list else []:
            print(f"{mutant.number:4} {mutant.header}:{mutant.line} {mutant.name}")
        print(f"{len(mutants)} mutants")
        return 0
    killers = [each for each in all_killers() if not asked.killer or any(name in each.name for name in asked.killer)]
    if asked.quick:
        killers = [each for each in killers if each.program.name == "protocols"]
        orders = [each for each in mutants if each.kind == "order" and each.name.endswith("relaxed")
                  and each.name not in explained() and "seq_cst" not in each.name]
        mutants = orders[::max(1, len(orders) // 8)]

    builder = Builder()
    innocent = Mutant(0, "", 0, "none", "order")
    with ThreadPoolExecutor(asked.jobs) as pool:
        for killer, happened in zip(killers, pool.map(lambda each: ask(each, builder, innocent), killers)):
            if happened:
                print(f"mutate: {killer.name} fails without a mutant: {happened}", file=sys.stderr)
                return 1
        done = []
        for mutant in pool.map(lambda each: kill(each, killers, builder), mutants):
            print(f"{mutant.seconds:5.1f} s  {mutant.name}: {mutant.result or 'SURVIVES'}", flush=True)
            done.append(mutant)
    text, unexplained, stale = report(done, time.monotonic() - began)
    if asked.output:
        Path(asked.output).write_text(text)
    print(text.splitlines()[0])
    for mutant in unexplained:
        print(f"survives without an explanation: {mutant.name}")
    for name in stale:
        print(f"noticed, though explained as never noticed: {name}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())

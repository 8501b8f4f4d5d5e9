#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Weakens each ordered atomic operation, and removes each protocol step of steps.toml, one at a time, and tells which test
notices.

All mutants are compiled into each test program at once; the environment says which of them is the case (mutated.hpp). So a
mutant costs a run of the tests, not a build. First it is checked that docs/design/memory_order.md names every ordered
operation and every step, and nothing else. A mutant that nothing notices must be explained there.

What the last run found is in docs/design/mutation.md. Whatever noticed a mutant then is asked first now.

Exit status: 0 every mutant was noticed or is explained, 1 not so, 2 the sources, the steps or the document do not agree.
"""

import argparse
import hashlib
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
from sites import DOCUMENT, INCLUDE, ORDER, ROOT, all_sites, check_document, documented_steps, explained, tables, without_comments  # noqa: E402

HERE = Path(__file__).resolve().parent
OUT = ROOT / "build" / "mutate"  # or where --build says
COMPILER = os.environ.get("CXX", "g++")
MODEL = ROOT / "verify" / "model"
TABLE = ROOT / "docs" / "design" / "mutation.md"

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
    objects: list = field(default_factory=list)  # that are there already


@dataclass
class Killer:
    """A run of a program: passes for the library as it is."""
    name: str
    program: Program
    arguments: list
    headers: str  # a pattern: mutants of which headers it may notice
    patience: float  # seconds; a run that lasts longer hangs
    notices: str = "os"  # kinds of mutants, as below


@dataclass
class Mutant:
    number: int
    header: str
    line: int
    name: str
    kind: str  # order or step
    noticed_by: str = ""  # a killer's name
    told: str = ""
    seconds: float = 0

    def letter(self):
        """f: an order between threads is left, only the single order of all seq_cst operations is not; o: another weaker
        order; s: a missing step."""
        if self.kind == "step":
            return "s"
        return "f" if re.search(r"seq_cst to (?!relaxed)", self.name) else "o"


def unit(name):
    return [f"tests/unit/detail/{each}_test.cpp" for each in name.split()] + ["tests/unit/support/allocation.cpp"]


def conformance(names):
    return [f"tests/conformance/{name}.cpp" for name in names.split()]


def sanitizer_killers():
    """Programs under the thread sanitizer, which knows nothing of the single order of seq_cst operations."""
    protocols = Program("protocols", ["verify/mutate/killers/protocols.cpp"], [*THREAD, "-DWEIR_MEMBARRIER=0"])
    # The question of flag_word by a plain load: a read-modify-write there would order what is to be ordered elsewhere.
    unmasked = Program("protocols-unmasked", ["verify/mutate/killers/protocols.cpp"], [*THREAD, "-DWEIR_MEMBARRIER=1"])
    killers = []
    for kind, program in (("", protocols), (" (unmasked)", unmasked)):
        killers += [
            Killer("protocols parts" + kind, program, ["parts"], "wait/", 20, "o"),
            Killer("protocols list" + kind, program, ["list"], "list|spare|look_ahead|channel|receiv|wait/", 20, "o"),
            Killer("protocols ring" + kind, program, ["ring"], "ring|look_ahead|blocking|channel|receiv|wait/", 20, "o"),
            Killer("protocols rendezvous" + kind, program, ["rendezvous"], "rendezvous|blocking|channel|receiv|wait/", 20, "o"),
            Killer("protocols select" + kind, program, ["select"], "select/|rendezvous|close_watch|waiter|wait_list|_wait", 20, "o"),
            Killer("protocols coroutine" + kind, program, ["coroutine"], "async|completions|waiter|_wait|rendezvous|ring", 20, "o"),
            Killer("protocols operation" + kind, program, ["operation"], "channel_base", 20, "o"),
            Killer("protocols descriptor" + kind, program, ["descriptor"], "posix|watched|waiter|_wait", 20, "o"),
        ]
    return killers


def model_killers():
    """The models under Relacy: all interleavings and what weak memory allows, up to a bound; then some at random."""
    sys.path.append(str(MODEL))
    models = importlib.machinery.SourceFileLoader("model_run", str(MODEL / "run")).load_module()
    if not models.RELACY.exists():
        print("mutate: without Relacy (Debian: relacy-dev) the models are left out", file=sys.stderr)
        return []
    OUT.mkdir(parents=True, exist_ok=True)
    models.prepare_relacy(OUT)
    runner = OUT / "run.o"
    if problem := models.compile_program(argparse.Namespace(compiler=COMPILER), OUT, None, "membarrier", runner):
        print(problem, file=sys.stderr)
        sys.exit(2)
    both = "wait/(?!portable|futex|close)|channel_|receiving|blocking"
    headers = {"wait": "wait/(?!portable)|flavor/(list|spare|ring)|channel_base|receiving|blocking",
               "list": f"list|spare|look_ahead|{both}", "ring": f"ring|look_ahead|{both}", "rendezvous": f"rendezvous|{both}",
               "lifetime": f"flavor/(list|spare|ring|rend)|close_watch|{both}",
               "select": f"select/|close_watch|flavor/(rend|ring)|{both}", "async": f"async|completions|flavor/(rend|ring)|{both}",
               "portable": "portable"}
    order = ["wait", "async", "lifetime", "list", "rendezvous", "ring", "select"]
    killers = []
    # At random any number of loads may be stale, which is what a weak order takes; a missing step wants some interleaving.
    quick = ("", ["--quick"])
    at_random = (" at random", ["--random", "--amount", "10000"])
    for (how, arguments), notices in ((at_random, "fo"), (quick, "fos"), (at_random, "s")):
        for name, variant in sorted(models.RUNS, key=lambda run: order.index(run[0])):
            program = Program(f"model-{name}-{variant}", [f"verify/model/{name}.cpp"],
                              ["-O1", "-DNDEBUG", "-isystem", str(OUT / "relacy"), *models.VARIANTS[variant]], [],
                              ["verify/model/platform", "verify/model"], [runner])
            killers.append(Killer(f"models {name} ({variant}){how}", program, ["--until-failure", *arguments],
                                  headers[variant if variant == "portable" else name], 300, notices))
    return killers


def test_killers():
    """The fuzzer's corpus, and the tests."""
    fuzz = Program("fuzz", [f"verify/fuzz/{name}.cpp" for name in ("replay", "fuzz", "kinds_copied", "kinds_moved", "allocation")],
                   ADDRESS)
    wait = Program("unit_wait", unit("wait/close_watch wait/debt_lock wait/flag_word wait/parker wait/receiver_wait "
                                     "wait/sender_wait wait/wait_list wait/stop wait/completions wait/async_wait"), PLAIN, GTEST, ["tests/unit"])
    flavor = Program("unit_flavor", unit("flavor/blocking_send flavor/list flavor/look_ahead flavor/rendezvous flavor/ring flavor/list_block"),
                     PLAIN, GTEST, ["tests/unit"])
    detail = Program("unit_detail", unit("channel_core handles receiving nested_drop select/select_core"), PLAIN, GTEST,
                     ["tests/unit"])
    promises = Program("conformance", conformance("disconnect lifetime order rendezvous select selector stall timing"),
                       PLAIN, GTEST)
    coro = Program("coro", ["tests/coro/destroying.cpp", "tests/coro/operations.cpp"], [*PLAIN, "-DWEIR_INJECTION=1"], GTEST)
    posix = Program("posix", [f"tests/posix/{name}.cpp" for name in ("interleavings", "ends", "timers", "event_loops")],
                    [*PLAIN, "-DWEIR_INJECTION=1"], GTEST)
    injection = Program("injection", [f"tests/injection/{name}.cpp" for name in ("stalled", "waking")],
                        [*PLAIN, "-DWEIR_INJECTION=1"], GTEST)
    asio = Program("asio", [f"tests/asio/{name}.cpp" for name in ("destroying", "operations")],
                   [*PLAIN, "-DWEIR_INJECTION=1"], GTEST)
    has_asio = Path("/usr/include/asio.hpp").exists()
    if not has_asio:
        print("mutate: without Asio (Debian: libasio-dev) its operations are left out", file=sys.stderr)
    own = ["--gtest_brief=1", "--gtest_fail_fast"]  # what comes after a failure may hang
    lengthy = "--gtest_filter=-*parker*:*uses_no_processor_time*:*leaves_the_processor_alone*"
    return [
        Killer("fuzz corpus", fuzz, ["verify/fuzz/corpus"], "list|spare|ring|look_ahead|receiving|channel|nested", 60, "s"),
        Killer("unit_wait", wait, own, "wait/", 60, "s"),
        Killer("unit_detail", detail, own, "channel|receiving|nested|handles|wait/|select/", 60, "s"),
        Killer("unit_flavor", flavor, own, "flavor/|channel|wait/", 90, "s"),
        Killer("coro", coro, own, "async|completions|coro/|receiving_wait|sending_wait|flavor/|wait/", 90, "s"),
        # A loop that is told of nothing hangs; so it is asked last.
        Killer("posix", posix, [*own, "--gtest_filter=-*loops*:event_loop*"], "posix|watched|wait/", 60, "s"),
        Killer("posix loops", posix, [*own, "--gtest_filter=*loops*:event_loop*"], "posix|watched|wait/", 90, "s"),
        *([Killer("asio", asio, own, "asio/|channel_base|receiving_wait|sending_wait|async|completions", 90, "os")] * has_asio),
        Killer("injection", injection, own, "flavor/|wait/", 150, "s"),
        Killer("conformance", promises, [*own, lengthy], ".", 150, "s"),
    ]


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
        made_of = folder / "made_of"
        key = self.key_of(program)
        if made_of.exists() and made_of.read_text() == key:
            return folder / "program"
        includes = [f"-I{ROOT / each}" for each in program.includes] + [f"-I{OUT / 'include'}"]
        compiler = [*os.environ.get("CCACHE", "").split(), COMPILER]
        flags = ["-std=c++23", "-w", "-pthread", *program.flags, "-include", str(HERE / "mutated.hpp"), *includes]
        objects = list(program.objects)
        for source in program.sources:
            made = folder / (Path(source).stem + ".o")
            objects.append(made)
            self.call([*compiler, *flags, "-c", ROOT / source, "-o", made])
        self.call([*compiler, *flags, *objects, *program.libraries, "-o", folder / "program"])
        made_of.write_text(key)
        print(f"built {program.name} in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        return folder / "program"

    @staticmethod
    def key_of(program):
        """Changes with whatever the program is made of."""
        folders = {OUT / "include", HERE / "mutated.hpp", *(ROOT / each for each in program.includes),
                   *((ROOT / source).parent for source in program.sources)}
        files = sorted({file for folder in folders for file in [folder, *folder.rglob("*")] if file.suffix in (".hpp", ".cpp")})
        made_of = hashlib.sha256(repr((COMPILER, program)).encode())
        for file in files:
            made_of.update(file.read_bytes())
        return made_of.hexdigest()

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
        happened = run(killer, path, mutant.number, killer.patience)
    if happened and killer.name not in innocent_killers:
        if wrong := run(killer, path, 0, 3 * killer.patience):
            print(f"mutate: {killer.name} fails without a mutant: {wrong}", file=sys.stderr, flush=True)
            os._exit(1)
        innocent_killers.add(killer.name)
    return happened


innocent_killers = set()  # seen to find nothing wrong with the library as it is


def kill(mutant, killers, builder, last):
    """Asks one after the other, first whatever noticed the mutant in the last run."""
    began = time.monotonic()
    killers = [killer for killer in killers if mutant.letter() in killer.notices
               and re.search(killer.headers, mutant.header.removeprefix("weir/detail/"))]
    for killer in sorted(killers, key=lambda killer: killer.name != last.get(mutant.name)):
        if happened := ask(killer, builder, mutant):
            mutant.noticed_by = killer.name
            mutant.told = happened
            break
    mutant.seconds = time.monotonic() - began
    return mutant


# ---- Telling ----

SURVIVES = "**survives**"
EXPLAINED = "survives, [explained](memory_order.md#what-no-test-can-tell)"


def told_of(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return "?"


class Report:
    """The table of mutants. What was not run this time stays as it is in the file."""

    def __init__(self, path, mutants):
        text = path.read_text() if path.exists() else ""
        self.path = path
        self.shown = {mutant.name: f"`{mutant.name}`" if mutant.kind == "order" else mutant.name for mutant in mutants}
        known = {shown: name for name, shown in self.shown.items()}
        self.rows = {known[cells[0]]: cells[1:] for _, cells in tables(text) if cells[0] in known}
        self.runs = re.findall(r"^- (Commit .*)$", text, flags=re.M)
        self.explained = set(explained())

    def noticed_by(self):
        return {name: cells[0] for name, cells in self.rows.items() if cells[0] and "survives" not in cells[0]}

    def add(self, mutant):
        survives = EXPLAINED if mutant.name in self.explained else SURVIVES
        self.rows[mutant.name] = [mutant.noticed_by or survives, mutant.told.replace("|", "/")]

    def summary(self):
        survivors = [name for name in self.rows if name not in self.noticed_by()]
        explained_ones = sum(name in self.explained for name in survivors)
        return (f"{len(self.rows) - len(survivors)} of {len(self.rows)} mutants are noticed, {explained_ones} are explained, "
                f"{len(survivors) - explained_ones} survive.")

    def write(self, path, runs):
        lines = ["# Mutants", "",
                 "Written by `./verify.sh mutate --output docs/design/mutation.md`; what it means is in "
                 "[verification.md](verification.md#mutation).", "",
                 self.summary(), ""]
        lines += [f"- {run}" for run in runs]
        lines += ["", "| mutant | noticed by | as |", "|---|---|---|"]
        lines += [f"| {shown} | {' | '.join(self.rows[name])} |" for name, shown in self.shown.items() if name in self.rows]
        path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(prog="mutate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the mutants instead of running them")
    parser.add_argument("--check", action="store_true", help="only hold steps.toml and the document to the sources")
    parser.add_argument("--only", action="append", default=[], metavar="FILE[:LINE]", help="only mutants there; may be repeated")
    parser.add_argument("--kind", default="", choices=["order", "step"], help="only weaker orders, or only missing steps")
    parser.add_argument("--quick", action="store_true", help="a sample of what the model of waiting noticed: one minute")
    parser.add_argument("--killer", action="append", default=[], metavar="NAME", help="only killers whose names contain NAME")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many runs at a time (2)")
    parser.add_argument("--build", type=Path, metavar="FOLDER", help="where to build (build/mutate)")
    parser.add_argument("--output", type=Path, metavar="FILE",
                        help="write the table there; mutants that are not run now keep their row in it")
    parser.add_argument("--resume", action="store_true", help="leave out the mutants that the table has a killer for")
    asked = parser.parse_args()

    global OUT
    OUT = asked.build.resolve() if asked.build else OUT
    began = time.monotonic()
    everything = mutants = make_mutants()
    if asked.only:
        places = [only.partition(":") for only in asked.only]
        mutants = [each for each in mutants
                   if any(each.header.endswith(file) and line in ("", str(each.line)) for file, _, line in places)]
    mutants = sorted((each for each in mutants if asked.kind in ("", each.kind)), key=lambda mutant: mutant.kind)
    if asked.check or asked.list:
        for mutant in mutants if asked.list else []:
            print(f"{mutant.number:4} {mutant.header}:{mutant.line} {mutant.name}")
        print(f"{len(mutants)} mutants")
        return 0
    report = Report(asked.output or TABLE, everything)
    last = report.noticed_by()
    if asked.resume:
        mutants = [each for each in mutants if each.name not in last]
    if asked.quick:
        # A model draws the same executions each time; whether the sanitizer sees a race depends on how the threads meet.
        killers = [each for each in model_killers() if each.program.name == "model-wait-membarrier"]
        names = [each.name for each in killers]
        mutants = [each for each in mutants if last.get(each.name) in names]
        mutants = mutants[::max(1, len(mutants) // 8)]
    else:
        killers = [each for make in (sanitizer_killers, model_killers, test_killers) for each in make()
                   if not asked.killer or any(name in each.name for name in asked.killer)]
    if not mutants:
        print(f"no mutants: {report.path.name} has none, or --only, --kind and --resume leave none")
        return 2

    builder = Builder()
    ran = (f"Commit {told_of(['git', 'rev-parse', '--short', 'HEAD'])}, {told_of([COMPILER, '--version'])}, "
           f"{len(mutants)} mutants")
    done = []

    with ThreadPoolExecutor(asked.jobs) as pool:
        for mutant in pool.map(lambda each: kill(each, killers, builder, last), mutants):
            print(f"{mutant.seconds:5.1f} s  {mutant.name}: "
                  f"{mutant.noticed_by + ': ' + mutant.told if mutant.noticed_by else 'SURVIVES'}", flush=True)
            done.append(mutant)
            report.add(mutant)
            if asked.output:
                minutes = (time.monotonic() - began) / 60
                report.write(asked.output, [*report.runs, f"{ran}, {minutes:.0f} minutes"])
    print(report.summary())
    unexplained = [each.name for each in done if not each.noticed_by and each.name not in report.explained]
    for name in unexplained:
        print(f"survives without an explanation: {name}")
    for mutant in done:
        if mutant.noticed_by and mutant.name in report.explained:
            print(f"noticed, though explained as never noticed: {mutant.name}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())

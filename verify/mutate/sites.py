# SPDX-License-Identifier: BSL-1.0
"""Finds the ordered atomic operations of the library, and holds docs/design/memory_order.md to them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
INCLUDE = ROOT / "include"
DOCUMENT = ROOT / "docs" / "design" / "memory_order.md"

# Not part of any protocol: the names themselves, a barrier for the compiler, a hook of tests.
NOT_OURS = {"atomic.hpp", "membarrier.hpp", "injection.hpp"}

ORDER = re.compile(r"(?<![:\w])memory_order_(acquire|release|acq_rel|seq_cst)\b")
OPERATION = re.compile(r"(\w+)(\((?:[^()]|\([^()]*\))*\))?(?:\.|->)(load|store|exchange|fetch_\w+|compare_exchange_\w+)\(")
NOT_FUNCTIONS = {"if", "for", "while", "switch", "catch", "return", "noexcept", "requires", "alignas", "decltype", "sizeof"}


@dataclass
class Site:
    header: str  # below include/
    line: int
    function: str
    word: str
    operation: str
    order: str
    is_failure: bool  # the order of a compare-exchange that fails
    name: str = ""

    def weaker(self):
        """The orders to put in its place."""
        if self.order == "acq_rel":
            return ["acquire", "release", "relaxed"]
        if self.order != "seq_cst":
            return ["relaxed"]
        if self.operation == "load" or self.is_failure:
            return ["acquire", "relaxed"]
        return ["release" if self.operation == "store" else "acq_rel", "relaxed"]


def without_comments(text):
    """The text with comments and preprocessor lines blanked, so that every place stays where it is."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    text = re.sub(r"//[^\n]*", blank, text)
    return re.sub(r"^[ \t]*#[^\n]*", blank, text, flags=re.M)


def functions_of(code):
    """A function from a place in the code to the name of the outermost function that it is in."""
    spans = []
    open_braces = []
    start = 0
    for at, character in enumerate(code):
        if character == "{":
            names = [name for name in re.findall(r"(~?\w+)\s*\(", code[start:at]) if name not in NOT_FUNCTIONS]
            open_braces.append((at, names[0] if names else None))
        elif character == "}":
            began, name = open_braces.pop()
            if name is not None:
                spans.append((began, at, name))
        if character in ";{}":
            start = at + 1

    def function_at(place):
        around = [span for span in spans if span[0] < place < span[1]]
        return min(around)[2] if around else "?"
    return function_at


def sites_in(path):
    code = without_comments(path.read_text())
    function_at = functions_of(code)
    found = []
    for token in ORDER.finditer(code):
        operation = [each for each in OPERATION.finditer(code, 0, token.start())][-1]
        if ";" in code[operation.end():token.start()]:
            raise ValueError(f"{path}: {token.group()} is an argument of what?")
        is_failure = operation.group(3).startswith("compare") and "memory_order_" in code[operation.end():token.start()]
        found.append(Site(str(path.relative_to(INCLUDE)), code.count("\n", 0, token.start()) + 1,
                          function_at(token.start()), operation.group(1), operation.group(3), token.group(1), is_failure))
    return found


def all_sites():
    """In the order of files and lines. Each has a name of its own, which stays when lines move."""
    paths = sorted(path for path in INCLUDE.rglob("*.hpp") if path.name not in NOT_OURS)
    found = [site for path in paths for site in sites_in(path)]
    seen = {}
    for site in found:
        name = f"{site.header.removeprefix('weir/detail/')} {site.function}: {site.word}.{site.operation}"
        name += " on failure" if site.is_failure else ""
        seen[name] = seen.get(name, 0) + 1
        site.name = name + (f" #{seen[name]}" if seen[name] > 1 else "")
    return found


def tables(text):
    """The rows of every table but their heads, as (heading, cells)."""
    heading = ""
    is_head = True
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            is_head = True
        elif re.fullmatch(r"[|\-: ]+", line):
            is_head = False
        elif not is_head:
            yield heading, [cell.strip() for cell in line.strip().strip("|").split("|")]


def names_in(cell):
    return re.findall(r"`([^`]+)`", cell)


def check_document(sites):
    """What is wrong between the sources and the document: a list of sentences."""
    rows = []
    words = ""
    for heading, cells in tables(DOCUMENT.read_text()):
        header = re.search(r"\(`([\w/.]+)`\)", heading)
        if header:
            words = cells[0] or words
            rows.append(("weir/detail/" + header.group(1), words, names_in(cells[1]), set()))
    wrong = []
    for site in sites:
        covered = False
        for header, words, functions, used in rows:
            is_word = site.word in [name.split("::")[-1] for name in names_in(words)]
            if site.header.startswith(header) and is_word and site.function in functions:
                used.add(site.function)
                covered = True
        if not covered:
            wrong.append(f"in no row of {DOCUMENT.name}: {site.name}, {site.order} (line {site.line})")
    for header, words, functions, used in rows:
        for name in functions:
            if name not in used:
                wrong.append(f"{DOCUMENT.name} names {name} beside {words} of {header}, where no such operation is")
    return wrong


def explained():
    """The mutants whose survival the document explains."""
    return [name for heading, cells in tables(DOCUMENT.read_text()) if heading.startswith("What no test")
            for name in names_in(cells[0])]


def documented_steps():
    return [cells[0] for heading, cells in tables(DOCUMENT.read_text()) if heading.startswith("Protocol steps")]

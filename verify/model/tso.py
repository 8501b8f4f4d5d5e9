# SPDX-License-Identifier: BSL-1.0
"""The steps around membarrier on a processor with store buffers (x86-TSO): every state, by search.

Relacy knows membarrier as a fence, after which all that came before is visible, plain data too. Here it is what the
kernel makes of it: each thread's store buffer is emptied, at some moment between two of its instructions. The steps are
those of docs/design/waiting.md and rendezvous.md, written out again: not the library's source.
"""

SLEEPING, WAITING, GONE = 1, 1, 2


class Thread:
    """A program: (operation, argument...). Registers and memory are dictionaries from names to numbers."""

    def __init__(self, *program):
        self.program = program
        self.labels = {step[1]: i for i, step in enumerate(program) if step[0] == "label"}


def store(word, value):
    return "store", word, value


def load(register, word):
    return "load", register, word


def modify(register, word, change):
    """A locked instruction: empties the thread's own buffer first."""
    return "modify", register, word, change


def compute(register, value):
    return "compute", register, value


def branch(condition, label):
    return "branch", condition, label


def goto(label):
    return branch(lambda registers: True, label)


def unless(register, mask, label):
    return branch(lambda registers: not registers[register] & mask, label)


def when(register, mask, label):
    return branch(lambda registers: registers[register] & mask, label)


def label(name):
    return "label", name


def park(word):
    """Goes on when the word is not 0."""
    return "park", word


BARRIER = ("barrier",)


def raised(flag):
    return lambda value: value | flag


def lowered(flag):
    return lambda value: value & ~flag


def increased(value):
    return value + 1


def search(threads, is_good):
    """(number of states, a final state that is not good, or None). A state: for each thread where it is, its registers
    and its buffer; and the memory."""
    first = (tuple((0, (), ()) for _ in threads), ())
    seen = {first}
    left = [first]
    while left:
        state = left.pop()
        following = list(moves(threads, state))
        if not following:
            parts, memory = state
            stuck = [i for i, (at, _, _) in enumerate(parts) if at < len(threads[i].program)]
            if not is_good(dict(memory), stuck):
                return len(seen), state
        for next_state in following:
            if next_state not in seen:
                seen.add(next_state)
                left.append(next_state)
    return len(seen), None


def moves(threads, state):
    parts, memory = state

    def after(i, part, words=memory, everywhere=None):
        changed = list(everywhere or parts)
        changed[i] = part
        return tuple(changed), words

    def put(words, word, value):
        return tuple(sorted({**dict(words), word: value}.items()))

    for i, (at, registers, buffer) in enumerate(parts):
        if buffer:  # the oldest store becomes visible
            yield after(i, (at, registers, buffer[1:]), put(memory, *buffer[0]))
        if at == len(threads[i].program):
            continue
        operation, *arguments = threads[i].program[at]
        if operation == "label":
            yield after(i, (at + 1, registers, buffer))
        elif operation == "store":
            word, value = arguments
            value = value(dict(registers)) if callable(value) else value
            yield after(i, (at + 1, registers, buffer + ((word, value),)))
        elif operation == "compute":
            register, value = arguments
            yield after(i, (at + 1, put(registers, register, value(dict(registers))), buffer))
        elif operation == "load":
            register, word = arguments
            own = [value for name, value in buffer if name == word]
            value = own[-1] if own else dict(memory).get(word, 0)
            yield after(i, (at + 1, put(registers, register, value), buffer))
        elif operation == "modify" and not buffer:
            register, word, change = arguments
            value = dict(memory).get(word, 0)
            yield after(i, (at + 1, put(registers, register, value), buffer), put(memory, word, change(value)))
        elif operation == "branch":
            taken, where = arguments
            yield after(i, (threads[i].labels[where] if taken(dict(registers)) else at + 1, registers, buffer))
        elif operation == "park" and dict(memory).get(arguments[0], 0):
            yield after(i, (at + 1, registers, buffer))
        elif operation == "barrier":
            words = memory
            everywhere = []
            for other_at, other_registers, other_buffer in parts:
                for word, value in other_buffer:
                    words = put(words, word, value)
                everywhere.append((other_at, other_registers, ()))
            yield after(i, (at + 1, registers, ()), words, everywhere)


# ---- The protocols ----

def receiving(senders, barrier=True, in_order=True, numbered=True):
    """R1 to R5 against S1 to S4: a receiver that waits for a message of each sender, one after the other."""
    slots = [f"slot{i}" for i in range(senders)]

    def look(suffix):
        steps = []
        for i, slot in enumerate(slots):
            next_one = f"next{i}{suffix}"
            steps += [load("new", slot), unless("new", 1, next_one), store(slot, 0),
                      compute("received", lambda registers: registers.get("received", 0) + 1), goto("found"), label(next_one)]
        return steps

    receiver = Thread(
        label("again"), *([compute("number", lambda registers: registers.get("number", 0) + 1)] if numbered else []),
        store("sleep", lambda registers: registers.get("number", 1)), modify("_", "flags", raised(SLEEPING)), *look("a"),
        load("tail", "tail"), branch(lambda registers: registers["tail"] == registers.get("received", 0), "park"),
        *([BARRIER] if barrier else []), *look("b"), label("park"), park("token"), modify("_", "token", lambda value: 0),
        *look("c"), label("found"), modify("_", "flags", lowered(SLEEPING)),
        branch(lambda registers: registers.get("received", 0) < senders, "again"))

    def sender(slot):
        write, ask = store(slot, 1), load("flags", "flags")
        steps = (write, ask) if in_order else (ask, write)
        return Thread(modify("_", "tail", increased), *steps, unless("flags", SLEEPING, "done"), load("sleep", "sleep"),
                      load("woken", "woken"), branch(lambda registers: registers["sleep"] == registers["woken"], "done"),
                      modify("_", "token", raised(1)), store("woken", lambda registers: registers["sleep"]),
                      label("done"))

    return [receiver, *map(sender, slots)], lambda memory, stuck: not stuck


def meeting(senders, barrier=True, in_order=True):
    """The same on a rendezvous: the word is the claim and the slot. Of several senders one meets the receiver."""
    armed, claimed, written = 1, 2, 3

    look = load("word", "word"), branch(lambda registers: registers["word"] == written, "found")
    receiver = Thread(
        modify("_", "word", lambda _: armed), modify("_", "flags", raised(SLEEPING)), *look, load("word", "word"),
        branch(lambda registers: registers["word"] == armed, "park"), *([BARRIER] if barrier else []), *look,
        label("park"), park("token"), label("found"))

    write, ask = store("word", written), load("flags", "flags")
    steps = (write, ask) if in_order else (ask, write)
    sender = Thread(
        label("again"), load("word", "word"), branch(lambda registers: registers["word"] == 0, "again"),
        modify("word", "word", lambda word: claimed if word == armed else word),
        branch(lambda registers: registers["word"] != armed, "done"), *steps, unless("flags", SLEEPING, "done"),
        modify("_", "token", raised(1)), label("done"))
    return [receiver, *[sender] * senders], lambda memory, stuck: not stuck


def room(senders, barrier=True, in_order=True):
    """W1 to W4 against V1 to V3: senders that wait for room, and a receiver that makes it for all of them. (It wakes one
    for each time that it made room; here: all that it sees.)"""
    def sender(i):
        return Thread(modify("_", "flags", raised(1 << i)), *([BARRIER] if barrier else []), load("head", "head"),
                      when("head", 1, "done"), park(f"token{i}"), label("done"))

    publish, ask = store("head", 1), load("flags", "flags")
    steps = [publish, ask] if in_order else [ask, publish]
    for i in range(senders):
        steps += [unless("flags", 1 << i, f"next{i}"), modify("_", f"token{i}", raised(1)), label(f"next{i}")]
    return [Thread(*steps), *map(sender, range(senders))], lambda memory, stuck: not stuck


def leaving(senders, barrier=True, in_order=True):
    """The receiver goes while sends are under way: each message is destroyed by the receiver's last look, or by its own
    sender, which sees that the receiver is gone."""
    slots = [f"slot{i}" for i in range(senders)]
    steps = [modify("_", "flags", raised(GONE)), *([BARRIER] if barrier else [])]
    for slot in slots:
        steps += [load(slot, slot), unless(slot, 1, f"next_{slot}"), modify("_", f"gone_{slot}", raised(1)),
                  label(f"next_{slot}")]

    def sender(slot):
        write, ask = store(slot, 1), load("flags", "flags")
        order = (write, ask) if in_order else (ask, write)
        return Thread(*order, unless("flags", GONE, "done"), modify("_", f"gone_{slot}", raised(1)), label("done"))

    return ([Thread(*steps), *map(sender, slots)],
            lambda memory, stuck: not stuck and all(memory.get(f"gone_{slot}") for slot in slots))


PROTOCOLS = {
    "park and wake (R1 to R5, S1 to S4)": receiving,
    "a rendezvous (R1 to R4, S1 to S4)": meeting,
    "waiting for room (W1 to W4, V1 to V3)": room,
    "late messages when the receiver goes": leaving,
}


def check():
    """A row (protocol, threads, what was changed, states, whether it failed, whether that is as it should be) each."""
    for name, make in PROTOCOLS.items():
        for senders in (1, 2):
            changes = [("", {}), ("no membarrier", {"barrier": False}), ("no compiler barrier", {"in_order": False})]
            if make is receiving and senders > 1:  # it takes a second sleep
                changes.append(("all sleeps have one number", {"numbered": False}))
            for change, arguments in changes:
                states, bad = search(*make(senders, **arguments))
                yield name, senders + 1, change, states, bad is not None, (bad is not None) == bool(change)


if __name__ == "__main__":
    for row in check():
        print(*row, sep=" | ")

"""Jobs over links that delay, break in the middle of messages, and swallow answers."""

import collections
import contextlib
import dataclasses
import random
import time

from . import boxes, corpus, crashes, mover, proxy, trials
from .judge import Verdict


@dataclasses.dataclass
class Wear:
    """What went wrong on the links, and how it ended."""

    verdict: Verdict = dataclasses.field(default_factory=Verdict)
    struck: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def add(self, other: "Wear") -> None:
        self.verdict.add(other.verdict)
        self.struck += other.struck

    def __str__(self) -> str:
        rows = ", ".join(f"{count} × {name}" for name, count in sorted(self.struck.items()))
        return f"{self.struck.total()} faults ({rows}): {self.verdict}"


class Trouble:
    """Faults for one link, one after the other: each is given to every new connection until it has struck."""

    def __init__(self, dice: random.Random, target: bool):
        # Bodies go up to the target and come down from the source.
        body = "up" if target else "down"
        self.dice, self.plan = dice, [
            lambda: proxy.CutInLiteral(body, dice.randrange(25), dice),
            lambda: proxy.CutAfter(dice.choice(["up", "down"]), dice.randrange(1, 30_000)),
            proxy.SwallowAppendOK if target else lambda: proxy.CutInLiteral(body, dice.randrange(3), dice)]
        dice.shuffle(self.plan)
        #: How many may strike so far.
        self.allowed = 0
        self.link: proxy.Proxy | None = None

    def next(self) -> proxy.Fault | None:
        struck = self.link.struck.total()
        return self.plan[struck]() if struck < min(self.allowed, len(self.plan)) else None


def bad_links(world: "trials.World", seed: int, phases: int = 3, target: str = "dovecot", count: int = 250) -> Wear:
    """One job over two bad links. In each of its phases (first copy, a pass after changes, cutover) one more thing may go
    wrong on each of them."""
    dice = random.Random(seed)
    here, there = world.server("dovecot", "source"), world.server(target, "target")
    began = time.time()
    person = crashes.furnish(world, here, dice, count)
    boxes.plant(here, person, [
        corpus.Mail(corpus.text("large", dice.randbytes(size // 2).hex().encode() + b"\r\n"), date=1_470_000_000)
        for size in (300_000, 700_000, 2_000_000)])
    troubles = [Trouble(dice, False), Trouble(dice, True)]
    delay = dice.choice([0, 0.002, 0.01])
    with contextlib.ExitStack() as stack:
        for trouble, server in zip(troubles, (here, there)):
            trouble.link = stack.enter_context(proxy.Proxy(server.port, delay, trouble.next))
        move = stack.enter_context(mover.Move(
            world.program, world.directory(), here, there, [(person, world.person(there))],
            source_port=troubles[0].link.port, target_port=troubles[1].link.port))
        # A validation that a link breaks says so, and is for people to repeat.
        move.prepare()
        for phase in range(phases):
            for trouble in troubles:
                trouble.allowed = phase + 1
            if phase == 0:
                move.migrate()
                move.wait_for_passes(0)
            elif phase == 1:
                crashes.change(here, person, dice)
                move.wait_for_passes(1)
            else:
                # Whatever goes wrong now does so in the cutover.
                crashes.change(here, person, dice)
        move.finish()
        for trouble in troubles:
            # What comes now is to see both sides as they are.
            trouble.allowed = 0
        verdict = trials.judged(move, began)
        return Wear(verdict, sum((trouble.link.struck for trouble in troubles), collections.Counter()))

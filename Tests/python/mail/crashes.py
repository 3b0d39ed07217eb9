"""Jobs during which Ferry, or the server that it writes to, is killed at random instants."""

import collections
import contextlib
import dataclasses
import os
import random
import sqlite3
import time

from . import boxes, corpus, mover, trials
from .judge import Verdict

#: A lease of a killed server runs out within half a minute; the rest is for a busy machine.
RESUME_SECONDS = 180
FOLDERS = [("INBOX",), ("Projects",), ("Projects", "2024")]


@dataclasses.dataclass
class Toll:
    """What was killed when, and how it ended."""

    verdict: Verdict = dataclasses.field(default_factory=Verdict)
    #: Kills by what was going on.
    kills: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    #: Of these with a batch on its way: durable intent, no checkpoint.
    in_doubt: int = 0

    def add(self, other: "Toll") -> None:
        self.verdict.add(other.verdict)
        self.kills += other.kills
        self.in_doubt += other.in_doubt

    def __str__(self) -> str:
        rows = ", ".join(f"{count} {name}" for name, count in sorted(self.kills.items()))
        return f"{self.kills.total()} kills ({rows}; {self.in_doubt} with a batch on its way): {self.verdict}"


def mails(dice: random.Random, count: int, label: str) -> list[corpus.Mail]:
    """Ordinary mail, every tenth a twin of the one before it, and some with a Message-ID that others have, too."""
    found = [corpus.ordinary(dice, number) for number in range(count)]
    for number in range(9, count, 10):
        found[number] = found[number - 1]
    for number in range(5, count, 50):
        mail = found[number]
        content = corpus.text(f"{label} {number}", b"x\r\n" * dice.randrange(1, 400), b"Message-ID: <same@contoso.example>")
        found[number] = dataclasses.replace(mail, content=content)
    return found


def furnish(world: "trials.World", source, dice: random.Random, count: int) -> int:
    """Somebody with so many messages in an INBOX, and a few in folders."""
    number = world.person(source)
    boxes.plant(source, number, mails(dice, count, "stock"))
    for path in FOLDERS[1:]:
        boxes.plant(source, number, mails(dice, count // 10, "stock"), path)
    return number


def change(source, number: int, dice: random.Random) -> None:
    """What people do between two passes: mail arrives, flags change, messages go."""
    with boxes.Session(source, number) as session:
        for path in FOLDERS:
            for mail in mails(dice, dice.randrange(10, 40), "new"):
                session.append(path, mail)
            count = session.select(path)
            chosen = dice.sample(range(1, count + 1), min(count, 30))
            for index in chosen[:20]:
                session.command("STORE", str(index), dice.choice(["+FLAGS", "-FLAGS"]), dice.choice([r"(\Seen)", r"(\Flagged)"]))
            for index in chosen[20:]:
                session.command("STORE", str(index), "+FLAGS", r"(\Deleted)")
            session.command("EXPUNGE")


# MARK: Ferry


def is_in_doubt(move: mover.Move) -> bool:
    """Whether the store of a killed Ferry has a batch that may or may not have arrived."""
    with contextlib.closing(sqlite3.connect(f"file:{move.directory}/ferry.sqlite?mode=ro", uri=True)) as store:
        return store.execute("SELECT count(*) FROM ledger_intent").fetchone()[0] > 0


def until(move: mover.Move, wanted, seconds: float = RESUME_SECONDS) -> None:
    """Until what a function looks for is there. Raises `mover.Stuck` when it does not come."""
    end = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > end:
            raise mover.Stuck(f"nothing goes on: {move.problems()}\n{move.words()}")
        time.sleep(0.02)


def kill_ferry(
    world: "trials.World", seed: int, kills: tuple[int, int, int], target: str = "dovecot", people: int = 2, count: int = 1_500
) -> Toll:
    """One job with SIGKILLs during the first copy, the passes after it, and the cutover: so many of each. What the first
    two have no time for comes in the phase after."""
    dice = random.Random(seed)
    here, there = world.server("dovecot", "source"), world.server(target, "target")
    began = time.time()
    pairs = [(furnish(world, here, dice, count), world.person(there)) for _ in range(people)]
    move = mover.Move(world.program, world.directory(), here, there, pairs)
    toll = Toll()

    def strike(phase: str) -> None:
        move.kill()
        toll.kills[phase] += 1
        toll.in_doubt += is_in_doubt(move)
        move.start()

    with move:
        move.begin()
        left = kills[0]
        while left:
            before = move.progress()
            until(move, lambda: move.progress() != before)
            if move.passes() >= people:
                break
            # Short more often than long, since the copy is over in seconds.
            time.sleep(dice.expovariate(4))
            strike("in the first copy")
            left -= 1
        left += kills[1]
        until(move, lambda: move.passes() >= people, mover.JOB_SECONDS)
        while left:
            for number, _ in pairs:
                change(here, number, dice)
            time.sleep(dice.uniform(0, 1.5))
            strike("in a delta")
            left -= 1
            move.wait_for_passes(0, RESUME_SECONDS)
        for number, _ in pairs:
            change(here, number, dice)
        left = kills[2]
        move.make_due()
        while left:
            time.sleep(dice.uniform(0, 1.5))
            if move.job()["status"] in mover.FINAL:
                break
            strike("in the cutover")
            left -= 1
            before = move.progress()
            until(move, lambda: move.progress() != before or move.job()["status"] in mover.FINAL)
        move.end()
        toll.verdict = trials.judged(move, began)
    return toll


# MARK: the target


def kill_target(world: "trials.World", seed: int, kills: int, role: str = "victim", count: int = 1_000) -> Toll:
    """One job during which all processes of the target's Dovecot are killed in mid-APPEND again and again."""
    dice = random.Random(seed)
    here, there = world.server("dovecot", "source"), world.server("dovecot", role)
    began = time.time()
    person = furnish(world, here, dice, count)
    move = mover.Move(world.program, world.directory(), here, there, [(person, world.person(there))])
    toll = Toll()
    with move:
        move.begin()
        for number in range(kills):
            # What an earlier kill has left lying about.
            old = half_written(there, move.people[0][1])
            if number:
                boxes.plant(here, person, mails(dice, count // 2, f"more {number}"))
            end = time.monotonic() + RESUME_SECONDS
            while not half_written(there, move.people[0][1]) - old:
                if time.monotonic() > end:
                    raise mover.Stuck(f"nothing is appended: {move.problems()}\n{move.words()}")
                time.sleep(0.001)
            time.sleep(dice.expovariate(50))
            is_writing = bool(half_written(there, move.people[0][1]) - old)
            there.kill()
            toll.kills["in mid-APPEND" if is_writing else "right after an APPEND"] += 1
            toll.in_doubt += is_in_doubt(move)
            there.start()
            move.wait_for_passes(0, RESUME_SECONDS)
        move.finish()
        toll.verdict = trials.judged(move, began)
    return toll


def half_written(server, number: int) -> set[str]:
    """Messages of a person that Dovecot has on the disk and that are in no mailbox yet."""
    found: set[str] = set()
    for path in FOLDERS:
        with contextlib.suppress(OSError):
            found.update(os.listdir(server.folder(number, path) / "tmp"))
    return found

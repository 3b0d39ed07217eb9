"""Jobs during which everybody goes on working: mail comes in, is read, filed and deleted at the source, and people have
mail of their own at the target."""

import collections
import contextlib
import dataclasses
import imaplib
import pathlib
import random
import re
import subprocess
import threading
import time

from . import boxes, corpus, crashes, judge, mover, trials
from .judge import Verdict
from .servers import Server, free_port

LDA = pathlib.Path("/usr/lib/dovecot/dovecot-lda")
TOKEN = re.compile(rb"^Subject: delivery (\S+)\r?$", re.M)
# After the last pass mail still comes in for a while.
AFTERWARDS = 2.0


@dataclasses.dataclass
class Day:
    """What people did meanwhile, and how it ended."""

    verdict: Verdict = dataclasses.field(default_factory=Verdict)
    #: What was done, by what it was.
    done: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def add(self, other: "Day") -> None:
        self.verdict.add(other.verdict)
        self.done += other.done

    def __str__(self) -> str:
        rows = ", ".join(f"{count} {name}" for name, count in sorted(self.done.items()))
        return f"{rows}: {self.verdict}, {self.verdict.foreign} of others"


class People:
    """Everybody of a job, at work in threads of their own until the end of a `with`."""

    def __init__(self, move: mover.Move, dice: random.Random):
        self.move = move
        self.done: collections.Counter = collections.Counter()
        #: Deliveries by person of the source.
        self.delivered: dict[int, set[str]] = collections.defaultdict(set)
        #: Deliveries that their recipients threw away.
        self.deleted: set[str] = set()
        #: Mail that people of the target have put there, by person.
        self.own: dict[int, collections.Counter] = collections.defaultdict(collections.Counter)
        self._failures: list[BaseException] = []
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._live, args=(act, pause, random.Random(dice.random())))
            for act, pause in ((self._deliver, 0.1), (self._act, 0.05), (self._settle_in, 0.2))]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *problem):
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._failures and problem[0] is None:
            raise self._failures[0]

    def _live(self, act, pause: float, dice: random.Random) -> None:
        try:
            while not self._over.wait(dice.expovariate(1 / pause)):
                act(dice)
        except BaseException as problem:  # noqa: BLE001 (told by the thread that waits)
            self._failures.append(problem)

    def _deliver(self, dice: random.Random) -> None:
        """The mail system brings something, through the person's script."""
        person = dice.choice(self.move.people)[0]
        token = f"{person}.{dice.getrandbits(64):x}"
        content = corpus.text(f"delivery {token}", b"x\r\n" * dice.randrange(1, 2_000), b"Message-ID: <%b@x>" % token.encode())
        # Counted first: the job may end while it is on its way.
        self.delivered[person].add(token)
        done = subprocess.run(
            [LDA, "-c", self.move.source.directory / "dovecot.conf", "-d", self.move.source.login(person), "-f",
             "friend@elsewhere.example"], input=content, capture_output=True)
        if done.returncode != 0:
            raise mover.Stuck(f"a delivery ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
        self.done["delivered"] += 1

    def _act(self, dice: random.Random) -> None:
        """Somebody at the source does something to mail, as long as that is allowed."""
        person = dice.choice(self.move.people)[0]
        path, other = dice.sample(crashes.FOLDERS, 2)
        name, act = dice.choice([
            ("flagged", self._flag), ("deleted", self._delete), ("moved", self._file), ("written", self._write)])
        try:
            with boxes.Session(self.move.source, person) as session:
                act(session, dice, path, other)
            self.done[name] += 1
        except imaplib.IMAP4.error:
            self.done["refused"] += 1

    @staticmethod
    def _some(session: boxes.Session, dice: random.Random, path: tuple[str, ...]) -> str | None:
        count = session.select(path)
        return ",".join(map(str, sorted(dice.sample(range(1, count + 1), min(count, 3))))) or None

    def _flag(self, session, dice, path, _) -> None:
        if some := self._some(session, dice, path):
            session.command(
                "STORE", some, dice.choice(["+FLAGS", "-FLAGS"]), dice.choice([r"(\Seen)", r"(\Flagged)", "(later)"]))

    def _delete(self, session, dice, path, _) -> None:
        if some := self._some(session, dice, path):
            for part in session.command("FETCH", some, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"):
                if isinstance(part, tuple) and (found := TOKEN.search(part[1])):
                    self.deleted.add(found[1].decode())
            session.command("STORE", some, "+FLAGS", r"(\Deleted)")
            session.command("EXPUNGE")

    def _file(self, session, dice, path, other) -> None:
        if some := self._some(session, dice, path):
            session.command("MOVE", some, session.name(other))

    def _write(self, session, dice, path, _) -> None:
        session.append(path, corpus.ordinary(dice, dice.getrandbits(30)))

    def _settle_in(self, dice: random.Random) -> None:
        """Somebody who is at the target already puts mail there, into folders that come from the source and others."""
        person = dice.choice(self.move.people)[1]
        path = dice.choice([*crashes.FOLDERS[:2], ("Their own",)])
        mail = corpus.Mail(
            corpus.text(f"of their own {dice.getrandbits(64):x}", b"y\r\n" * dice.randrange(1, 500)),
            corpus.flags(dice.randrange(1 << 5)), 1_490_000_000 + dice.randrange(1 << 20))
        with boxes.Session(self.move.target, person) as session:
            if path not in session.folders:
                # Ferry may make it at the same moment.
                with contextlib.suppress(imaplib.IMAP4.error):
                    session.create(path, True)
            session.append(path, mail)
        self.own[person][path, mail] += 1
        self.done["put into the target"] += 1

    def foreign(self, here: int, there: int) -> collections.Counter:
        """What is in a person's target and does not come from Ferry: their own mail, and what came by the redirect, which
        has to be everything that is not at the source and was not deleted there. Raises `judge.Injustice`."""
        present = set(tokens(mover.read(self.move.source, here)))
        sent_on = self.delivered[here] - present - self.deleted
        found = tokens(mover.read(self.move.target, there))
        for token in self.delivered[here] - self.deleted:
            if len(found[token]) != 1:
                raise judge.Injustice(
                    f"the delivery {token} is {len(found[token])} times at the target and "
                    f"{'still' if token in present else 'not'} at the source")
        self.done["sent on"] += len(sent_on)
        return self.own[there] + collections.Counter(place for token in sent_on for place in found[token])


def tokens(mailbox: corpus.Mailbox) -> dict[str, list[tuple[tuple[str, ...], corpus.Mail]]]:
    """Where which deliveries are."""
    found = collections.defaultdict(list)
    for path, folder in mailbox.items():
        for mail in folder.mails:
            if token := TOKEN.search(mail.content):
                found[token[1].decode()].append((path, mail))
    return found


def living_source(world: "trials.World", target: Server) -> Server:
    """A source whose people get mail through Sieve; what that sends on arrives at the target."""
    source = world.server("dovecot", "living", "--sieve-port", free_port())
    script = source.directory / "sendmail"
    # Called by the delivery agent: -i -f SENDER -- RECIPIENT.
    text = f"""#!/bin/sh
for recipient; do :; done
number=${{recipient#person}}
exec env -i PATH="$PATH" {LDA} -c {target.directory}/dovecot.conf -f redirected@elsewhere.example \\
    -d "$(printf 'u%04d@example.test' "${{number%@*}}")"
"""
    if script.read_text() != text:
        script.write_text(text)
    return source


def working_day(world: "trials.World", seed: int, people: int = 2, count: int = 400, passes: int = 3) -> Day:
    """One job from the first copy until after the redirect, while everybody works."""
    dice = random.Random(seed)
    there = world.server("dovecot", "target")
    here = living_source(world, there)
    began = time.time()
    pairs = [(crashes.furnish(world, here, dice, count), world.person(there)) for _ in range(people)]
    move = mover.Move(
        world.program, world.directory(), here, there, pairs,
        source_options={"sieve": f"{{ port: {here.option('--sieve-port')}, tls: none }}"})
    with move:
        move.begin()
        # Before that nobody may have mail at the target.
        crashes.until(move, move.has_begun)
        with People(move, dice) as everybody:
            move.wait_for_passes(passes)
            move.finish()
            # The mail system knows nothing of the end of a job.
            time.sleep(AFTERWARDS)
        foreign = {there: everybody.foreign(here, there) for here, there in pairs}
        return Day(trials.judged(move, began, foreign), everybody.done)

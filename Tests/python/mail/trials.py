"""Whole jobs of the real Ferry between real servers, each judged by this package's own reading of both sides."""

import collections
import contextlib
import dataclasses
import pathlib
import random
import threading
import time

from . import boxes, corpus, judge, mover
from .judge import Verdict
from .servers import Server

PAIRS = [
    ("dovecot", "dovecot"), ("dovecot", "cyrus"), ("cyrus", "dovecot"), ("folder", "dovecot"), ("dovecot", "folder"),
    ("folder", "cyrus"), ("cyrus", "folder")]


@dataclasses.dataclass
class World:
    """The servers, and people that nobody has used yet."""

    program: pathlib.Path
    work: pathlib.Path
    stack: contextlib.ExitStack
    users: int = 400
    dice: random.Random = dataclasses.field(default_factory=random.Random)

    def __post_init__(self):
        # Servers do not run as root, and have to reach what they write.
        self.work.chmod(0o755)
        self._servers: dict[tuple[str, str], Server | mover.FolderServer] = {}
        self._next: collections.Counter = collections.Counter()
        self._jobs = 0
        # Trials run side by side.
        self._lock = threading.RLock()

    def server(self, kind: str, role: str, *options: object) -> Server | mover.FolderServer:
        """The one of that kind which plays that role; started when it is first wanted."""
        with self._lock:
            if (kind, role) not in self._servers:
                place = self.work / f"{role}-{kind}"
                if kind == "folder":
                    self._servers[kind, role] = mover.FolderServer(place)
                else:
                    limit = ["--limit", 200] if kind == "dovecot" else []
                    self._servers[kind, role] = self.stack.enter_context(
                        Server(kind, place, "--users", self.users, *limit, *options))
            return self._servers[kind, role]

    def person(self, server: Server | mover.FolderServer) -> int:
        """The number of somebody whose mailbox is empty."""
        key = str(server.directory)
        with self._lock:
            self._next[key] += 1
            return self._next[key] - 1

    def directory(self) -> pathlib.Path:
        with self._lock:
            self._jobs += 1
            return self.work / f"job-{self._jobs}"


def furnish(world: World, server: Server | mover.FolderServer, mailbox: corpus.Mailbox) -> int:
    """A person with that mailbox, as far as the server takes it, and with what only lies on disks."""
    number = world.person(server)
    mover.fill(server, number, mailbox)
    extra = corpus.unappendable(int(time.time()))
    if server.kind == "dovecot":
        # A date that 32 bits do not hold is one thing in the file and another in Dovecot's cache.
        boxes.plant(server, number, [mail for mail in extra if 0 <= mail.date < 1 << 32])
    elif server.kind == "folder":
        for mail in extra:
            boxes.deliver(server.root(number), mail, "")
    return number


def own_folders(source, here: int, target, there: int) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Which folder of the target is its own for the purpose of one of the source's, where both say so (RFC 6154)."""
    if isinstance(source, mover.FolderServer) or isinstance(target, mover.FolderServer):
        return {}
    purposes = {r"\sent", r"\drafts", r"\trash", r"\junk", r"\archive"}
    with boxes.Session(source, here) as left, boxes.Session(target, there) as right:
        own = {use: path for path, attributes in right.folders.items() for use in attributes & purposes}
        return {
            path: own[use] for path, attributes in left.folders.items() for use in attributes & purposes if use in own}


def judged(
    move: mover.Move, began: float, foreign: dict[int, collections.Counter] | None = None
) -> Verdict:
    """Compares everybody's two mailboxes, and what was found with what Ferry's verifier and its findings say."""
    total = Verdict()
    for here, there in move.people:
        total.add(judge.compare(
            mover.read(move.source, here), mover.read(move.target, there), move.target.kind, (began, time.time()),
            own_folders(move.source, here, move.target, there), (foreign or {}).get(there)))
    said = move.verification()
    sums = collections.Counter()
    for run in said["runs"]:
        for container in run["containers"]:
            for name in ("identical", "differing", "skipped", "missing", "unexpected", "foreign"):
                sums[name] += container[name]
    expected = {
        "identical": total.identical, "differing": total.changed.total(), "skipped": total.refused.total(), "missing": 0,
        "unexpected": 0, "foreign": total.foreign}
    if dict(sums) != expected:
        raise judge.Injustice(f"Ferry's verifier counts {dict(sums)}, and there is {expected}: {said['runs'][0]['samples'][:5]}")
    if (said["code"] == 0) != (total.changed.total() == 0):
        raise judge.Injustice(f"ferry verify ended with {said['code']} while there is: {total}")
    return total


def reported(move: mover.Move, verdict: Verdict) -> None:
    """Every message that is not at the target as it was has been named, with code and remedy; asks the running server."""
    items = {(row["user"], row["container"], row["item"], row["outcome"]) for row in move.findings() if row["message"]}
    skipped = sum(outcome == "skipped" for *_, outcome in items)
    if skipped != verdict.refused.total():
        raise judge.Injustice(f"Ferry names {skipped} messages that did not move, and there is: {verdict}")
    altered = sum(outcome == "copied" for *_, outcome in items)
    if altered != verdict.changed.total():
        raise judge.Injustice(f"Ferry names {altered} messages that were changed, and there is: {verdict}")


def pair(world: World, source_kind: str, target_kind: str, seed: int = 1, **size: int) -> Verdict:
    """A difficult mailbox from one kind of place to another, undisturbed; `size` as in `corpus.mailbox`."""
    source, target = world.server(source_kind, "source"), world.server(target_kind, "target")
    began = time.time()
    here = furnish(world, source, corpus.mailbox(seed, **size))
    move = mover.Move(world.program, world.directory(), source, target, [(here, world.person(target))])
    with move:
        move.begin()
        move.wait_for_passes(0)
        move.finish()
        verdict = judged(move, began)
        reported(move, verdict)
    return verdict

"""The mail section of script/bench: Ferry, the floor and its peers between the same two Dovecots, in alternating rounds."""

import concurrent.futures
import contextlib
import dataclasses
import email.utils
import json
import os
import pathlib
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

from . import servers
from .proxy import Proxy

PYTHON = pathlib.Path(__file__).resolve().parents[1]
USERS = 900
MASTER = "mover", "masterpw"
# Side by side, as many as Ferry moves people at once with its defaults.
PARALLEL = 4
ROUNDS = 3
# One way, so a round trip takes twice as long.
DELAY = 0.01
# The Date of the first message.
EPOCH = 1_600_000_000
PASSES = ("first pass", "pass without changes", "pass with 1 % new and 1 % flags")


@dataclasses.dataclass
class Taken:
    """What one contender needed for one pass."""

    seconds: float
    processor: float
    kilobytes: int = 0


def median(passes: list[Taken]) -> Taken:
    return Taken(
        statistics.median(one.seconds for one in passes), statistics.median(one.processor for one in passes),
        max(one.kilobytes for one in passes))


def peak(output: bytes) -> int:
    """What a verb of ferry-bench says of its memory; the system's own count begins with that of the parent."""
    lines = output.splitlines()
    return json.loads(lines[-1])["peakKiB"] if lines and lines[-1].startswith(b"{") else 0


def measured(command: list, environment: dict | None = None) -> Taken:
    """Runs a command, which must succeed, and gives its time by the clock, its processor time and its peak memory."""
    began = time.perf_counter()
    with open(os.devnull, "rb") as nothing:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})})
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed ({process.returncode}):\n{output.decode(errors='replace')[-3000:]}")
    return Taken(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, peak(output))


# MARK: mail


def message(number: int, size: int, dice: random.Random) -> bytes:
    """A message of about that size, no two alike; CRLF."""
    head = (
        f"Return-Path: <ada@contoso.example>\r\nReceived: from mx1.contoso.example by mail.contoso.example; "
        f"{email.utils.formatdate(EPOCH + number)}\r\nMessage-ID: <{number}.{dice.getrandbits(64):x}@contoso.example>\r\n"
        f"Date: {email.utils.formatdate(EPOCH + number)}\r\nFrom: Ada <ada@contoso.example>\r\n"
        f"To: Björn <bjorn@contoso.example>\r\nSubject: Message {number}\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n").replace("ö", "o").encode()
    line = b"%016x and so on, as people write to each other all day long.\r\n"
    body = b"".join(line % dice.getrandbits(64) for _ in range(max(1, (size - len(head)) // 74)))
    return head + body


def fill(server: servers.Server, number: int, count: int, size: int, folder: str | None = None) -> None:
    """Puts messages into a person's INBOX or folder by way of the disk, and lets the server read them in."""
    dice = random.Random(number * 1_000_003 + count)
    place = server.maildir(number) / folder if folder else server.maildir(number)
    for part in ("cur", "new", "tmp"):
        (place / part).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        text = message(index, size + dice.randrange(-size // 2, size // 2), dice)
        flags = dice.choice(["S", "S", "S", "RS", "FS", ""])
        path = place / "cur" / f"{EPOCH + index}.M{index}P1.bench,S={len(text)},W={len(text)}:2,{flags}"
        path.write_bytes(text)
        os.utime(path, (EPOCH + index, EPOCH + index))


def settle(server: servers.Server, number: int, folders: tuple[str, ...]) -> None:
    """Lets the server build its index, so that the first contender does not pay for all."""
    session = server.session(number)
    for folder in folders:
        session.select(folder, readonly=True)
        session.fetch("1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE)")
    session.logout()


def count(server: servers.Server, number: int, folders: tuple[str, ...]) -> int:
    """Messages in all of a person's folders."""
    session = server.session(number)
    found = 0
    for folder in folders:
        ok, data = session.status(folder, "(MESSAGES)")
        found += int(data[0].rsplit(b" ", 1)[1].rstrip(b")")) if ok == "OK" else 0
    session.logout()
    return found


# MARK: contenders


class Contender:
    """A program that moves the mail of people of one server to people of another, and again."""

    name = ""

    def __init__(self, world: "World", people: list[tuple[int, int]], place: pathlib.Path):
        self.world, self.people, self.place = world, people, place
        place.mkdir(parents=True)

    def run(self) -> Taken:
        """One pass over everybody."""
        raise NotImplementedError

    def side_by_side(self, work) -> Taken:
        """One process per person, as many at once as Ferry would move."""
        began = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            taken = list(pool.map(work, self.people))
        return Taken(
            time.perf_counter() - began, sum(one.processor for one in taken),
            sum(sorted(one.kilobytes for one in taken)[-PARALLEL:]))


class Ferry(Contender):
    name = "Ferry"

    def run(self):
        return measured([
            self.world.program, "copy-mail", "--store", self.place / "ferry.sqlite", "--source", self.world.source_port,
            "--target", self.world.target_port, *self.world.options,
            *(f"{self.world.source.login(here)}={self.world.target.login(there)}" for here, there in self.people)])


class Floor(Contender):
    name = "floor"

    def run(self):
        logins = [
            login for here, there in self.people
            for login in (self.world.source.login(here), self.world.target.login(there))]
        return measured(
            [sys.executable, "-m", "mail.floor", self.world.source_port, self.world.target_port, PARALLEL,
             ",".join(self.world.folders), *logins],
            {"PYTHONPATH": str(PYTHON)})


class InterIMAP(Contender):
    name = "interimap"

    def run(self):
        def work(pair):
            here, there = pair
            place = self.place / str(here)
            place.mkdir(exist_ok=True)
            sections = "".join(
                f"[{section}]\ntype = imap\nhost = 127.0.0.1\nport = {port}\nSTARTTLS = NO\n"
                f"username = {login}*{MASTER[0]}\npassword = {MASTER[1]}\n"
                for section, port, login in (
                    ("local", self.world.target_port, self.world.target.login(there)),
                    ("remote", self.world.source_port, self.world.source.login(here))))
            config = place / "config"
            config.write_text(f"database = {place}/state.db\n{sections}")
            config.chmod(0o600)
            return measured(["interimap", "--quiet", f"--config={config}"], {"HOME": str(place)})

        return self.side_by_side(work)


class DoveadmBackup(Contender):
    name = "doveadm backup"

    def run(self):
        def work(pair):
            here, there = pair
            # It writes the target's disk itself; only the source is behind the wire.
            return measured([
                "doveadm", "-c", self.world.target.directory / "dovecot.conf", "-o", "imapc_host=127.0.0.1",
                "-o", f"imapc_port={self.world.source_port}", "-o", f"imapc_user={self.world.source.login(here)}",
                "-o", f"imapc_master_user={MASTER[0]}", "-o", f"imapc_password={MASTER[1]}",
                "-o", "imapc_features=rfc822.size fetch-headers fetch-bodystructure acl modseq",
                "-o", "mail_prefetch_count=20", "backup", "-R", "-u", self.world.target.login(there), "imapc:"])

        return self.side_by_side(work)


@dataclasses.dataclass
class World:
    program: pathlib.Path
    source: servers.Server
    target: servers.Server
    source_port: int
    target_port: int
    options: tuple[str, ...] = ()
    # Those that everybody has.
    folders: tuple[str, ...] = ("INBOX",)


def contenders() -> list[type[Contender]]:
    found: list[type[Contender]] = [Ferry, Floor]
    for program, peer in (("interimap", InterIMAP), ("doveadm", DoveadmBackup)):
        if shutil.which(program):
            found.append(peer)
        else:
            print(f"      SKIPPED {peer.name}: script/bootstrap bench installs it", flush=True)
    return found


class Section:
    """Runs contenders over the same mailboxes, each with targets of its own."""

    def __init__(self, results, work: pathlib.Path, program: pathlib.Path, source, target, scale: int):
        self.results, self.work, self.program, self.scale = results, work, program, scale
        self.source, self.target = source, target
        self.next_target = 0
        self.rounds = ROUNDS if scale == 1 else 1

    def fresh(self, people: list[int]) -> list[tuple[int, int]]:
        """Each with a target person that nobody has used."""
        pairs = [(here, self.next_target + offset) for offset, here in enumerate(people)]
        self.next_target += len(people)
        return pairs

    def world(self, ports: tuple[int, int] | None = None, **more) -> World:
        return World(
            self.program, self.source, self.target, *(ports or (self.source.port, self.target.port)), **more)

    def people(self, first: int, people: int, each: int, folders: tuple[str, ...] = ("INBOX",)) -> list[int]:
        """Fills mailboxes of the source, with so many messages in each folder."""
        numbers = list(range(first, first + people))
        for person in numbers:
            for folder in folders:
                fill(self.source, person, each, 14_000, None if folder == "INBOX" else folder)
            self.source.own(self.source.directory / "mail")
            settle(self.source, person, folders)
        return numbers

    def race(self, title: str, world: World, people: list[int], each: int, change=None) -> dict[str, list[Taken]]:
        """First passes in alternating rounds, then passes without changes, then passes after changes. Gives medians:
        name -> [first, unchanged, changed]. `each` is what a person has in all folders."""
        kinds = contenders()
        first: dict[str, list[Taken]] = {kind.name: [] for kind in kinds}
        last: dict[str, Contender] = {}
        for number in range(self.rounds):
            for kind in kinds if number % 2 == 0 else reversed(kinds):
                contender = kind(world, self.fresh(people), self.work / f"{title}-{kind.name}-{number}".replace(" ", "-"))
                first[kind.name].append(contender.run())
                self.expect(contender, each)
                if kind.name in last:
                    self.forget(last[kind.name])
                last[kind.name] = contender
        again: dict[str, list[Taken]] = {kind.name: [] for kind in kinds}
        after: dict[str, list[Taken]] = {kind.name: [] for kind in kinds}
        # The floor knows nothing of an earlier pass.
        stateful = [kind for kind in kinds if kind is not Floor]
        for number in range(self.rounds):
            for kind in stateful if number % 2 == 0 else reversed(stateful):
                again[kind.name].append(last[kind.name].run())
        for number in range(self.rounds if change else 0):
            each += change(number)
            for kind in stateful if number % 2 == 0 else reversed(stateful):
                after[kind.name].append(last[kind.name].run())
                self.expect(last[kind.name], each)
        for contender in last.values():
            self.forget(contender)
        return {
            kind.name: [median(passes) for passes in (first[kind.name], again[kind.name], after[kind.name]) if passes]
            for kind in kinds}

    def expect(self, contender: Contender, each: int) -> None:
        for _, there in contender.people:
            if (found := count(self.target, there, contender.world.folders)) != each:
                sys.exit(f"{contender.name} left {found} messages of {each}")

    def forget(self, contender: Contender) -> None:
        for _, there in contender.people:
            self.target.forget(there)

    def change(self, people: list[int], each: int, folders: tuple[str, ...] = ("INBOX",)):
        """1 % new messages and 1 % changed flags in every folder; gives the number of new ones per person."""

        def apply(number: int) -> int:
            few = max(1, each // 100)
            dice = random.Random(number)
            date = f'"{time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(EPOCH))}"'
            for person in people:
                session = self.source.session(person)
                for folder in folders:
                    session.select(folder)
                    for index in range(few):
                        text = message(10_000_000 + number * few + index, 14_000, dice)
                        session.append(folder, r"(\Seen)", date, text)
                    start = 1 + number * few
                    session.store(f"{start}:{start + few - 1}", "+FLAGS", r"(\Flagged)")
                session.logout()
            return few * len(folders)

        return apply

    # MARK: lines

    def lines(self, title: str, taken: dict[str, list[Taken]], limits: dict) -> None:
        """One line per pass and contender. `limits` gives, per pass, {name: largest ratio of Ferry's time to its}."""
        for index, kind in enumerate(PASSES):
            rows = {name: passes[index] for name, passes in taken.items() if len(passes) > index}
            if "Ferry" not in rows:
                continue
            ours = rows.pop("Ferry")
            self.results.note(
                f"mail, {title}, {kind}: Ferry", f"{ours.seconds:.2f} s",
                f"{ours.processor:.2f} s of processor time, {ours.kilobytes / 1024:.0f} MiB resident")
            for name, theirs in rows.items():
                detail = (
                    f"{ours.seconds:.2f} s and {theirs.seconds:.2f} s; processor time {ours.processor:.2f} s and "
                    f"{theirs.processor:.2f} s")
                limit = limits.get(kind, {}).get(name)
                what = f"mail, {title}, {kind}, against {name}"
                if limit is None:
                    self.results.note(what, f"{ours.seconds / theirs.seconds:.2f}×", detail)
                else:
                    self.results.add(what, ours.seconds / theirs.seconds, "×", limit, True, detail)

    # Largest ratios of Ferry's time to another's: on loopback, and behind a slow link.
    NEAR = {
        "first pass": {"interimap": 1, "doveadm backup": 1, "floor": 1 / 0.85},
        "pass without changes": {"interimap": 1},
        "pass with 1 % new and 1 % flags": {"interimap": 1},
    }
    FAR = {
        "first pass": {"interimap": 1 / 3, "doveadm backup": 1 / 3, "floor": 1 / 0.7},
        "pass without changes": {"interimap": 0.5},
        "pass with 1 % new and 1 % flags": {"interimap": 0.5},
    }
    TWENTY = ("INBOX", *(f"Folder{number}" for number in range(1, 20)))

    def one(self) -> None:
        """One large folder, on loopback."""
        number = 20_000 // self.scale
        people = self.people(800, 1, number)
        taken = self.race("one", self.world(), people, number, self.change(people, number))
        self.lines(f"one mailbox of {number:,} messages of 14 KB", taken, self.NEAR)
        for index, kind in enumerate(PASSES if "interimap" in taken else ()):
            self.results.add(
                f"mail, processor time of a {kind}, against interimap",
                taken["Ferry"][index].processor / taken["interimap"][index].processor, "×", 1, True,
                "; ".join(f"{name} {passes[index].processor:.2f} s" for name, passes in taken.items() if len(passes) > index))
        self.source.forget(800)

    def many(self) -> None:
        """Twenty folders of one person, on loopback."""
        each = 1_000 // self.scale
        people = self.people(801, 1, each, self.TWENTY)
        taken = self.race(
            "many", self.world(folders=self.TWENTY), people, each * len(self.TWENTY),
            self.change(people, each, self.TWENTY))
        self.lines(f"20 mailboxes of {each:,}", taken, self.NEAR)
        self.source.forget(801)

    def delayed(self) -> None:
        """Twenty folders of one person, behind a slow link."""
        each = max(10, 100 // self.scale)
        people = self.people(802, 1, each, self.TWENTY)
        with Proxy(self.source.port, DELAY) as here, Proxy(self.target.port, DELAY) as there:
            taken = self.race(
                "delay", self.world((here.port, there.port), folders=self.TWENTY), people, each * len(self.TWENTY),
                self.change(people, each, self.TWENTY))
        self.lines(f"20 mailboxes of {each:,}, {DELAY * 2000:.0f} ms of delay", taken, self.FAR)
        self.source.forget(802)

    def people_side_by_side(self) -> None:
        """Twenty people with one folder each, four at once, near and far. No targets: the peers know one person only."""
        each = 200 // min(self.scale, 10)
        people = self.people(803, 20, each)
        taken = self.race("people", self.world(), people, each, self.change(people, each))
        self.lines(f"20 people with {each:,} each, {PARALLEL} at once", taken, {})
        with Proxy(self.source.port, DELAY) as here, Proxy(self.target.port, DELAY) as there:
            taken = self.race("people-far", self.world((here.port, there.port)), people, each + self.rounds * max(1, each // 100))
        self.lines(f"20 people with {each:,} each, {PARALLEL} at once, {DELAY * 2000:.0f} ms of delay", taken, {})
        for person in people:
            self.source.forget(person)

    def folders(self) -> None:
        """Many folders in which nothing changes, against one bare LIST-STATUS."""
        number = 5_000 // self.scale
        place = self.source.maildir(841)
        for index in range(number):
            for part in ("cur", "new", "tmp"):
                (place / f"Group {index // 100}" / f"Folder {index}" / part).mkdir(parents=True)
        fill(self.source, 841, 1, 2_000)
        fill(self.source, 841, 1, 2_000, "Group 0/Folder 0")
        self.source.own(self.source.directory / "mail")
        contender = Ferry(self.world(), self.fresh([841]), self.work / "folders")

        def bare() -> Taken:
            session = self.source.session(841)
            began = time.perf_counter()
            session._simple_command("LIST", '""', '"*"', "RETURN", "(SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ SIZE))")
            taken = Taken(time.perf_counter() - began, 0)
            session.logout()
            return taken

        # The server makes up the numbers of folders that nobody has looked at yet; afterwards they stay as they are.
        bare()
        contender.run()
        ours, theirs = [], []
        for turn in range(self.rounds):
            sides = [(ours, contender.run), (theirs, bare)]
            for into, side in sides if turn % 2 == 0 else reversed(sides):
                into.append(side())
        ours, theirs = median(ours), median(theirs)
        self.results.add(
            f"mail, pass without changes over {number:,} folders, against a bare LIST-STATUS",
            ours.seconds / theirs.seconds, "×", 3, True,
            f"{ours.seconds:.2f} s, the whole process, and {theirs.seconds:.2f} s")
        self.source.forget(841)

    def memory(self) -> None:
        """Peak memory with many mailboxes in flight, and with large messages."""
        people = list(range(842, 892))
        for person in people:
            fill(self.source, person, 200 // min(self.scale, 10), 14_000)
        self.source.own(self.source.directory / "mail")
        ours = Ferry(self.world(options=("--connections", "100")), self.fresh(people), self.work / "fifty").run()
        self.results.add(
            "mail, peak memory with 50 mailboxes in flight", ours.kilobytes / 1024, " MiB", 128, True,
            f"100 connections to each server; {ours.seconds:.1f} s")
        for person in people:
            self.source.forget(person)

        size = 50_000_000 // self.scale
        fill(self.source, 892, 4, size)
        self.source.own(self.source.directory / "mail")
        ours = Ferry(self.world(), self.fresh([892]), self.work / "large").run()
        self.results.add(
            f"mail, peak memory with messages of {size / 1e6:g} MB", ours.kilobytes / 1024, " MiB", 128, True,
            f"4 messages in {ours.seconds:.1f} s")
        self.source.forget(892)

    def million(self) -> None:
        """What a huge mailbox costs against a small one: memory while it moves, and the ledger afterwards. The small one has
        larger messages, so that the same buffers fill. The target keeps mdbox: for a Maildir this server reads the whole
        list of numbers for each APPEND, and needs hours."""
        taken, stored = {}, {}
        with servers.Server("dovecot", self.work / "boxes", "--users", 2, "--limit", 200, "--format", "mdbox") as target:
            world = dataclasses.replace(self.world(), target=target, target_port=target.port)
            for index, (number, size) in enumerate(((1_000, 14_000), (1_000_000 // self.scale, 300))):
                fill(self.source, 893 + index, number, size)
                self.source.own(self.source.directory / "mail")
                settle(self.source, 893 + index, ("INBOX",))
                contender = Ferry(world, [(893 + index, index)], self.work / f"huge-{number}")
                taken[number] = contender.run()
                if (found := count(target, index, ("INBOX",))) != number:
                    sys.exit(f"{contender.name} left {found} messages of {number}")
                # Again, so that whatever a pass puts off until the next is done.
                contender.run()
                stored[number] = in_use(contender.place / "ferry.sqlite")
                self.source.forget(893 + index)
        few, many = taken
        self.results.add(
            f"mail, peak memory with {many:,} messages of 300 B in a mailbox, against {few:,} of 14 KB",
            taken[many].kilobytes / taken[few].kilobytes, "×", 1, True,
            f"{taken[few].kilobytes / 1024:.1f} and {taken[many].kilobytes / 1024:.1f} MiB; "
            f"{taken[many].seconds:.1f} s for the {many:,}")
        self.results.add(
            f"mail, a ledger of {many:,} messages in the store", (stored[many] - stored[few]) / 1e6, " MB", 1, True,
            f"more than of {few:,}; the stores have {stored[few] / 1e3:,.0f} and {stored[many] / 1e3:,.0f} kB in use")


def in_use(store: pathlib.Path) -> int:
    """Bytes of a store that hold something."""
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        size, pages, free = (
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count"))
    return size * (pages - free)


def measure_freeze(results, work: pathlib.Path, scale: int, program: pathlib.Path) -> None:
    """How long the owner of a large mailbox is kept out at the cutover, with 50 changes since the last pass."""
    number, cutovers = 100_000 // scale, max(5, 100 // scale)
    work.mkdir()
    # Servers do not run as root, and have to reach what they write.
    work.parent.chmod(0o755)
    work.chmod(0o755)
    with contextlib.ExitStack() as stack:
        source, target = (
            stack.enter_context(
                servers.Server("dovecot", work / name, "--users", 2, "--limit", 200)) for name in ("source", "target"))
        fill(source, 0, number, 2_000)
        source.own(source.directory / "mail")
        settle(source, 0, ("INBOX",))
        command = [
            program, "freeze-mail", "--store", work / "ferry.sqlite", "--source", source.port, "--target", target.port,
            "--cutovers", cutovers, source.login(0), target.login(1)]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"freeze-mail failed:\n{done.stderr[-3000:]}")
        taken = json.loads(done.stdout.splitlines()[-1])
    figures = (
        f"median {taken['freezeSeconds'] * 1000:.0f} ms, the delta alone {taken['deltaSeconds'] * 1000:.0f} ms; "
        f"{cutovers} cutovers, {taken['overruns']} over the budget")
    results.add(
        f"freeze of a mailbox of {number:,} messages at its cutover, 99th percentile, against the delta alone",
        taken["freezeP99Seconds"] / taken["deltaSeconds"], "×", 3, True, figures)
    results.add("freezes beyond their budget", taken["overruns"], "", 0, True, figures)


PARTS = {"one": Section.one, "many": Section.many, "delayed": Section.delayed, "people": Section.people_side_by_side,
         "folders": Section.folders, "memory": Section.memory, "million": Section.million}


def measure(results, work: pathlib.Path, scale: int, program: pathlib.Path) -> None:
    """The whole section, or the parts named in FERRY_BENCH_MAIL (separated by commas)."""
    wanted = os.environ.get("FERRY_BENCH_MAIL", "").split(",") if os.environ.get("FERRY_BENCH_MAIL") else PARTS
    # Servers do not run as root, and have to reach what they write.
    work.chmod(0o755)
    with contextlib.ExitStack() as stack:
        source, target = (
            stack.enter_context(
                servers.Server("dovecot", work / name, "--users", USERS, "--limit", 200))
            for name in ("source", "target"))
        section = Section(results, work / "state", program, source, target, scale)
        for name in wanted:
            began = time.monotonic()
            results.part = name
            PARTS[name](section)
            print(f"      ({name}: {time.monotonic() - began:.0f} s)", flush=True)

"""The DAV section of script/bench: Ferry, the floor and its peers between the same two servers, in alternating rounds."""

import contextlib
import dataclasses
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

from mail.bench import PYTHON, Taken, measured, median
from mail.proxy import Proxy

from .places import CollectionServer, FileServer

STREAMS = 4
ROUNDS = 3
# One way, so a round trip takes twice as long.
DELAY = 0.01


def ratio(results, what: str, ours: float, theirs: float, limit: float | None, detail: str) -> None:
    """A line for Ferry's time against another's; `limit` is the largest ratio of the two."""
    if limit is None:
        results.note(what, f"{ours / theirs:.2f}×", detail)
    else:
        results.add(what, ours / theirs, "×", limit, True, detail)


def verifying(program: pathlib.Path, *arguments) -> float:
    """Seconds that the verifier needs after one more pass."""
    done = subprocess.run([program, *map(str, arguments), "--verify"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the verifier failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])["verifySeconds"]


# MARK: files


class Files:
    """Trees of a source Apache that contenders move to a target Apache, each to a person of its own."""

    def __init__(self, results, work: pathlib.Path, program: pathlib.Path, source, target, scale: int):
        self.results, self.work, self.program, self.scale = results, work, program, scale
        self.source, self.target = source, target
        self.next_target = 0
        self.rounds = ROUNDS if scale == 1 else 1

    def plant(self, number: int, count: int, size: int, each: int) -> None:
        """Files, so many in a folder, all different."""
        dice = random.Random(number)
        root = self.source.root(number)
        for index in range(count):
            folder = root / f"folder {index // each}"
            if index % each == 0:
                folder.mkdir(parents=True)
            path = folder / f"file {index}.dat"
            with open(path, "wb") as file:
                for start in range(0, size, 1 << 20):
                    file.write(dice.randbytes(min(1 << 20, size - start)))
            # Past, so that entity tags are strong.
            os.utime(path, (1_600_000_000 + index, 1_600_000_000 + index))
        self.source.settle(number)

    def fresh(self) -> int:
        number = self.next_target
        self.next_target += 1
        self.target.root(number).mkdir(parents=True, exist_ok=True)
        self.target.settle(number)
        return number

    def forget(self, server, number: int) -> None:
        shutil.rmtree(server.root(number), ignore_errors=True)

    def expect(self, who: str, here: int, there: int) -> None:
        def files(root):
            return {str(path.relative_to(root)): path.stat().st_size
                    for path in root.rglob("*") if path.is_file() and ".DAV" not in path.parts}

        left, right = files(self.source.root(here)), files(self.target.root(there))
        if left != right:
            sys.exit(f"{who} left {len(right)} files of {len(left)}")

    # MARK: contenders

    def ferry(self, here: int, there: int, ports: tuple[int, int], *more) -> Taken:
        return measured([*self.command(here, there, ports), *more])

    def command(self, here: int, there: int, ports: tuple[int, int]) -> list:
        return [
            self.program, "copy-dav", "--service", "files", "--store", self.work / f"files-{there}.sqlite", "--source",
            ports[0], "--target", ports[1], f"{self.source.login(here)}={self.target.login(there)}"]

    def floor(self, here: int, there: int, ports: tuple[int, int], *more) -> Taken:
        return measured(
            [sys.executable, "-m", "dav.floor", *ports, STREAMS, f"/dav/{self.source.login(here)}/",
             f"/dav/{self.target.login(there)}/", *more], {"PYTHONPATH": str(PYTHON)})

    def rclone(self, here: int, there: int, ports: tuple[int, int], *more) -> Taken:
        sides = [
            f":webdav,url='http://127.0.0.1:{port}/dav/{server.login(number)}/',vendor=other,user=mover,"
            f"pass={self.obscured()}:"
            for port, server, number in ((ports[0], self.source, here), (ports[1], self.target, there))]
        return measured(["rclone", "--config", os.devnull, "sync", "--size-only", "--transfers", STREAMS, *sides, *more])

    def obscured(self) -> str:
        if not hasattr(self, "_obscured"):
            self._obscured = subprocess.run(
                ["rclone", "obscure", "masterpw"], capture_output=True, text=True, check=True).stdout.strip()
        return self._obscured

    def race(
        self, who: dict[str, object], here: int, ports: tuple[int, int] | None = None
    ) -> tuple[dict[str, Taken], dict[str, int]]:
        """First passes in alternating rounds; the medians, and where each contender's last copy is."""
        ports = ports or (self.source.port, self.target.port)
        taken: dict[str, list[Taken]] = {name: [] for name in who}
        last: dict[str, int] = {}
        for number in range(self.rounds):
            for name in who if number % 2 == 0 else reversed(who):
                there = self.fresh()
                taken[name].append(who[name](here, there, ports))
                self.expect(name, here, there)
                if name in last:
                    self.forget(self.target, last[name])
                last[name] = there
        return {name: median(passes) for name, passes in taken.items()}, last

    def again(self, who: dict[str, object], here: int, last: dict[str, int], ports=None) -> dict[str, Taken]:
        """Passes without changes."""
        ports = ports or (self.source.port, self.target.port)
        taken: dict[str, list[Taken]] = {name: [] for name in who}
        for number in range(self.rounds):
            for name in who if number % 2 == 0 else reversed(who):
                taken[name].append(who[name](here, last[name], ports))
        return {name: median(passes) for name, passes in taken.items()}

    def lines(self, title: str, taken: dict[str, Taken], limits: dict[str, float], scales: dict[str, float] = {}) -> None:
        """`scales` multiplies a contender's time that had a smaller task."""
        ours = taken["Ferry"]
        self.results.note(
            f"WebDAV, {title}: Ferry", f"{ours.seconds:.2f} s",
            f"{ours.processor:.2f} s of processor time, {ours.kilobytes / 1024:.0f} MiB resident")
        for name, theirs in taken.items():
            if name == "Ferry":
                continue
            scale = scales.get(name, 1)
            ratio(
                self.results, f"WebDAV, {title}, against {name}", ours.seconds, theirs.seconds * scale, limits.get(name),
                f"{ours.seconds:.2f} s and {theirs.seconds * scale:.2f} s"
                + (f", reckoned from {theirs.seconds:.2f} s for a part of {1 / scale:.2f}" if scale != 1 else "")
                + f"; processor time {ours.processor:.2f} s and {theirs.processor * scale:.2f} s")

    # MARK: parts

    def small(self) -> None:
        """Many small files, a pass without changes, and the verifier."""
        count, few = 20_000 // self.scale, 1_000 // self.scale
        self.plant(30, count, 10_240, 200)
        # As people have them, a few in a folder.
        self.plant(31, few, 10_240, 10)
        taken, last = self.race({"Ferry": self.ferry, "floor": self.floor}, 30)
        some, copies = self.race({"Ferry": self.ferry, "rclone": self.rclone}, 31)
        self.lines(
            f"{count:,} files of 10 KB", taken | {"rclone": some["rclone"]}, {"floor": 1 / 0.7, "rclone": 1 / 20},
            {"rclone": count / few})
        self.results.add(
            f"WebDAV, peak memory with {count:,} files", taken["Ferry"].kilobytes / 1024, " MiB", 128, True,
            "resident, the whole process")
        spent = verifying(*self.command(30, last["Ferry"], (self.source.port, self.target.port)))
        self.results.note(
            f"WebDAV, the verifier over {count:,} files of 10 KB, reading both sides",
            f"{spent:.2f} s", f"{spent / taken['Ferry'].seconds:.2f} of the copy's time")
        unchanged = self.again({"Ferry": self.ferry, "rclone": self.rclone}, 31, copies)
        unchanged["floor"] = median([
            self.floor(31, copies["Ferry"], (self.source.port, self.target.port), "list") for _ in range(self.rounds)])
        self.lines(f"a pass without changes over {few:,} files", unchanged, {"rclone": 1 / 5})

    def large(self) -> None:
        count, size = 20, 100_000_000 // self.scale
        self.plant(32, count, size, count)
        taken, _ = self.race({"Ferry": self.ferry, "floor": self.floor, "rclone": self.rclone}, 32)
        self.lines(f"{count} files of {size / 1e6:g} MB", taken, {"floor": 1 / 0.8, "rclone": 1})
        self.results.add(
            f"WebDAV, peak memory with files of {size / 1e6:g} MB", taken["Ferry"].kilobytes / 1024, " MiB", 128, True,
            "resident, the whole process")
        self.forget(self.source, 32)

    def far(self) -> None:
        """Both servers behind a slow link."""
        few = 1_000 // self.scale
        self.plant(33, few, 10_240, 10)
        with Proxy(self.source.port, DELAY) as here, Proxy(self.target.port, DELAY) as there:
            ports = here.port, there.port
            taken, last = self.race({"Ferry": self.ferry, "floor": self.floor, "rclone": self.rclone}, 33, ports)
            self.lines(f"{few:,} files of 10 KB, {DELAY * 2000:.0f} ms of delay", taken, {"rclone": 1 / 2})
            last.pop("floor")
            unchanged = self.again({"Ferry": self.ferry, "rclone": self.rclone}, 33, last, ports)
            self.lines(
                f"a pass without changes over {few:,} files, {DELAY * 2000:.0f} ms of delay", unchanged, {"rclone": 1 / 2})


# MARK: calendars and contacts


@dataclasses.dataclass
class Objects:
    """A person's calendar and address book that contenders move between two servers of one kind."""

    results: object
    work: pathlib.Path
    program: pathlib.Path
    source: CollectionServer
    target: CollectionServer
    scale: int
    next_target: int = 1

    @property
    def rounds(self) -> int:
        return ROUNDS if self.scale == 1 else 1

    def fill(self, count: int) -> None:
        """Objects with their UIDs as names, as most programs name them."""
        self.source.prepare(0)
        self.source.put("calendar", 0, {"work": {
            f"event-{number}@bench.ics": (
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ferry//Bench//EN\r\nBEGIN:VEVENT\r\n"
                f"UID:event-{number}@bench\r\nDTSTAMP:20240101T000000Z\r\nDTSTART:202406{number % 28 + 1:02}T"
                f"{number % 24:02}0000Z\r\nDURATION:PT1H\r\nSUMMARY:Meeting {number}\r\n"
                + "COMMENT:wie immer im Raum mit der Aussicht auf den Hafen\r\n" * 4
                + "END:VEVENT\r\nEND:VCALENDAR\r\n").encode()
            for number in range(count)}})
        self.source.put("contacts", 0, {"friends": {
            f"card-{number}@bench.vcf": (
                f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:card-{number}@bench\r\nFN:Person {number}\r\nN:{number};Person;;;\r\n"
                f"EMAIL:person{number}@elsewhere.example\r\nTEL:+49 30 {number}\r\nEND:VCARD\r\n").encode()
            for number in range(count)}})
        self.source.read("calendar", 0)

    def fresh(self) -> int:
        number = self.next_target
        self.next_target += 1
        self.target.prepare(number)
        return number

    def ferry(self, there: int, *more) -> Taken:
        return measured([*self.command(there), *more])

    def singly(self, there: int) -> Taken:
        return self.ferry(there, "--singly")

    def command(self, there: int) -> list:
        radicale = self.source.kind == "radicale"
        return [
            self.program, "copy-dav", "--service", "calendar", "--service", "contacts", "--store",
            self.work / f"{self.source.kind}-{there}.sqlite", "--source", self.source.http, "--target", self.target.http,
            "--path", "/{login}/" if radicale else "/dav/principals/user/{login}/",
            *([] if radicale else ["--user", "{login}", "--password", "pw"]),
            f"{self.source.login(0)}={self.target.login(there)}"]

    def vdirsyncer(self, there: int) -> Taken:
        place = self.work / f"vdirsyncer-{self.source.kind}-{there}"
        config = place / "config"
        command = ["vdirsyncer", "--config", config]
        if not place.exists():
            place.mkdir()
            text = f'[general]\nstatus_path = "{place}/status/"\n'
            for service, kind, collection in (("calendar", "caldav", "work"), ("contacts", "carddav", "friends")):
                text += (
                    f'[pair {service}]\na = "{service}_a"\nb = "{service}_b"\n'
                    f'collections = ["{collection}"]\nconflict_resolution = "a wins"\n')
                for side, server, number in (("a", self.source, 0), ("b", self.target, there)):
                    text += (
                        f'[storage {service}_{side}]\ntype = "{kind}"\n'
                        f'url = "http://127.0.0.1:{server.http}{server.home(service, number)}"\n'
                        f'username = "{server.login(number)}"\npassword = "pw"\n')
            config.write_text(text)
            self.target.put("calendar", there, {"work": {}})
            self.target.put("contacts", there, {"friends": {}})
            subprocess.run([*command, "discover"], check=True, capture_output=True, input=b"y\n" * 8)
        return measured([*command, "sync"])

    def race(self, count: int) -> None:
        who = {"Ferry": self.ferry, "Ferry, an item at a time": self.singly, "vdirsyncer": self.vdirsyncer}
        first: dict[str, list[Taken]] = {name: [] for name in who}
        last: dict[str, int] = {}
        for number in range(self.rounds):
            for name in who if number % 2 == 0 else reversed(who):
                last[name] = there = self.fresh()
                first[name].append(who[name](there))
                for service, collection in (("calendar", "work"), ("contacts", "friends")):
                    home = self.target.home(service, there)
                    found = [types for _, types, _ in self.target.children(f"{home}{collection}/", there) if not types]
                    if len(found) != count:
                        sys.exit(f"{name} left {len(found)} of {count} in {service}")
        again: dict[str, list[Taken]] = {"Ferry": [], "vdirsyncer": []}
        for number in range(self.rounds):
            for name in again if number % 2 == 0 else reversed(again):
                again[name].append(who[name](last[name]))
        taken, unchanged = (
            {name: median(passes) for name, passes in rounds.items()} for rounds in (first, again))
        kind, title = self.source.kind.capitalize(), f"{count:,} events and {count:,} cards"
        ours, singly, theirs = taken.values()
        is_radicale = self.source.kind == "radicale"
        self.results.note(
            f"{kind}, {title}: Ferry", f"{ours.seconds:.2f} s",
            f"{ours.processor:.2f} s of processor time, {ours.kilobytes / 1024:.0f} MiB resident")
        ratio(
            self.results, f"{kind}, {title}, as many at once as the server takes, against vdirsyncer", ours.seconds,
            theirs.seconds, 1 / 5 if is_radicale else 1 / 3, f"{ours.seconds:.2f} s and {theirs.seconds:.2f} s")
        ratio(
            self.results, f"{kind}, {title}, an item at a time, against vdirsyncer", singly.seconds, theirs.seconds,
            1 / 0.95 if is_radicale else 1 / 3, f"{singly.seconds:.2f} s and {theirs.seconds:.2f} s")
        same, theirs = unchanged["Ferry"], unchanged["vdirsyncer"]
        ratio(
            self.results, f"{kind}, a pass without changes, against vdirsyncer", same.seconds, theirs.seconds, 1 / 2,
            f"{same.seconds:.2f} s and {theirs.seconds:.2f} s")
        spent = verifying(*self.command(last["Ferry"]))
        self.results.note(
            f"{kind}, the verifier over {title}", f"{spent:.2f} s", f"{spent / ours.seconds:.2f} of the copy's time")


# MARK: the section


def files(results, work: pathlib.Path, scale: int, program: pathlib.Path, part) -> None:
    with contextlib.ExitStack() as stack:
        source, target = (
            stack.enter_context(FileServer("apache", work / f"apache-{name}")) for name in ("source", "target"))
        part(Files(results, work, program, source, target, scale))


def collections(results, work: pathlib.Path, scale: int, program: pathlib.Path, kind: str) -> None:
    if not shutil.which("vdirsyncer"):
        print("      SKIPPED calendars and contacts: no vdirsyncer; script/bootstrap bench installs it", flush=True)
        return
    with contextlib.ExitStack() as stack:
        source, target = (
            stack.enter_context(CollectionServer(kind, work / f"{kind}-{name}")) for name in ("source", "target"))
        section = Objects(results, work, program, source, target, scale)
        count = 1_000 // scale
        section.fill(count)
        section.race(count)


PARTS = {
    "small": lambda *given: files(*given, Files.small), "large": lambda *given: files(*given, Files.large),
    "far": lambda *given: files(*given, Files.far), "radicale": lambda *given: collections(*given, "radicale"),
    "cyrus": lambda *given: collections(*given, "cyrus")}


def measure(results, work: pathlib.Path, scale: int, program: pathlib.Path) -> None:
    """The whole section, or the parts named in FERRY_BENCH_DAV (separated by commas)."""
    wanted = os.environ.get("FERRY_BENCH_DAV", "").split(",") if os.environ.get("FERRY_BENCH_DAV") else PARTS
    # Servers do not run as root, and have to reach what they write.
    work.chmod(0o755)
    for name in wanted:
        began = time.monotonic()
        place = work / name
        place.mkdir()
        place.chmod(0o755)
        results.part = name
        PARTS[name](results, place, scale, program)
        shutil.rmtree(place, ignore_errors=True)
        print(f"      ({name}: {time.monotonic() - began:.0f} s)", flush=True)

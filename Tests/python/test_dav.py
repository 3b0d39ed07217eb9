"""Files, calendars and contacts between folders and real servers, by the real program, compared by code of our own."""

import pathlib
import random
import tempfile
import time

import pytest

import ferry
from dav import objects, trees
from dav.places import CollectionServer, FileServer, FolderPlace
from mail import mover
from mail.servers import NotInstalled


def place(kind: str, directory: pathlib.Path):
    if kind == "folder":
        return FolderPlace(directory)
    try:
        return (FileServer if kind in ("apache", "rclone") else CollectionServer)(kind, directory).start()
    except NotInstalled as problem:
        pytest.skip(str(problem))


@pytest.mark.parametrize(
    "kinds", [("folder", "apache"), ("apache", "rclone"), ("rclone", "folder")], ids=lambda kinds: " to ".join(kinds))
def test_a_difficult_tree_moves_whole(kinds):
    with tempfile.TemporaryDirectory(prefix="dav-test-", dir="/var/tmp") as folder:
        work = pathlib.Path(folder)
        # The servers run as somebody else, who has to get there.
        work.chmod(0o755)
        dice = random.Random(1)
        places = []
        try:
            for role, kind in zip(("source", "target"), kinds):
                places.append(place(kind, work / f"{role}-{kind}"))
            source, target = places
            trees.plant(source.root(1), dice, largest=9_000_000)
            source.settle(1)
            move = mover.Move(
                pathlib.Path(ferry.BINARY), work / "job", source, target, [(1, 2)], services=("files",), workload="ODSP",
                name="files")
            with move:
                move.begin()
                move.wait_for_passes(0)
                assert trees.differences(trees.read(source.root(1)), trees.read(target.root(2))) == []
                trees.work(source.root(1), dice)
                source.settle(1)
                move.wait_for_passes(1)
                move.finish()
                assert trees.differences(trees.read(source.root(1)), trees.read(target.root(2))) == []
                said = move.verification()
                assert said["code"] == 0, said
                assert [row for row in move.findings() if row["message"]] == []
            checked = ferry.run("check", "--config", move.directory / "ferry.yaml", env=move.environment)
            assert "problem" not in checked, checked
            if "apache" in kinds:
                assert "Apache/2.4" in checked and "keeps no times of files" in checked, checked
        finally:
            for one in places:
                if not isinstance(one, FolderPlace):
                    one.stop()


def compare(source, target, service: str, here: int, there: int, people: dict[str, str]) -> list[str]:
    """What is not at the target as it has to be."""
    left, right = source.read(service, here), target.read(service, there)
    found = []
    for collection, originals in left.items():
        copies = right.get(collection, {})
        wanted = {name: objects.meaning(objects.moved(content, people)) for name, content in originals.items()}
        present = {name: objects.meaning(content) for name, content in copies.items()}
        found += [f"{service}/{collection}/{name}" for name in wanted.keys() | present.keys()
                  if wanted.get(name) != present.get(name)]
    return sorted(found)


@pytest.mark.parametrize(
    "kinds", [("folder", "radicale"), ("radicale", "cyrus"), ("cyrus", "folder")], ids=lambda kinds: " to ".join(kinds))
def test_difficult_calendars_and_contacts_move_whole(kinds):
    with tempfile.TemporaryDirectory(prefix="dav-test-", dir="/var/tmp") as folder:
        work = pathlib.Path(folder)
        work.chmod(0o755)
        places = []
        try:
            for role, kind in zip(("source", "target"), kinds):
                places.append(place(kind, work / f"{role}-{kind}"))
            source, target = places
            for one, numbers in ((source, (1, 3)), (target, (2, 4))):
                for number in numbers:
                    one.prepare(number)
            people = {"u0001@contoso.example": "u0002@fabrikam.example", "u0003@contoso.example": "u0004@fabrikam.example"}
            source.put("calendar", 1, objects.calendars(*people))
            source.put("contacts", 1, objects.contacts("u0003@contoso.example"))
            move = mover.Move(
                pathlib.Path(ferry.BINARY), work / "job", source, target, [(1, 2), (3, 4)],
                services=("mail", "calendar", "contacts"), name="objects", local="u{:04}")
            with move:
                move.begin()
                move.wait_for_passes(0)
                source.put("calendar", 1, {"work": {
                    "fresh.ics": objects.wrapped(
                        "BEGIN:VEVENT\nUID:fresh@x\nDTSTAMP:20240101T000000Z\nDTSTART:20240801T100000Z\nDURATION:PT1H\nSUMMARY:Fresh\nEND:VEVENT"),
                    "plain.ics": objects.wrapped(
                        "BEGIN:VEVENT\nUID:plain@x\nDTSTAMP:20240101T000000Z\nDTSTART:20240802T100000Z\nDURATION:PT1H\nSUMMARY:Later\nEND:VEVENT")}})
                source.delete("calendar", 1, "work", "many-7.ics")
                source.delete("contacts", 1, "friends", "many-7.vcf")
                move.wait_for_passes(1)
                move.finish()
                odd = [name for service in ("calendar", "contacts")
                       for name in compare(source, target, service, 1, 2, people)]
                assert odd == []
                said = move.verification()
                assert [(row["item"], row["message"]) for row in move.findings() if row["message"]] == []
                assert said["code"] == 0, said
            if kinds[1] == "cyrus":
                assert not (target.directory / "sent").exists(), (target.directory / "sent").read_text()
        finally:
            for one in places:
                if not isinstance(one, FolderPlace):
                    one.stop()


@pytest.mark.parametrize("kind", ["apache", "radicale"])
def test_nothing_is_lost_or_twice_when_ferry_is_killed_again_and_again(kind):
    with tempfile.TemporaryDirectory(prefix="dav-test-", dir="/var/tmp") as folder:
        work = pathlib.Path(folder)
        work.chmod(0o755)
        dice = random.Random(3)
        source, target = FolderPlace(work / "source"), place(kind, work / "target")
        try:
            people = {"u0001@contoso.example": "u0002@fabrikam.example", "u0003@contoso.example": "u0004@fabrikam.example"}
            if kind == "apache":
                trees.plant(source.root(1), dice, largest=9_000_000)
                options = {"services": ("files",), "workload": "ODSP"}
            else:
                for number in (1, 3):
                    source.prepare(number)
                    target.prepare(number + 1)
                source.put("calendar", 1, objects.calendars(*people))
                source.put("contacts", 1, objects.contacts("u0003@contoso.example"))
                options = {"services": ("mail", "calendar", "contacts")}
            pairs = [(1, 2)] if kind == "apache" else [(1, 2), (3, 4)]
            move = mover.Move(
                pathlib.Path(ferry.BINARY), work / "job", source, target, pairs, name="killed", local="u{:04}", **options)
            with move:
                move.begin()
                for _ in range(4):
                    # Anywhere in what it does.
                    time.sleep(dice.uniform(0.02, 0.7))
                    move.kill()
                    move.start()
                move.wait_for_passes(0)
                move.finish()
                if kind == "apache":
                    assert trees.differences(trees.read(source.root(1)), trees.read(target.root(2))) == []
                else:
                    assert compare(source, target, "calendar", 1, 2, people) == []
                    assert compare(source, target, "contacts", 1, 2, people) == []
                assert move.verification()["code"] == 0
        finally:
            if not isinstance(target, FolderPlace):
                target.stop()

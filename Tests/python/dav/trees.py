"""File trees that trip movers, and what is there of them, read from the disk by code that shares nothing with Ferry."""

import hashlib
import os
import pathlib
import random
import shutil
import unicodedata

FOLDERS = ["Docs", "Docs/empty", "Größe & Söhne #1", "日本語/写真 100%", "a+b;c,d", "~tilde", "UPPER", "upper"]


def names() -> list[str]:
    """Paths of files, each odd in its way."""
    deep = "/".join(f"level {number} of a path that is long" for number in range(12))
    return [
        "plain.txt", "no extension", "Docs/report.pdf", "Docs/.hidden", "Größe & Söhne #1/über.txt",
        unicodedata.normalize("NFC", "é composed.txt"), unicodedata.normalize("NFD", "è taken apart.txt"),
        "日本語/写真 100%/船🚢.jpg", "a+b;c,d/x=y?z&w.txt", "~tilde/~$lock.docx", "UPPER/Name.txt", "upper/name.txt",
        "UPPER/NAME.TXT", "quote \" and ' and \\.txt", "trailing dot.", " leading blank", "percent%2Fslash.txt",
        "semi;colon:colon.txt", "x" * 200 + ".bin", f"{deep}/end.txt", "Docs/zero"]


def plant(root: pathlib.Path, dice: random.Random, largest: int) -> None:
    """A difficult tree, with a file of `largest` bytes and many small ones."""
    root.mkdir(parents=True, exist_ok=True)
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names()):
        write(root / name, dice.randbytes(0 if name == "Docs/zero" else 100 + number * 977))
    for number in range(120):
        write(root / f"many/{number % 7}/{number}.dat", dice.randbytes(dice.randrange(20_000)))
    write(root / "large.bin", dice.randbytes(largest))
    # Past, so that no clock is too coarse for a change that follows.
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (1_600_000_000, 1_600_000_000 + dice.randrange(10**7)))
    (root / "many/0/0.dat").chmod(0o755)


def write(path: pathlib.Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def work(root: pathlib.Path, dice: random.Random) -> None:
    """What people do while their files are being moved: create, change, delete, move, swap a file for a folder."""
    write(root / "new/inside/fresh.txt", dice.randbytes(5_000))
    write(root / "plain.txt", dice.randbytes(777))
    (root / "many/1/1.dat").unlink()
    (root / "many/2").rename(root / "moved along")
    shutil.rmtree(root / "many/3")
    (root / "no extension").unlink()
    write(root / "no extension/is a folder now", b"yes")
    (root / "Docs/empty").rmdir()
    write(root / "Docs/empty", b"a file by now")


def read(root: pathlib.Path) -> dict[str, str]:
    """Every path below, with the digest of a file or the word "folder", but for what Ferry leaves at a source: that it is
    frozen, and where the person has gone."""
    found = {}
    for directory, folders, files in os.walk(root):
        # Apache's notes on properties.
        folders[:] = [name for name in folders if name != ".DAV"]
        for name in folders:
            found[str((pathlib.Path(directory) / name).relative_to(root))] = "folder"
        for name in files:
            if name in (".ferry-frozen", ".ferry-moved"):
                continue
            path = pathlib.Path(directory) / name
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def differences(here: dict[str, str], there: dict[str, str]) -> list[str]:
    return sorted(
        f"{path!r}: {here.get(path, 'nothing')[:12]} at the source, {there.get(path, 'nothing')[:12]} at the target"
        for path in here.keys() | there.keys() if here.get(path) != there.get(path))

"""Mailboxes read and filled from outside, over IMAP with imaplib and in Maildir++ folders: nothing here is Ferry's."""

import binascii
import contextlib
import imaplib
import os
import pathlib
import re
import secrets
import tempfile
import time

from .corpus import Folder, Mail, Mailbox
from .servers import Server

# A tagged answer may take that long when a server has just been killed and mends its indexes.
PATIENCE = 120
imaplib._MAXLINE = 100_000_000


# MARK: names


def encode(level: str) -> str:
    """Modified UTF-7 (RFC 3501 section 5.1.3)."""
    parts = re.split(r"([^\x20-\x7e]+)", level)
    return "".join(
        "&" + binascii.b2a_base64(part.encode("utf-16-be"), newline=False).decode().rstrip("=").replace("/", ",") + "-"
        if index % 2 else part.replace("&", "&-") for index, part in enumerate(parts))


def decode(level: str) -> str:
    def run(match: re.Match) -> str:
        letters = match[1].replace(",", "/")
        return binascii.a2b_base64(letters + "=" * (-len(letters) % 4)).decode("utf-16-be") if letters else "&"

    return re.sub(r"&([^-]*)-", run, level)


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


# MARK: IMAP


class Session:
    """One person's connection, as a mail program has it."""

    def __init__(self, server: Server, number: int, port: int | None = None):
        self.session = server.session(number, port)
        self.separator, self.folders = "/", {}
        self.refresh()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            self.session.logout()

    def command(self, *parts: str, literal: bytes | None = None) -> list:
        """Untagged answers of the command's own kind; raises `imaplib.IMAP4.error` on NO and BAD."""
        self.session.literal = literal
        kind, answer = self.session._simple_command(*parts)
        if kind != "OK":
            raise imaplib.IMAP4.error(f"{parts[:2]}: {kind} {answer}")
        return self.session._untagged_response(kind, answer, parts[0])[1]

    def refresh(self) -> dict[tuple[str, ...], set[str]]:
        """Paths of all folders, each with its attributes in lower case."""
        self.folders = {}
        for line in self.command("LIST", '""', '"*"'):
            if line is None:
                continue
            if isinstance(line, tuple):
                head, name = line[0], line[1].decode()
                match = re.match(rb'\((.*?)\) (NIL|".*?") \{', head)
            else:
                match = re.match(rb'\((.*?)\) (NIL|"\\?.") (.*)', line)
                if not match:
                    continue
                name = match[3].decode()
                if name.startswith('"'):
                    name = re.sub(r"\\(.)", r"\1", name[1:-1])
            if match[2] != b"NIL":
                self.separator = match[2].decode()[-2]
            self.folders[self.path(name)] = {item.decode().lower() for item in match[1].split()}
        return self.folders

    def path(self, name: str) -> tuple[str, ...]:
        path = tuple(decode(level) for level in name.split(self.separator))
        return ("INBOX",) + path[1:] if path[0].upper() == "INBOX" else path

    def name(self, path: tuple[str, ...]) -> str:
        return quoted(self.separator.join(encode(level) for level in path))

    def create(self, path: tuple[str, ...], subscribed: bool) -> None:
        if path not in self.folders:
            self.command("CREATE", self.name(path))
            self.folders[path] = set()
        self.command("SUBSCRIBE" if subscribed else "UNSUBSCRIBE", self.name(path))

    def append(self, path: tuple[str, ...], mail: Mail) -> None:
        date = time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime(mail.date))
        self.command("APPEND", self.name(path), f"({' '.join(sorted(mail.flags))})", date, literal=mail.content)

    def select(self, path: tuple[str, ...], readonly: bool = False) -> int:
        """How many messages there are."""
        self.session.untagged_responses = {}
        self.session.is_readonly = readonly
        self.command("EXAMINE" if readonly else "SELECT", self.name(path))
        # imaplib's own way here does not quote names.
        self.session.state = "SELECTED"
        return int(self.session.untagged_responses["EXISTS"][-1])

    def mails(self, path: tuple[str, ...]) -> list[Mail]:
        """Everything in a folder, in the order of arrival there, without touching it."""
        if self.select(path, readonly=True) == 0:
            return []
        return [
            Mail(part[1], self._flags(part[0]), self._date(part[0]))
            for part in self.command("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])") if isinstance(part, tuple)]

    @staticmethod
    def _flags(head: bytes) -> frozenset[str]:
        found = re.search(rb"FLAGS \((.*?)\)", head)[1].decode().lower().split()
        return frozenset(found) - {r"\recent"}

    @staticmethod
    def _date(head: bytes) -> int:
        return int(time.mktime(imaplib.Internaldate2tuple(head)))

    def subscriptions(self) -> set[tuple[str, ...]]:
        before, self.folders = self.folders, {}
        found = set()
        for line in self.command("LSUB", '""', '"*"'):
            if isinstance(line, tuple):
                found.add(self.path(line[1].decode()))
            elif line and (match := re.match(rb'\((.*?)\) (?:NIL|"\\?.") (.*)', line)):
                name = match[2].decode()
                if rb"\noselect" not in match[1].lower():
                    found.add(self.path(re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name))
        self.folders = before
        return found

    def mailbox(self) -> Mailbox:
        subscribed = self.subscriptions()
        return {
            path: Folder(self.mails(path), path in subscribed)
            for path, attributes in sorted(self.refresh().items())
            if not attributes & {r"\noselect", r"\nonexistent"}}


def fill(server: Server, number: int, mailbox: Mailbox) -> list[tuple[tuple[str, ...], Mail]]:
    """Puts a mailbox on a server, over IMAP; gives what the server refused, which is then not there."""
    refused = []
    with Session(server, number) as session:
        for path, folder in mailbox.items():
            try:
                session.create(path, folder.subscribed)
            except imaplib.IMAP4.error:
                refused += [(path, mail) for mail in folder.mails]
                continue
            for mail in folder.mails:
                try:
                    session.append(path, mail)
                except imaplib.IMAP4.error:
                    refused.append((path, mail))
    return refused


def plant(server: Server, number: int, mails: list[Mail], path: tuple[str, ...] = ("INBOX",)) -> None:
    """Puts messages into a person's folder at Dovecot by way of the disk: many, or what APPEND would not take as it is. Of
    the flags those that a Maildir has letters for."""
    root = server.folder(number, path)
    if not (root / "tmp").exists():
        for part in ("cur", "new", "tmp"):
            (root / part).mkdir(parents=True)
        server.own(server.maildir(number).parent)
    # The server may look at any moment, and has to find files of its own.
    with tempfile.TemporaryDirectory(dir=server.directory) as place:
        scratch = pathlib.Path(place)
        (scratch / "cur").mkdir()
        for mail in mails:
            letters = "".join(sorted(letter for letter, flag in LETTERS.items() if flag in mail.flags))
            deliver(scratch, mail, letters)
        server.own(scratch)
        for file in (scratch / "cur").iterdir():
            file.rename(root / "cur" / file.name)


# MARK: Maildir++


def level(text: str) -> str:
    """One level of a Maildir++ folder's name: modified UTF-7, which has no way to write a dot or a slash inside."""
    return encode(text).replace(".", "&AC4-").replace("/", "&AC8-")


LETTERS = {"D": r"\draft", "F": r"\flagged", "P": "$forwarded", "R": r"\answered", "S": r"\seen", "T": r"\deleted"}


def store(root: pathlib.Path, mails: list[Mail]) -> None:
    """Writes messages into one Maildir, as a mail program with keywords (Dovecot's form) does."""
    for part in ("cur", "new", "tmp"):
        (root / part).mkdir(parents=True, exist_ok=True)
    keywords = sorted({flag for mail in mails for flag in mail.flags} - set(LETTERS.values()))
    (root / "dovecot-keywords").write_text("".join(f"{index} {name}\n" for index, name in enumerate(keywords)))
    for mail in mails:
        letters = sorted(letter for letter, flag in LETTERS.items() if flag in mail.flags)
        letters += sorted(chr(97 + keywords.index(flag)) for flag in mail.flags - set(LETTERS.values()))
        deliver(root, mail, "".join(letters))


def deliver(root: pathlib.Path, mail: Mail, letters: str) -> None:
    path = root / "cur" / f"{max(0, mail.date)}.M{secrets.token_hex(6)}P1.host:2,{letters}"
    path.write_bytes(mail.content)
    os.utime(path, (mail.date, mail.date))


def store_mailbox(root: pathlib.Path, mailbox: Mailbox) -> None:
    lines = []
    for path, folder in mailbox.items():
        name = ".".join(level(part) for part in path)
        store(root if path == ("INBOX",) else root / f".{name}", folder.mails)
        if folder.subscribed:
            lines.append(name + "\n")
    (root / "subscriptions").write_text("".join(lines))


def read(root: pathlib.Path) -> list[Mail]:
    names = {}
    with contextlib.suppress(FileNotFoundError):
        for line in (root / "dovecot-keywords").read_text().splitlines():
            number, _, name = line.partition(" ")
            names[chr(97 + int(number))] = name.lower()
    found = []
    for part in ("new", "cur"):
        for path in sorted((root / part).iterdir()):
            letters = path.name.partition(":2,")[2]
            flags = frozenset(LETTERS.get(letter) or names[letter] for letter in letters if letter in LETTERS or letter in names)
            found.append(Mail(path.read_bytes(), flags, int(path.stat().st_mtime // 1)))
    return found


def read_mailbox(root: pathlib.Path) -> Mailbox:
    lines = set()
    with contextlib.suppress(FileNotFoundError):
        lines = set((root / "subscriptions").read_text().splitlines())
    found = {("INBOX",): Folder(read(root), "INBOX" in lines)}
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") and (path / "cur").is_dir():
            name = path.name[1:]
            levels = (part.replace("&AC4-", ".").replace("&AC8-", "/") for part in name.split("."))
            found[tuple(decode(part) for part in levels)] = Folder(read(path), name in lines)
    return found

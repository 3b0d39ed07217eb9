"""Holds two mailboxes against each other, byte by byte and as multisets, knowing what each kind of server does to mail."""

import collections
import dataclasses
import re
import unicodedata

from . import boxes
from .corpus import Mail, Mailbox

# Dovecot keeps a date that lies a little ahead of its clock.
FUTURE = 3_600


class Injustice(Exception):
    """Something is lost, twice, or changed in a way that no server's oddity explains."""


@dataclasses.dataclass
class Verdict:
    identical: int = 0
    #: Changed in a way that is known of the target, by reason.
    changed: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    #: Refused by the target for a known reason.
    refused: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    #: In the target and put there by somebody else.
    foreign: int = 0

    @property
    def total(self) -> int:
        return self.identical + sum(self.changed.values()) + sum(self.refused.values())

    def add(self, other: "Verdict") -> None:
        self.identical += other.identical
        self.changed += other.changed
        self.refused += other.refused
        self.foreign += other.foreign

    def __str__(self) -> str:
        odd = [f"{count} changed ({reason})" for reason, count in sorted(self.changed.items())]
        odd += [f"{count} refused ({reason})" for reason, count in sorted(self.refused.items())]
        return ", ".join([f"{self.identical:,} identical", *odd])


def plain(path: tuple[str, ...]) -> tuple[str, ...]:
    """A path with what stands for characters that a server does not take (their fullwidth forms) written as those, and
    accents composed."""
    wide = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2400 + code: code for code in range(32)}
    return tuple(unicodedata.normalize("NFC", level).translate(wide) for level in path)


def places(here: Mailbox, uses: dict) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Where each folder of the source has to be at the target, by its path. Of two whose names differ only in how accents
    are composed the later one gets a number."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for path in sorted(here, key=lambda path: "/".join(boxes.encode(level) for level in path)):
        place, number = plain(uses.get(path, path)), 1
        while place in found.values() and path not in uses:
            number += 1
            place = (*plain(path)[:-1], f"{plain(path)[-1]} ({number})")
        found[path] = place
    return found


def crlf(content: bytes) -> bytes:
    return re.sub(rb"(?<!\r)\n", b"\r\n", content)


def header_end(content: bytes) -> int:
    if content.startswith(b"\r\n"):
        return 0
    found = content.find(b"\r\n\r\n")
    return len(content) if found < 0 else found


def alterations(mail: Mail, kind: str) -> tuple[Mail, list[str]]:
    """The message as a target of that kind keeps it, but for a date that it replaces by its own; and why."""
    content, flags, date, reasons = mail.content, mail.flags, mail.date, []
    if kind == "folder":
        return mail, reasons
    if date != min(max(date, 1), 2**32 - 1):
        date = min(max(date, 1), 2**32 - 1)
        reasons.append("date before 1970 or after 2106")
    # No difference between the sides: a Maildir's lines end in LF, and mean CRLF.
    content = crlf(content)
    if kind == "dovecot":
        if b"\0" in content:
            content = content.replace(b"\0", b"\x80")
            reasons.append("NUL")
        # A CR that belongs to no line end is lost before one.
        single = re.sub(rb"\r+\r\n", b"\r\n", content)
        if single != content:
            content = single
            reasons.append("CR CR LF")
    if kind == "cyrus":
        end = header_end(content)
        head = bytes(byte if byte < 128 else 88 for byte in content[:end])
        if head != content[:end]:
            content = head + content[end:]
            reasons.append("8-bit header")
    return Mail(content, flags, date), reasons


def refusal(mail: Mail, kind: str) -> str | None:
    """Why a target of that kind may refuse a message, if it may."""
    content = crlf(mail.content)
    if kind == "folder":
        return None
    if not content:
        return "empty"
    if kind == "cyrus":
        if b"\0" in content:
            return "NUL"
        head = content[: header_end(content)]
        lines = re.sub(rb"\r\n[ \t]", b" ", head).split(b"\r\n")
        if any(line and not re.match(rb"[!-9;-~]+[ \t]*:", line) for line in lines):
            return "malformed header"
    return None


def compare(
    here: Mailbox, there: Mailbox, kind: str, span: tuple[float, float], uses: dict | None = None,
    foreign: collections.Counter | None = None,
) -> Verdict:
    """Compares folder by folder; `kind` is the target's. `span` is from before the move began until now. `uses` says under
    which path the target has a folder that is its own for a purpose; `foreign` counts mail by (path, message) that others
    have put into the target."""
    verdict = Verdict()
    foreign = foreign or collections.Counter()
    rest: dict[tuple[str, ...], list[Mail]] = collections.defaultdict(list)
    for path, folder in there.items():
        rest[plain(path)] += folder.mails
    subscribed = {plain(path) for path, folder in there.items() if folder.subscribed}
    for path, place in places(here, uses or {}).items():
        folder = here[path]
        if place not in rest:
            raise Injustice(f"the folder {path} is not at the target; there are {sorted(rest)}")
        if folder.subscribed != (place in subscribed):
            raise Injustice(f"{path} is {'' if folder.subscribed else 'not '}subscribed at the source, unlike at the target")
        found = collections.Counter(rest.pop(place))
        others = collections.Counter({mail: count for (where, mail), count in foreign.items() if plain(where) == place})
        if others - found:
            raise Injustice(f"{path}: mail of others is gone or changed: {summary(others - found)}")
        found -= others
        verdict.foreign += others.total()
        verdict.add(compare_folder(path, folder.mails, found, kind, span))
    for path, mails in rest.items():
        # A folder of their own.
        others = collections.Counter({mail: count for (where, mail), count in foreign.items() if plain(where) == path})
        found = collections.Counter(mails)
        if others - found:
            raise Injustice(f"{path}: mail of others is gone or changed: {summary(others - found)}")
        if found - others:
            raise Injustice(
                f"the target has {(found - others).total()} messages in {path}, which is not at the source")
    return verdict


def compare_folder(
    path: tuple[str, ...], mails: list[Mail], found: collections.Counter, kind: str, span: tuple[float, float]
) -> Verdict:
    verdict = Verdict()
    wanted = collections.Counter(mails)
    same = wanted & found
    verdict.identical = same.total()
    wanted, found = wanted - same, found - same
    lost = collections.Counter()
    for mail in wanted.elements():
        kept, reasons = alterations(mail, kind)
        rest = [other for other in found if other.content == kept.content and other.flags == kept.flags]
        match = next((other for other in rest if other.date == kept.date), None)
        if match is None and kind == "dovecot" and mail.date > span[0] + FUTURE:
            match = next((other for other in rest if span[0] - 2 <= other.date <= span[1] + 2), None)
            reasons = reasons + ["date in the future"]
        if match is not None:
            found[match] -= 1
            found += collections.Counter()
            if reasons:
                verdict.changed[" and ".join(reasons)] += 1
            else:
                verdict.identical += 1
        elif reason := refusal(mail, kind):
            verdict.refused[reason] += 1
        else:
            lost[mail] += 1
    if lost or found:
        raise Injustice(f"{path}: lost or changed: {summary(lost)}; not expected there: {summary(found)}")
    return verdict


def summary(mails: collections.Counter) -> str:
    """A few of them in a few words."""
    lines = [
        f"{count} × {mail.content[:70]!r} ({len(mail.content)} bytes, {' '.join(sorted(mail.flags))}, {mail.date})"
        for mail, count in list(mails.items())[:4]]
    return f"{mails.total()} [{'; '.join(lines)}]"

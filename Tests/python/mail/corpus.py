"""What mailboxes hold that trips programs which move them: made anew from a seed, never read from anywhere."""

import dataclasses
import random
import time

DAY = 86_400


@dataclasses.dataclass(frozen=True)
class Mail:
    """A message as a mailbox has it: flags in lower case and without \\Recent, the date of arrival in seconds since 1970."""

    content: bytes
    flags: frozenset[str] = frozenset()
    date: int = 1_500_000_000


@dataclasses.dataclass
class Folder:
    mails: list[Mail]
    subscribed: bool = False


Mailbox = dict[tuple[str, ...], Folder]

SYSTEM = [r"\seen", r"\answered", r"\flagged", r"\draft", r"\deleted"]


def text(subject: str, body: bytes = b"Text.\r\n", *lines: bytes) -> bytes:
    head = [b"From: Ada <ada@contoso.example>", b"Subject: " + subject.encode(), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def contents(dice: random.Random) -> list[bytes]:
    """Messages whose content is the difficulty; line ends are CRLF but where they are the point."""
    noise = dice.randbytes(3_000).replace(b"\0", b"\1").replace(b"\r", b"\2").replace(b"\n", b"\3")
    same = b"Message-ID: <same@contoso.example>"
    return [
        text("plain", b"Plain.\r\n", b"Message-ID: <plain@contoso.example>"),
        text("the same Message-ID", b"One.\r\n", same),
        text("the same Message-ID", b"Another.\r\n", same),
        text("the same Message-ID", b"Another.\r\n", same),
        text("no Message-ID"),
        text("empty Message-ID", b"x\r\n", b"Message-ID:"),
        text("two Message-IDs", b"x\r\n", b"Message-ID: <a@x>", b"Message-ID: <b@x>"),
        text("no body", b""),
        b"Subject: no empty line after the header\r\n",
        b"\r\nNo header at all.\r\n",
        b"x",
        text("no line end at the end", b"The end"),
        text("one long line", b"x" * 200_000 + b"\r\n"),
        text("folded", b"x\r\n", b"References: <1@x>\r\n <2@x>\r\n\t<3@x>", b"X-Empty: ", b"X-Blank:  \r\n  "),
        text("long header", b"x\r\n", b"X-Long: " + b"word " * 4_000),
        text("many headers", b"x\r\n", *(b"X-%d: %d" % (number, number) for number in range(500))),
        text("dots", b".\r\n..\r\n.\r\n"),
        text("from", b"From somebody Mon Jan  1 00:00:00 2001\r\n>From me\r\n"),
        text("literals", b"* 1 FETCH (BODY[] {5}\r\n)\r\nA1 OK\r\n+ go on\r\n{0+}\r\n"),
        text("8-bit body", noise + b"\r\n", b"Content-Transfer-Encoding: 8bit"),
        text("UTF-8 body", "Grüße, 日本語, 🚢\r\n".encode()),
        text("bad boundary", b"--a\r\n\r\nx\r\n--b--\r\n", b'Content-Type: multipart/mixed; boundary="a'),
        text("a date nobody can read", b"x\r\n", b"Date: yesterday"),
        text("nested", b"--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nInner\r\n--a--\r\n",
             b"Content-Type: multipart/mixed; boundary=a"),
        # Servers change or refuse what follows: the judge knows which does what.
        "Subject: Grüße im Kopf\r\n\r\n8-bit header, UTF-8.\r\n".encode(),
        "Subject: Grüße im Kopf\r\n\r\n8-bit header, Latin-1.\r\n".encode("latin-1"),
        b"Subject: malformed\r\nthis line is no header\r\nX-After: 1\r\n\r\nx\r\n",
        b": no name\r\nSubject: nameless\r\n\r\nx\r\n",
        text("bare CR", b"one\rtwo\r\n"),
        text("twice CR", b"one\r\r\ntwo\r\n"),
        text("NUL", b"before\0after\r\n"),
        b"Subject: NUL in the head\r\nX-Nul: a\0b\r\n\r\nx\r\n",
        text("bare LF", b"one\ntwo\nthree"),
    ]


def flags(number: int) -> frozenset[str]:
    """Every combination of system flags, and keywords."""
    chosen = {name for bit, name in enumerate(SYSTEM) if number >> bit & 1}
    if number % 3 == 0:
        chosen.add("$forwarded")
    if number % 4 == 1:
        chosen |= {"later", "$junk"}
    if number % 7 == 2:
        chosen |= {"a" * 40, "nonjunk", "work-in_progress", "$label1"}
    return frozenset(chosen)


def dates(now: int) -> list[int]:
    """Dates of arrival that servers find difficult."""
    return [
        1, DAY, 10 * DAY + 1, 951_782_399, 951_782_400, 1_234_567_890, now - 60, now, 2**31 - 1, 2**31, now + 30 * DAY]


def unappendable(now: int) -> list[Mail]:
    """What APPEND does not take as it is, but lies on disks."""
    return [
        Mail(b"", frozenset({r"\seen"}), 1_490_000_000),
        Mail(text("NUL on the disk", b"a\0b\r\n"), frozenset(), 1_490_000_001),
        Mail(text("in a month"), frozenset(), now + 30 * DAY),
        Mail(text("in ten years"), frozenset(), now + 3_650 * DAY),
        Mail(text("in a hundred years"), frozenset(), now + 36_500 * DAY),
        Mail(text("before 1970"), frozenset(), -DAY),
        Mail(text("at zero"), frozenset(), 0),
        Mail(text("LF on the disk").replace(b"\r\n", b"\n"), frozenset(), 1_490_000_002),
    ]


PATHS = [
    ("Projects",), ("Projects", "2024"), ("Projects", "2024", "Q1", "January", "Week 1"), ("Übung & Söhne",), ("日本語", "受信"),
    ("a & b",), ("&",), ("Caf\u00e9",), ("Cafe\u0301",), ("🚢",), ("two  blanks",), ("x" * 120,), ("(brackets)",), ("it's",),
    ("a+b=c",), ("no mail in here",), ("sent", "old"), ("Trash",), ("Drafts",), ("Sent",), ("1",), ("-dash",), ("a, b; c",),
    ("NIL",), ("{5}",), ("deep", "a", "b", "c", "d", "e", "f", "g", "h"),
]


def mailbox(seed: int, largest: int = 3_000_000, folders: int = len(PATHS)) -> Mailbox:
    """A mailbox with everything: difficult contents, flags, dates and folder names, and some ordinary mail."""
    dice = random.Random(seed)
    now = int(time.time())
    inbox = [
        Mail(content, flags(number), 1_400_000_000 + number) for number, content in enumerate(contents(dice))]
    inbox += [Mail(text(f"flags {number}"), flags(number), 1_450_000_000) for number in range(32)]
    inbox += [Mail(text(f"date {number}"), frozenset(), date) for number, date in enumerate(dates(now))]
    # Equal in everything; each is a message of its own.
    inbox += [Mail(text("twin"), frozenset({r"\seen"}), 1_460_000_000)] * 4
    inbox += [Mail(text("twin"), frozenset(), 1_460_000_000)] * 2
    inbox += [ordinary(dice, number) for number in range(60)]
    for size in (100_000, 255_990, 256 << 10, 1_000_000, largest):
        inbox.append(Mail(text("large", dice.randbytes(size // 2).hex().encode() + b"\r\n"), frozenset(), 1_470_000_000))
    dice.shuffle(inbox)
    found: Mailbox = {("INBOX",): Folder(inbox, True)}
    for index, path in enumerate(PATHS[:folders]):
        mails = [ordinary(dice, number) for number in range(dice.randrange(1, 9))]
        found[path] = Folder([] if path == ("no mail in here",) else mails, index % 3 != 0)
    return found


def ordinary(dice: random.Random, number: int) -> Mail:
    body = b"".join(b"%016x is a line of it.\r\n" % dice.getrandbits(64) for _ in range(dice.randrange(1, 200)))
    return Mail(
        text(f"Number {number}", body, b"Message-ID: <%x@contoso.example>" % dice.getrandbits(64)),
        flags(dice.randrange(1 << 5)), 1_480_000_000 + dice.randrange(10_000_000))

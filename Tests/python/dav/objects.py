"""Calendars and contacts that trip movers, and what a place has of them, read by code that shares nothing with Ferry."""

import base64
import hashlib
import re

import icalendar

ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""


def wrapped(*components: str) -> bytes:
    """An iCalendar object with its lines folded as RFC 5545 has it."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Ferry//Trials//EN"]
    for component in components:
        lines += component.strip().split("\n")
    return b"".join(fold(line) for line in [*lines, "END:VCALENDAR"])


def fold(line: str) -> bytes:
    content, pieces = line.encode(), []
    while len(content) > 73:
        end = 73
        while content[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(content[:end])
        content = content[end:]
    return b"\r\n ".join([*pieces, content]) + b"\r\n"


def calendars(organizer: str, attendee: str) -> dict[str, dict[str, bytes]]:
    """Objects by collection and name. Both addresses belong to people who move along."""
    stamp = "DTSTAMP:20240101T000000Z"
    work = {
        "plain.ics": wrapped(f"BEGIN:VEVENT\nUID:plain@x\n{stamp}\nDTSTART:20240102T100000Z\nDTEND:20240102T110000Z\n"
                             "SUMMARY:Kaffee\\, Kuchen \\; und mehr 🚢\nDESCRIPTION:Zeile 1\\nZeile 2\\\\n\nEND:VEVENT"),
        "series.ics": wrapped(
            ZONE, f"BEGIN:VEVENT\nUID:series@x\n{stamp}\nDTSTART;TZID=Europe/Berlin:20240103T090000\nDURATION:PT45M\n"
            "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=20\nEXDATE;TZID=Europe/Berlin:20240110T090000,20240117T090000\n"
            f"SUMMARY:Weekly\nORGANIZER;CN=Me:mailto:{organizer}\nATTENDEE;CN=\"You, there\";PARTSTAT=ACCEPTED;ROLE=REQ-PARTI"
            f"CIPANT:mailto:{attendee}\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:stranger@elsewhere.example\nSEQUENCE:3\n"
            "END:VEVENT",
            f"BEGIN:VEVENT\nUID:series@x\n{stamp}\nRECURRENCE-ID;TZID=Europe/Berlin:20240124T090000\n"
            "DTSTART;TZID=Europe/Berlin:20240124T140000\nDURATION:PT45M\nSUMMARY:Weekly\\, moved\n"
            f"ORGANIZER;CN=Me:mailto:{organizer}\nATTENDEE;PARTSTAT=DECLINED:mailto:{attendee}\nSEQUENCE:3\nEND:VEVENT"),
        "alarms.ics": wrapped(
            f"BEGIN:VEVENT\nUID:alarms@x\n{stamp}\nDTSTART;VALUE=DATE:20240301\nDTEND;VALUE=DATE:20240303\nSUMMARY:Fest\n"
            "CATEGORIES:Eins,Zwei\nCLASS:PRIVATE\nTRANSP:TRANSPARENT\nGEO:52.5;13.4\nBEGIN:VALARM\nACTION:DISPLAY\n"
            "TRIGGER:-PT15M\nDESCRIPTION:Los\nEND:VALARM\nBEGIN:VALARM\nACTION:AUDIO\nTRIGGER;VALUE=DATE-TIME:20240228T08000"
            "0Z\nREPEAT:2\nDURATION:PT5M\nEND:VALARM\nEND:VEVENT"),
        "attached.ics": wrapped(
            f"BEGIN:VEVENT\nUID:attached@x\n{stamp}\nDTSTART:20240401T100000Z\nDURATION:PT1H\nSUMMARY:With a file\n"
            f"ATTACH;FMTTYPE=application/octet-stream;ENCODING=BASE64;VALUE=BINARY:{base64.b64encode(bytes(range(256)) * 40).decode()}\n"
            "ATTACH:https://files.example/a?b=c&d=e\nEND:VEVENT"),
        "odd name é #%&.ics": wrapped(f"BEGIN:VEVENT\nUID:odd@x\n{stamp}\nDTSTART:20240501T100000Z\nDURATION:PT1H\nSUMMARY:Odd\nEND:VEVENT"),
    }
    work["careless.ics"] = wrapped(f"BEGIN:VEVENT\nUID:careless@x\n{stamp}\nDTSTART:20240502T100000Z\nDURATION:PT1H\n"
                                   "SUMMARY:Eins, zwei; drei\nLOCATION:Berlin, Mitte\nEND:VEVENT")
    for number in range(150):
        work[f"many-{number}.ics"] = wrapped(
            f"BEGIN:VEVENT\nUID:many-{number}@x\n{stamp}\nDTSTART:20240601T{number % 24:02}0000Z\nDURATION:PT1H\n"
            f"SUMMARY:{number} {'lang ' * (number % 40)}ende\nEND:VEVENT")
    tasks = {
        "todo.ics": wrapped(f"BEGIN:VTODO\nUID:todo@x\n{stamp}\nDUE;VALUE=DATE:20240202\nSUMMARY:Do\nPRIORITY:1\n"
                            "PERCENT-COMPLETE:40\nSTATUS:IN-PROCESS\nRELATED-TO:plain@x\nEND:VTODO"),
        "journal.ics": wrapped(f"BEGIN:VJOURNAL\nUID:journal@x\n{stamp}\nDTSTART;VALUE=DATE:20240203\nSUMMARY:Notes\n"
                               f"DESCRIPTION:{'Lorem ipsum äöü ' * 60}ende\nEND:VJOURNAL"),
    }
    return {"work": work, "tasks": tasks}


def contacts(member: str) -> dict[str, dict[str, bytes]]:
    photo = base64.b64encode(bytes(range(256)) * 30).decode()
    cards = {
        "three.vcf": "BEGIN:VCARD\nVERSION:3.0\nUID:three@x\nFN:Björn Lindqvist\nN:Lindqvist;Björn;;Dr.;\nORG:Firma\\, GmbH;Abt.\n"
                     f"item1.EMAIL;TYPE=INTERNET:{member}\nitem1.X-ABLABEL:Arbeit\nTEL;TYPE=CELL,VOICE:+49 30 1234\n"
                     f"ADR;TYPE=HOME:;;Straße 1;Ort;;12345;DE\nNOTE:Eins\\, zwei\\nDrei 🚢\nPHOTO;ENCODING=b;TYPE=JPEG:{photo}\nEND:VCARD",
        "four.vcf": "BEGIN:VCARD\nVERSION:4.0\nUID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\nFN:Vier\nN:Vier;;;;\n"
                    f"EMAIL;PREF=1:{member}\nKIND:individual\nPHOTO:data:image/png;base64,{photo}\nTEL;VALUE=uri;TYPE=work:tel:+49-30-1\nEND:VCARD",
        "group.vcf": "BEGIN:VCARD\nVERSION:4.0\nUID:group@x\nFN:Gruppe\nN:Gruppe;;;;\nKIND:group\n"
                     f"MEMBER:mailto:{member}\nMEMBER:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\nEND:VCARD",
    }
    for number in range(80):
        cards[f"many-{number}.vcf"] = (
            f"BEGIN:VCARD\nVERSION:3.0\nUID:many-{number}@x\nFN:Person {number}\nN:{number};Person;;;\n"
            f"NOTE:{'viel ' * (number % 30)}ende\nEND:VCARD")
    return {"friends": {name: b"".join(fold(line) for line in card.split("\n")) for name, card in cards.items()}}


# MARK: what objects say

def moved(content: bytes, people: dict[str, str]) -> bytes:
    """The object as it has to be at the target: addresses of people who move along are their new ones."""
    text = content.replace(b"\r\n ", b"")
    for old, new in people.items():
        text = text.replace(old.encode(), new.encode())
    return text


def meaning(content: bytes) -> str:
    """A digest of what an object says, by the icalendar library and by hand."""
    if b"BEGIN:VCARD" in content:
        return hashlib.sha256(repr(card(content)).encode()).hexdigest()
    return hashlib.sha256(repr(component(icalendar.Calendar.from_ical(content))).encode()).hexdigest()


def component(part: icalendar.cal.Component) -> tuple:
    properties = []
    for name, values in part.items():
        if name == "PRODID":
            continue
        for value in values if isinstance(values, list) else [values]:
            parameters = tuple(sorted(
                (key.upper(), str(value.params[key])) for key in getattr(value, "params", {})
                if not key.upper().startswith("SCHEDULE-")
                and (key.upper(), str(value.params[key]).upper()) not in {("VALUE", "DATE-TIME"), ("VALUE", "PERIOD")}))
            text = value.to_ical()
            text = text if isinstance(text, bytes) else text.encode()
            elements = text.split(b",") if name in ("CATEGORIES", "EXDATE", "RDATE") else [text]
            properties += [(name, parameters, element) for element in elements]
    return part.name, tuple(sorted(properties)), tuple(sorted(component(child) for child in part.subcomponents))


def card(content: bytes) -> tuple:
    """Line by line: vobject, which Radicale is made with, cuts values at a comma itself."""
    lines = []
    for line in re.sub(r"\r?\n[ \t]", "", content.decode()).splitlines():
        head, _, value = line.partition(":")
        name, *parameters = head.split(";")
        group, _, name = name.rpartition(".")
        types, others = [], []
        for parameter in parameters:
            key, _, text = parameter.partition("=")
            if key.upper() == "TYPE":
                types += text.upper().split(",")
            elif (key.upper(), text.upper()) != ("VALUE", "URI"):
                others.append((key.upper(), text.upper()))
        if name.upper() in ("N", "ADR", "ORG"):
            value = value.rstrip(";")
        else:
            value = re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)
        lines.append((group.lower(), name.upper(), tuple(sorted(types)), tuple(sorted(others)), value))
    return tuple(sorted(lines))

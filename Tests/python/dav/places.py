"""Where files, calendars and contacts lie: a folder, or a server on loopback, started by the scripts of Tests/servers."""

import base64
import imaplib
import os
import pathlib
import subprocess
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml

from mail.servers import Server, free_port


class FolderPlace:
    """A tenant whose data lies in a folder, with the manners of `Server`."""

    kind = "folder"

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        for service in ("mail", "calendar", "contacts", "files"):
            (directory / service).mkdir(parents=True)

    def login(self, number: int) -> str:
        return f"u{number:04}"

    def place(self, service: str, _port: int | None = None) -> str:
        return f"{{ folder: {self.directory / service} }}"

    def root(self, number: int) -> pathlib.Path:
        """A person's files."""
        return self.directory / "files" / self.login(number)

    def settle(self, number: int) -> None:
        """After somebody has worked below `root`."""

    def prepare(self, number: int) -> None:
        """Has the person's mail and collections be there, empty."""
        empty_mail(self.directory / "mail" / self.login(number))
        for service in ("calendar", "contacts"):
            (self.directory / service / self.login(number)).mkdir(parents=True, exist_ok=True)

    def put(self, service: str, number: int, collections: dict[str, dict[str, bytes]]) -> None:
        for collection, objects in collections.items():
            folder = self.directory / service / self.login(number) / collection
            folder.mkdir(exist_ok=True)
            for name, content in objects.items():
                (folder / name).write_bytes(content)

    def delete(self, service: str, number: int, collection: str, name: str) -> None:
        (self.directory / service / self.login(number) / collection / name).unlink()

    def read(self, service: str, number: int) -> dict[str, dict[str, bytes]]:
        """Every object, by collection and name."""
        suffix = ".ics" if service == "calendar" else ".vcf"
        return {
            folder.name: {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == suffix}
            for folder in (self.directory / service / self.login(number)).iterdir()
            if folder.is_dir() and not folder.name.startswith(".")}


def empty_mail(root: pathlib.Path) -> None:
    for name in ("cur", "new", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)


class FileServer(Server):
    """A running Apache or rclone. "mover" reaches everybody's files."""

    def __init__(self, kind: str, directory: pathlib.Path):
        self.control = free_port()
        super().__init__(kind, directory, *(["--users", 40] if kind == "apache" else [self.control]))

    def login(self, number: int) -> str:
        return f"u{number:04}"

    def place(self, service: str, port: int | None = None) -> str:
        top = "/dav" if self.kind == "apache" else ""
        return (f'{{ webdav: {{ url: "http://127.0.0.1:{port or self.port}{top}/{{login}}/", user: mover, '
                "password: { env: FERRY_TEST_MASTER } } }")

    def root(self, number: int) -> pathlib.Path:
        return self.directory / "files" / self.login(number)

    def settle(self, number: int) -> None:
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "nobody:nogroup", self.root(number)], check=True)
        if self.kind == "rclone":
            # It knows its folders by heart otherwise.
            urllib.request.urlopen(
                urllib.request.Request(
                    f"http://127.0.0.1:{self.control}/vfs/forget?dir={self.login(number)}", method="POST"),
                timeout=10).close()


class CollectionServer(Server):
    """A running Radicale or Cyrus. At Radicale "mover" reaches everybody, at Cyrus people come in as themselves."""

    def __init__(self, kind: str, directory: pathlib.Path):
        self.http = free_port()
        super().__init__(kind, directory, "--users", 40, *(["--http-port", self.http] if kind == "cyrus" else []))
        if kind == "radicale":
            self.http = self.port
        self.mail = directory.with_name(directory.name + "-mail")

    def login(self, number: int) -> str:
        return f"u{number:04}"

    def prepare(self, number: int) -> None:
        empty_mail(self.mail / self.login(number))
        if self.kind == "cyrus":
            # The first login makes the mailbox, without which there are no calendars.
            session = imaplib.IMAP4("127.0.0.1", self.port, timeout=60)
            session.login(self.login(number), "pw")
            session.logout()

    def place(self, service: str, port: int | None = None) -> str:
        if service == "mail":
            return f"{{ folder: {self.mail} }}"
        kind = {"calendar": "caldav", "contacts": "carddav"}[service]
        if self.kind == "radicale":
            who = "user: mover, password: { env: FERRY_TEST_MASTER }"
            path = "/{login}/"
        else:
            who = "password: { env: FERRY_TEST_PROXY }"
            path = "/dav/principals/user/{login}/"
        return f'{{ {kind}: {{ url: "http://127.0.0.1:{port or self.http}{path}", {who} }} }}'

    # MARK: as any other client

    def home(self, service: str, number: int) -> str:
        if self.kind == "radicale":
            return f"/{self.login(number)}/"
        return f"/dav/{'calendars' if service == 'calendar' else 'addressbooks'}/user/{self.login(number)}/"

    def ask(self, method: str, path: str, number: int, body: bytes | None = None, **headers: str) -> bytes:
        token = base64.b64encode(f"{self.login(number)}:pw".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http}{path}", method=method, data=body,
            headers={"Authorization": f"Basic {token}"} | {key.replace("_", "-"): value for key, value in headers.items()})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def put(self, service: str, number: int, collections: dict[str, dict[str, bytes]]) -> None:
        present = self.collections(service, number)
        for collection, objects in collections.items():
            path = f"{self.home(service, number)}{collection}/"
            if collection not in present:
                if service == "calendar":
                    self.ask("MKCALENDAR", path, number)
                else:
                    self.ask("MKCOL", path, number, (
                        b'<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop><D:resourcetype>'
                        b"<D:collection/><C:addressbook/></D:resourcetype></D:prop></D:set></D:mkcol>"),
                        Content_Type="application/xml")
            for name, content in objects.items():
                self.ask("PUT", path + urllib.parse.quote(name), number, content, Scheduling_Enabled="F",
                         Content_Type="text/calendar" if service == "calendar" else "text/vcard")

    def delete(self, service: str, number: int, collection: str, name: str) -> None:
        self.ask("DELETE", f"{self.home(service, number)}{collection}/{urllib.parse.quote(name)}", number)

    def children(self, path: str, number: int) -> list[tuple[str, set[str], int]]:
        """Names below a collection, with what types and how many bytes they have."""
        answer = xml.fromstring(self.ask(
            "PROPFIND", path, number, b'<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/></D:prop></D:propfind>', Depth="1",
            Content_Type="application/xml"))
        found = []
        for response in answer.iter("{DAV:}response"):
            href = urllib.parse.unquote(response.findtext("{DAV:}href"))
            types = {element.tag for kind in response.iter("{DAV:}resourcetype") for element in kind}
            if href.rstrip("/") != path.rstrip("/"):
                found.append((
                    href.rstrip("/").rpartition("/")[2], types, int(response.findtext(".//{DAV:}getcontentlength") or 0)))
        return found

    def collections(self, service: str, number: int) -> list[str]:
        kind = {
            "calendar": "{urn:ietf:params:xml:ns:caldav}calendar", "contacts": "{urn:ietf:params:xml:ns:carddav}addressbook",
        }[service]
        return [name for name, types, _ in self.children(self.home(service, number), number) if kind in types]

    def read(self, service: str, number: int) -> dict[str, dict[str, bytes]]:
        home = self.home(service, number)
        return {
            collection: {
                name: self.object(f"{home}{collection}/{urllib.parse.quote(name)}", number, size)
                for name, types, size in self.children(f"{home}{collection}/", number) if not types}
            for collection in self.collections(service, number)}

    def object(self, path: str, number: int, size: int) -> bytes:
        """As it is stored: Cyrus gives out every vCard as version 3 unless it is asked for the other."""
        content = self.ask("GET", path, number)
        return content if len(content) == size else self.ask("GET", path, number, Accept="text/vcard; version=4.0")

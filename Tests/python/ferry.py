"""A real `ferry serve` on two folder tenants of its own, for tests that come over the network."""

import contextlib
import csv
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

BINARY = os.environ.get("FERRY_BINARY", "")
SOURCE = "11111111-1111-1111-1111-111111111111"
TARGET = "22222222-2222-2222-2222-222222222222"
ADMINISTRATOR = "admin@fabrikam.example"
# What `ferry init` writes, and nothing on this machine takes longer than that to begin.
START_SECONDS = 30


def free_port() -> int:
    """A port that was free a moment ago. The server is told which one, because links carry it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def run(*arguments: object, **options) -> str:
    """Runs a verb of the program to its end and gives what it prints."""
    command = [BINARY, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, **options)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Ferry:
    """A running server."""

    def __init__(self, folder: pathlib.Path, port: int):
        self.folder = folder
        self.configuration = folder / "ferry.yaml"
        self.url = f"http://127.0.0.1:{port}"

    def token(self, *arguments: str) -> str:
        """A token of the target tenant's migration administrator, unless the arguments say otherwise."""
        who = arguments or ("--user", ADMINISTRATOR)
        return run("token", "--config", self.configuration, "--tenant", TARGET, *who).strip()

    def people(self, tenant: str = "fabrikam") -> list[str]:
        """Object ids of a tenant's people."""
        with open(self.folder / f"{tenant}.csv", newline="", encoding="utf-8") as rows:
            return [row["id"] for row in csv.DictReader(rows)]

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False


def configure(
    folder: pathlib.Path, port: int, limits: str = "off", people: int = 2, issuers: str = "[embedded]"
) -> None:
    """`ferry init`, on that port; with those limits on requests, those issuers, and with more people where the two that it
    writes are few."""
    run("init", folder)
    path = folder / "ferry.yaml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^listen: .*$", f"listen: 127.0.0.1:{port}", text, count=1, flags=re.M)
    text, found = re.subn(r"^limits:\n(?: .*\n)+", f"limits: {limits}\n", text, count=1, flags=re.M)
    assert found == 1, "ferry init writes no limits any more"
    text = re.sub(r"^issuers: .*$", lambda _: f"issuers: {issuers}", text, count=1, flags=re.M)
    path.write_text(text, encoding="utf-8")
    with contextlib.ExitStack() as stack:
        tables = {
            name: stack.enter_context(open(folder / f"{name}.csv", "a", encoding="utf-8"))
            for name in ("contoso", "fabrikam", "map")
        }
        for number in range(3, people + 1):
            ids = {"contoso": f"aaaaaaaa-0000-4000-8000-{number:012}", "fabrikam": f"bbbbbbbb-0000-4000-8000-{number:012}"}
            tables["map"].write(f"{ids['contoso']},{ids['fabrikam']}\n")
            for tenant, identity in ids.items():
                login = f"person{number}"
                address = f"{login}@{tenant}.example"
                tables[tenant].write(f"{identity},{address},Person {number},{address},,{login}\n")
            for place in ("mail/{}/cur", "mail/{}/new", "mail/{}/tmp", "calendars/{}", "contacts/{}", "files/{}", "chats/{}"):
                (folder / "contoso" / place.format(f"person{number}")).mkdir(parents=True)


@contextlib.contextmanager
def serving(folder: pathlib.Path, limits: str = "off", people: int = 2, issuers: str = "[embedded]"):
    """A server on a fresh configuration in that folder, which must not exist. Ended by its process id. In `issuers` the word
    ADDRESS stands for the server's own."""
    port = free_port()
    configure(folder, port, limits, people, issuers.replace("ADDRESS", f"http://127.0.0.1:{port}"))
    server = Ferry(folder, port)
    with open(folder.with_suffix(".log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [BINARY, "serve", "--config", str(server.configuration)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            end = time.monotonic() + START_SECONDS
            while not server.is_ready():
                assert process.poll() is None, f"the server ended: {folder.with_suffix('.log').read_text()}"
                assert time.monotonic() < end, f"the server is not ready: {folder.with_suffix('.log').read_text()}"
                time.sleep(0.05)
            yield server
            assert process.poll() is None, f"the server died: {folder.with_suffix('.log').read_text()[-4000:]}"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

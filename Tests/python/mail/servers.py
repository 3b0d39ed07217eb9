"""Real mail servers on loopback, started by the scripts of Tests/servers."""

import contextlib
import imaplib
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import time

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "servers"
READY_SECONDS = 60
# The scripts' exit code for "not installed here".
MISSING = 77


class NotInstalled(Exception):
    """This machine has not what the server needs; the text says what."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running Dovecot or Cyrus. People are u0000, u0001 … with the password `pw`."""

    def __init__(self, kind: str, directory: pathlib.Path, *options: object, port: int | None = None):
        self.kind, self.directory, self.port = kind, directory, port or free_port()
        self.options = [str(option) for option in options]
        self.process: subprocess.Popen | None = None

    # MARK: life

    def start(self) -> "Server":
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        with open(self.directory.with_suffix(".log"), "ab") as log:
            self.process = subprocess.Popen(
                [SCRIPTS / f"{self.kind}.sh", "run", self.directory, str(self.port), *self.options],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        end = time.monotonic() + READY_SECONDS
        line = b""
        while not line.startswith(b"ready"):
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            line = self.process.stdout.readline() if readable else b""
            if not line:
                text = self.directory.with_suffix(".log").read_text(errors="replace")[-2000:]
                if self.process.wait(5) == MISSING:
                    raise NotInstalled(text.strip())
                raise RuntimeError(f"{self.kind} did not start: {text}")
        return self

    def stop(self) -> None:
        """Ends it in order. The script does so when its standard input ends."""
        if self.process is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None

    def members(self) -> list[int]:
        """Process ids of the server itself, without its script: all processes of the session that the script made."""
        children = [number for number, (parent, _) in processes().items() if parent == self.process.pid]
        return [number for number, (_, session) in processes().items() if session in children]

    def kill(self) -> None:
        """SIGKILL for every process of the server at once, as a power cut would end them; then for its script."""
        for number in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def option(self, name: str) -> str:
        """The value that the script was given for an option."""
        return self.options[self.options.index(name) + 1]

    # MARK: people

    def login(self, number: int) -> str:
        return f"u{number:04}@example.test" if self.kind == "dovecot" else f"u{number:04}"

    def session(self, number: int, port: int | None = None) -> imaplib.IMAP4:
        """A person's own connection, as any mail program has one."""
        session = imaplib.IMAP4("127.0.0.1", port or self.port, timeout=120)
        session.login(self.login(number), "pw")
        return session

    def service(self, port: int | None = None, **options: object) -> str:
        """The value of `mail:` in Ferry's configuration; the port may be that of a proxy."""
        entrance = {
            "dovecot": "master: { user: mover, password: { env: FERRY_TEST_MASTER } }",
            "cyrus": "proxy: { user: cyrus, password: { env: FERRY_TEST_PROXY } }",
        }[self.kind]
        extra = "".join(f", {key}: {value}" for key, value in options.items())
        return f"{{ imap: {{ host: 127.0.0.1, port: {port or self.port}, tls: none, {entrance}{extra} }} }}"

    def maildir(self, number: int) -> pathlib.Path:
        """Where Dovecot keeps a person's INBOX."""
        return self.directory / "mail" / f"u{number:04}" / "Maildir"

    def folder(self, number: int, path: tuple[str, ...]) -> pathlib.Path:
        """Where Dovecot keeps one of a person's folders."""
        return self.maildir(number) if path == ("INBOX",) else self.maildir(number).joinpath(*path)

    def forget(self, number: int) -> None:
        """Removes a person's mail from Dovecot's disk, whose sessions have ended."""
        shutil.rmtree(self.directory / "mail" / f"u{number:04}", ignore_errors=True)

    def own(self, path: pathlib.Path) -> None:
        """Gives files to the account that the server runs as."""
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "nobody:nogroup", path], check=True)


# The passwords of the scripts' administrators, for `Server.service`.
ENVIRONMENT = {"FERRY_TEST_MASTER": "masterpw", "FERRY_TEST_PROXY": "pw"}


def processes() -> dict[int, tuple[int, int]]:
    """Parent and session of every process of the machine."""
    found = {}
    for path in pathlib.Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                found[int(path.name)] = (int(fields[1]), int(fields[3]))
    return found

"""The real Ferry between two places of mail: its configuration, its process, and one job of its API."""

import contextlib
import dataclasses
import datetime as dt
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

from . import boxes
from .corpus import Mailbox
from .servers import ENVIRONMENT, Server, free_port

SOURCE = "11111111-1111-1111-1111-111111111111"
TARGET = "22222222-2222-2222-2222-222222222222"
JOBS = "/beta/solutions/migrations/crossTenantMigrationJobs"
START_SECONDS = 60
# A job of these tests takes seconds; this is for a hang.
JOB_SECONDS = 600
FINAL = {"completed", "completedWithErrors", "failed", "cancelled", "validateFailed"}


class Stuck(Exception):
    """Ferry did not come to the end that it should have come to."""


class FolderServer:
    """A tenant whose mail lies in a folder, with the manners of `Server`."""

    kind = "folder"

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        directory.mkdir(parents=True)

    def login(self, number: int) -> str:
        return f"u{number:04}"

    def root(self, number: int) -> pathlib.Path:
        return self.directory / self.login(number)

    def service(self, port: int | None = None, **options: object) -> str:
        return f"{{ folder: {self.directory} }}"


def fill(server: Server | FolderServer, number: int, mailbox: Mailbox) -> list:
    """Puts a mailbox in place; gives what the server refused."""
    if isinstance(server, FolderServer):
        boxes.store_mailbox(server.root(number), mailbox)
        return []
    return boxes.fill(server, number, mailbox)


def read(server: Server | FolderServer, number: int) -> Mailbox:
    if isinstance(server, FolderServer):
        return boxes.read_mailbox(server.root(number))
    with boxes.Session(server, number) as session:
        return session.mailbox()


@dataclasses.dataclass
class Move:
    """People of one place on their way to people of another, as (number here, number there)."""

    program: pathlib.Path
    directory: pathlib.Path
    source: Server | FolderServer
    target: Server | FolderServer
    people: list[tuple[int, int]]
    #: Where Ferry finds the servers, if not where they are: ports of proxies.
    source_port: int | None = None
    target_port: int | None = None
    #: Further keys of the services in the configuration.
    source_options: dict = dataclasses.field(default_factory=dict)
    options: dict = dataclasses.field(default_factory=dict)
    #: Services that are configured, and the API's workload that moves them.
    services: tuple[str, ...] = ("mail",)
    workload: str = "Exchange"
    #: What stands before the @ of a person's address, by the person's number.
    local: str = "person{}"
    name: str = "mail"
    process: subprocess.Popen | None = None

    def __post_init__(self):
        self.directory.mkdir(parents=True)
        self.log = self.directory / "ferry.log"
        self.port = free_port()
        for tenant, server, side, digit in (("contoso", self.source, 0, "a"), ("fabrikam", self.target, 1, "b")):
            rows = ["id,userPrincipalName,displayName,mail,aliases,login"]
            for pair in self.people:
                address = f"{self.local.format(pair[side])}@{tenant}.example"
                rows.append(f"{identity(digit, pair[side])},{address},Person,{address},,{server.login(pair[side])}")
            (self.directory / f"{tenant}.csv").write_text("\n".join(rows) + "\n")
        rows = ["source,target", *(f"{identity('a', here)},{identity('b', there)}" for here, there in self.people)]
        (self.directory / "map.csv").write_text("\n".join(rows) + "\n")
        (self.directory / "ferry.yaml").write_text(f"""listen: 127.0.0.1:{self.port}
store: sqlite:ferry.sqlite
keys: ferry.key
issuers: [embedded]
tenants:
  - {{ id: {SOURCE}, name: Contoso, domains: [contoso.example], people: contoso.csv,
      services: {{ {self.places(self.source, self.source_port, **self.source_options)} }} }}
  - {{ id: {TARGET}, name: Fabrikam, domains: [fabrikam.example], people: fabrikam.csv,
      services: {{ {self.places(self.target, self.target_port, **self.options)} }} }}
trust:
  - {{ source: {SOURCE}, target: {TARGET}, endpoint: EXOHandler, identityMap: map.csv }}
settings: {{ deltaInterval: 1s, drainTimeout: 5s, holdsSkippedItems: false }}
limits: off
""")
        self.environment = os.environ | ENVIRONMENT

    def places(self, server, port: int | None, **options) -> str:
        """What stands under `services` of a tenant. Places of other things than mail have a method for each."""
        if self.services == ("mail",):
            return f"mail: {server.service(port, **options)}"
        return ", ".join(f"{name}: {server.place(name, port)}" for name in self.services)

    # MARK: the process

    def start(self) -> "Move":
        """Starts the server and waits until it answers."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--config", self.directory / "ferry.yaml"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.environment)
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Stuck(f"the server does not come up: {self.words()}")
            time.sleep(0.02)
        return self

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5):
                return True
        except (OSError, urllib.error.URLError):
            return False

    def kill(self) -> None:
        """SIGKILL, at once."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Stuck(f"the server did not end within a minute of SIGTERM: {self.words()}") from None
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *problem):
        if self.process is not None and problem[0] is not None:
            self.kill()
        self.stop()

    def words(self) -> str:
        return self.log.read_text(errors="replace")[-3_000:]

    # MARK: the job

    def token(self) -> str:
        if not hasattr(self, "_token"):
            done = subprocess.run(
                [self.program, "token", "--config", self.directory / "ferry.yaml", "--tenant", TARGET, "--user",
                 "admin@fabrikam.example"], capture_output=True, text=True, check=True, env=self.environment)
            self._token = done.stdout.strip()
        return self._token

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise Stuck(f"{method} {path} is {error.code}: {error.read().decode(errors='replace')}") from None
        return json.loads(content) if content else {}

    def job(self) -> dict:
        return self.call("GET", f"{JOBS}/{self.name}")

    def prepare(self, seconds_until_due: float = 86_400) -> None:
        """Creates the job and validates it."""
        due = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds_until_due)
        job = {
            "displayName": self.name, "resourceType": "Users", "sourceTenantId": SOURCE, "workloads": [self.workload],
            "completeAfterDateTime": due.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "resources": [identity("b", there) for _, there in self.people]}
        if self.workload == "Exchange":
            job["exchangeSettings"] = {"sourceEndpoint": "EXOHandler", "targetDeliveryDomain": "fabrikam.example"}
        self.call("POST", JOBS, job)
        self.call("POST", f"{JOBS}/{self.name}/validate", {})
        self.wait(lambda job: job["status"] == "validatePassed")

    def begin(self, seconds_until_due: float = 86_400) -> None:
        """Creates the job, validates it and lets it run."""
        self.prepare(seconds_until_due)
        self.migrate()

    def migrate(self) -> None:
        self.call("POST", f"{JOBS}/{self.name}/migrate", {})

    def make_due(self) -> None:
        """The date of the job is now: the cutover begins."""
        self.call("PATCH", f"{JOBS}/{self.name}", {"completeAfterDateTime": "2020-01-01T00:00:00Z"})

    def wait(self, wanted, seconds: float = JOB_SECONDS) -> dict:
        """Asks for the job until it is as wanted, a function of it. Raises `Stuck` when it will not be any more."""
        end = time.monotonic() + seconds
        while not wanted(job := self.job()):
            if job["status"] in FINAL or time.monotonic() > end:
                raise Stuck(f"the job is {job['status']}: {self.problems()}\n{self.words()}")
            time.sleep(0.1)
        return job

    def problems(self) -> str:
        users = self.call("GET", f"{JOBS}/{self.name}/users?$top=999")["value"]
        return json.dumps([status for user in users for status in user["currentStatus"]][:10])

    def workloads(self) -> list[dict]:
        return self.call("GET", f"/ferry/jobs/{self.job()['id']}/progress")["workloads"]

    def has_begun(self) -> bool:
        """Whether everybody has been let in, so that nobody looks any more whether their target is empty."""
        waiting = {"notStarted", "valid"}
        return not any(state in waiting for workload in self.workloads() for state in workload["states"])

    def progress(self) -> list[tuple[int, int]]:
        """Items that were moved and passes that have come to their end, of all people together, per workload."""
        return [(workload["items"], workload["passes"]) for workload in self.workloads()]

    def passes(self) -> int:
        """Passes over all people together that have come to their end."""
        return sum(passes for _, passes in self.progress())

    def wait_for_passes(self, more: int = 1, seconds: float = JOB_SECONDS) -> None:
        """Until so many more passes per person have begun and ended."""
        goal = self.passes() + (more + 1) * len(self.people)
        end = time.monotonic() + seconds
        while self.passes() < goal:
            if self.job()["status"] in FINAL or time.monotonic() > end:
                raise Stuck(f"no pass has ended: {self.problems()}\n{self.words()}")
            time.sleep(0.1)

    def finish(self) -> None:
        """The cutover, to its end."""
        self.make_due()
        self.end()

    def end(self) -> None:
        """Waits until the job has come to its good end."""
        self.wait(lambda job: job["status"] == "completed")

    def run(self) -> None:
        """A whole job without interference."""
        with self:
            self.begin()
            self.wait_for_passes(0)
            self.finish()

    # MARK: what Ferry says

    def findings(self) -> list[dict]:
        """Items that did not move as they were."""
        found, after = [], 0
        job = self.job()["id"]
        while after is not None:
            page = self.call("GET", f"/ferry/jobs/{job}/items?after={after}")
            found += page["value"]
            after = page["next"]
        return found

    def verification(self) -> dict:
        """What Ferry's own verifier says, in a process of its own."""
        done = subprocess.run(
            [self.program, "verify", "--config", self.directory / "ferry.yaml", "--json", self.name], capture_output=True,
            text=True, timeout=JOB_SECONDS, env=self.environment)
        if not done.stdout.startswith("{"):
            raise Stuck(f"ferry verify ended with {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(done.stdout) | {"code": done.returncode}


def identity(digit: str, number: int) -> str:
    return f"{digit * 8}-0000-4000-8000-{number:012}"

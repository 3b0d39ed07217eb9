"""A property-based run of schemathesis against the description and a live server.

FERRY_SEED seeds it; FERRY_FUZZ_EXAMPLES is how many requests it makes of each operation and mode (a few where it is not
set), and FERRY_FUZZ_SECONDS lets it go on until that time is spent.
"""

import asyncio
import os
import pathlib
import re
import subprocess
import sys

import ferry
from clients import Client, Status, draft

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = os.environ.get("FERRY_FUZZ_EXAMPLES", "10")
SECONDS = os.environ.get("FERRY_FUZZ_SECONDS")
SEED = os.environ.get("FERRY_SEED", "1")
# How long the short run may take before something is wrong; a long one says itself.
PATIENCE_SECONDS = 240


async def fill(server: ferry.Ferry) -> None:
    """Jobs in several states, under the names that `schemathesis.toml` uses."""
    client = Client(server, "v1.0", server.token())
    # Nobody may be in two jobs at once, so each has its own people.
    for place, name in enumerate(("fuzz-1", "fuzz-2", "fuzz-3", "fuzz 4's")):
        made = await client.jobs.post(draft(name, server.people()[2 * place:2 * place + 2]))
        if name != "fuzz-1":
            await client.job(made.id).validate.post()
            await client.wait(made.id, Status.ValidatePassed)
        if name == "fuzz-3":
            await client.job(made.id).migrate.post()
        if name == "fuzz 4's":
            await client.job(made.id).cancel.post()
            await client.wait(made.id, Status.Cancelled)


def test_schemathesis_finds_nothing(tmp_path):
    with ferry.serving(tmp_path / "site", people=8) as server:
        asyncio.run(fill(server))
        command = [
            sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", "run",
            f"{server.url}/openapi.json", "--header", f"Authorization: Bearer {server.token()}",
            "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", SEED, "--workers", "1",
            "--generation-database", "none", "--warnings", "off", "--no-color", "--continue-on-failure",
        ]
        if SECONDS:
            command += ["--max-time", SECONDS]
        patience = PATIENCE_SECONDS + int(SECONDS or 0)
        done = subprocess.run(
            [str(part) for part in command], cwd=tmp_path, capture_output=True, text=True, timeout=patience)
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
        tested = re.search(r"Tested: *(\d+)", done.stdout)
        print(done.stdout[-1_500:])
        assert tested and int(tested.group(1)) > 50, done.stdout[-3_000:]
        # The server lived through it and still knows its jobs.
        assert server.is_ready()

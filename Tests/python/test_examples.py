"""What people are told to run, run as it is told: the example for the SDK, and the shell blocks of the README."""

import csv
import datetime as dt
import os
import pathlib
import re
import shutil
import subprocess
import sys

import ferry

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "python" / "migrate_wave.py"
SECONDS = 120


def migrate_wave(server: ferry.Ferry, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "FERRY_SERVER": server.url, "FERRY_TOKEN": server.token()}
    return subprocess.run(
        [sys.executable, EXAMPLE, *arguments, "--source", ferry.SOURCE, "--endpoint", "EXOHandler",
         "--delivery-domain", "fabrikam.example", "--interval", "0.2"],
        env=environment, capture_output=True, text=True, timeout=SECONDS)


def test_the_example_moves_a_wave(tmp_path):
    wave = tmp_path / "wave.csv"
    with ferry.serving(tmp_path / "site", people=24) as server:
        with open(wave, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["displayName", "id"])
            rows.writerows(("somebody", identity) for identity in server.people())
        # As soon as possible, but in the future when the server looks.
        date = (dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=5)).isoformat()
        done = migrate_wave(server, str(wave), "--name", "wave 1", "--date", date)
        assert done.returncode == 0, done.stdout + done.stderr
        for status in ("validatePassed", "inProgress", "completed"):
            assert f" {status}: " in done.stdout, done.stdout
        # More than a page of people, four workloads each.
        lines = [line for line in done.stdout.splitlines() if re.match(r"[0-9a-f-]{36}  ", line)]
        assert len(lines) == 24 * 4 and all("completed" in line for line in lines), done.stdout
        assert (server.folder / "fabrikam" / "files" / "ada.okafor" / "Documents" / "Read me.md").is_file()

        again = migrate_wave(server, str(wave), "--name", "WAVE 1", "--date", date)
        assert again.returncode == 0 and "submitted" not in again.stdout, again.stdout + again.stderr
        refused = migrate_wave(server, str(wave), "--name", "wave/2", "--date", date)
        assert refused.returncode == 1 and "422 BadArgument: displayName" in refused.stderr, refused.stderr


def test_an_example_that_finds_nobody_says_who(tmp_path, server):
    wave = tmp_path / "wave.csv"
    wave.write_text("id\ncccccccc-0000-4000-8000-000000000009\n", encoding="utf-8")
    date = (dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=5)).isoformat()
    done = migrate_wave(server, str(wave), "--name", "nobody", "--date", date)
    assert done.returncode == 1 and "validateFailed" in done.stdout, done.stdout + done.stderr
    assert re.search(r"cccccccc-\S+  Exchange  invalid     \S+ ", done.stdout), done.stdout


def blocks(title: str) -> list[str]:
    """The shell blocks below a heading of the README, as one would type them: without the prompts."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", readme, re.S | re.M)
    assert section, f"the README has no section '{title}'"
    found = re.findall(r"^```console\n(.*?)^```$", section.group(1), re.S | re.M)
    return [re.sub(r"^\$ ", "", block, flags=re.M) for block in found]


def test_the_readme_does_what_it_says(tmp_path):
    """'Your first job' in one shell, from the beginning to the end, in a checkout with nothing but the program."""
    (tmp_path / ".build" / "release").mkdir(parents=True)
    (tmp_path / ".build" / "release" / "ferry").symlink_to(ferry.BINARY)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    port = ferry.free_port()
    script = "\n".join(blocks("Your first job"))
    assert "ferry init mine" in script and "migrate" in script
    # The port of the README may be taken on this machine; it is the only thing that is changed. The first line makes a
    # script of what is meant for a prompt, the last ends what it started.
    script = script.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    script = re.sub(
        r"^(ferry init mine.*)$", rf"\1\nsed -i 's/^listen: .*/listen: 127.0.0.1:{port}/' mine/ferry.yaml", script,
        flags=re.M)
    script = f"set -euo pipefail; shopt -s expand_aliases\n{script}\nkill $!; wait $! || true\n"
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["bash", "-c", script], cwd=tmp_path, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, _ = process.communicate()
        raise AssertionError(f"the README's commands do not come to an end:\n{output}") from None
    finally:
        # The server is a child of the shell, which may have ended early.
        try:
            os.killpg(process.pid, 15)
        except ProcessLookupError:
            pass
    assert process.returncode == 0, output
    assert '"status":"completed"' in output, output
    assert '"error"' not in output, output
    assert (tmp_path / "mine" / "fabrikam" / "files" / "ada.okafor" / "Documents" / "Read me.md").is_file()

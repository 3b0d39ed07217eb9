"""Mail between real servers, by the real program, in a few rounds of what `script/mail-test` does in many."""

import concurrent.futures
import contextlib
import functools
import pathlib
import random
import tempfile

import pytest

import ferry
from mail import corpus, crashes, links, trials, work
from mail.servers import NotInstalled

#: One kill each, side by side: what takes its time is the lease of the killed server, which has to run out.
DISTURBED = {
    "SIGKILL of Ferry in the first copy": functools.partial(crashes.kill_ferry, kills=(1, 0, 0), people=1, count=900),
    "SIGKILL of Ferry in a delta": functools.partial(crashes.kill_ferry, kills=(0, 1, 0), people=1, count=200),
    "SIGKILL of Ferry in the cutover": functools.partial(crashes.kill_ferry, kills=(0, 0, 1), people=1, count=200),
    "SIGKILL of the target in mid-APPEND": functools.partial(crashes.kill_target, kills=2, count=400),
    "links that break": functools.partial(links.bad_links, phases=1, count=100),
    "people at work": functools.partial(work.working_day, people=1, count=300, passes=1),
}


@pytest.fixture(scope="module")
def world():
    # Not pytest's folder, which only its owner can enter: the servers run as somebody else.
    with tempfile.TemporaryDirectory(prefix="mail-test-", dir="/var/tmp") as place, contextlib.ExitStack() as stack:
        yield trials.World(pathlib.Path(ferry.BINARY), pathlib.Path(place), stack, users=16, dice=random.Random(1))


@pytest.fixture(scope="module")
def runs(world):
    """All disturbed jobs, begun together, and going on while the others run: they mostly wait."""
    with concurrent.futures.ThreadPoolExecutor(len(DISTURBED)) as pool:
        yield {title: pool.submit(trial, world, seed) for seed, (title, trial) in enumerate(DISTURBED.items(), 1)}


@pytest.mark.parametrize("source, target", trials.PAIRS[:4])
def test_a_difficult_mailbox_moves_whole(world, runs, source, target):
    # Cyrus takes half a second for each folder that it makes.
    folders = 3 if "cyrus" in (source, target) else len(corpus.PATHS)
    try:
        verdict = trials.pair(world, source, target, largest=300_000, folders=folders)
    except NotInstalled as problem:
        pytest.skip(str(problem))
    assert verdict.identical > 150


@pytest.mark.parametrize("disturbance", DISTURBED)
def test_every_message_is_there_once_in_spite_of(runs, disturbance):
    try:
        result = runs[disturbance].result()
    except NotInstalled as problem:
        pytest.skip(str(problem))
    print(f"{disturbance}: {result}")
    assert result.verdict.identical > 100

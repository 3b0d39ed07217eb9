"""Mail between real servers, by the real program, in a few rounds of what `script/mail-test` does in many."""

import contextlib
import pathlib
import random
import tempfile

import pytest

import ferry
from mail import corpus, trials
from mail.servers import NotInstalled


@pytest.fixture(scope="module")
def world():
    # Not pytest's folder, which only its owner can enter: the servers run as somebody else.
    with tempfile.TemporaryDirectory(prefix="mail-test-", dir="/var/tmp") as work, contextlib.ExitStack() as stack:
        yield trials.World(pathlib.Path(ferry.BINARY), pathlib.Path(work), stack, users=12, dice=random.Random(1))


@pytest.mark.parametrize("source, target", trials.PAIRS[:4])
def test_a_difficult_mailbox_moves_whole(world, source, target):
    # Cyrus takes half a second for each folder that it makes.
    folders = 3 if "cyrus" in (source, target) else len(corpus.PATHS)
    try:
        verdict = trials.pair(world, source, target, largest=300_000, folders=folders)
    except NotInstalled as problem:
        pytest.skip(str(problem))
    assert verdict.identical > 150

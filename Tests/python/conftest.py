import pathlib
import sys

import pytest

import ferry

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"))


def pytest_configure(config):
    if not ferry.BINARY or not pathlib.Path(ferry.BINARY).is_file():
        pytest.exit("FERRY_BINARY must be the path of the ferry program under test", returncode=3)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that most tests share; each names its own jobs."""
    with ferry.serving(tmp_path_factory.mktemp("shared") / "site", people=6) as running:
        yield running

"""What the official SDK does when it is told to wait: it waits, tries again, and succeeds."""

import asyncio
import time
import urllib.error
import urllib.request

import pytest
from msgraph_beta.generated.models.o_data_errors.o_data_error import ODataError

import ferry
from clients import Client, draft

# Requests a minute: a bucket of as many, and a new one every second.
A_SECOND = 60


@pytest.fixture(scope="module")
def throttled(tmp_path_factory):
    limits = f"{{ principalReads: {A_SECOND}, principalWrites: {A_SECOND} }}"
    with ferry.serving(tmp_path_factory.mktemp("throttled") / "site", limits) as server:
        yield server


def status_of(url: str, token: str) -> tuple[int, dict[str, str]]:
    """A plain GET that does not try again."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_the_sdk_waits_and_succeeds(throttled):
    token = throttled.token()

    async def work() -> None:
        client = Client(throttled, "v1.0", token)
        assert await client.jobs.count.get() == 0
        url = f"{client.adapter.base_url}/solutions/migrations/crossTenantMigrationJobs"
        for _ in range(2 * A_SECOND):
            status, headers = status_of(url, token)
            if status == 429:
                break
        assert status == 429 and int(headers["Retry-After"]) >= 1
        began = time.monotonic()
        for _ in range(3):
            assert await client.jobs.count.get() == 0
        # At most one of them was in the bucket.
        assert time.monotonic() - began > 1

    asyncio.run(work())


def test_a_write_that_had_to_wait_happens_once(throttled):
    token = throttled.token("--application", "nightly-mover")

    async def work() -> None:
        client = Client(throttled, "beta", token)
        began = time.monotonic()
        for number in range(A_SECOND + 3):
            await client.jobs.post(draft(f"throttled {number:02}", throttled.people()))
        assert time.monotonic() - began > 1
        assert await client.jobs.count.get() == A_SECOND + 3

    asyncio.run(work())


def test_the_sdk_gives_up_with_the_code(tmp_path):
    """Three tries, as long as the server says that it should wait; then the error, mapped like any other."""
    with ferry.serving(tmp_path / "site", f"{{ principalWrites: {A_SECOND} }}") as server:
        token = server.token()

        async def work() -> None:
            client = Client(server, "v1.0", token)
            calls = [client.job("no such job").cancel.post() for _ in range(6 * A_SECOND)]
            errors = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(error, ODataError) for error in errors)
            codes = {(error.response_status_code, error.error.code) for error in errors}
            assert codes == {(404, "NotFound"), (429, "TooManyRequests")}

        asyncio.run(work())

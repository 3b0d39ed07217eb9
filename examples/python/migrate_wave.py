#!/usr/bin/env python3
"""Moves one wave of people: create, validate, migrate, watch, report. Only Microsoft's own SDK is used.

    pip install msgraph-beta-sdk
    export FERRY_SERVER=http://127.0.0.1:8080 FERRY_TOKEN=...
    python migrate_wave.py wave.csv --name wave-1 --source 11111111-1111-1111-1111-111111111111 \\
        --endpoint EXOHandler --delivery-domain fabrikam.example --date 2031-03-01T06:00:00Z

The CSV file has a column `id` with the object ids of people in the target tenant; other columns do not matter. The cutover
waits for --date. Stop the script whenever you like: the server goes on, and the same command goes on watching. Exit code 0
when everybody has arrived.
"""

import argparse
import asyncio
import csv
import datetime as dt
import os
import sys
import warnings

from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from msgraph_beta import GraphRequestAdapter, GraphServiceClient
from msgraph_beta.generated.models.cross_tenant_migration_job import CrossTenantMigrationJob
from msgraph_beta.generated.models.cross_tenant_migration_job_status import CrossTenantMigrationJobStatus as Status
from msgraph_beta.generated.models.exchange_online_cross_tenant_migration_settings import (
    ExchangeOnlineCrossTenantMigrationSettings,
)
from msgraph_beta.generated.models.o_data_errors.o_data_error import ODataError

CHECKING = {Status.ValidateSubmitted, Status.ValidateProcessing, Status.ValidateInProgress}
MOVING = {Status.Processing, Status.InProgress, Status.CuttingOver, Status.PendingCancel}


class Token(AccessTokenProvider):
    """The token that the environment has, for whatever host the server is on."""

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        return os.environ["FERRY_TOKEN"]

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator([])


def connect() -> GraphServiceClient:
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Token()))
    # Before the client is made: it fills in Microsoft's address where there is none.
    adapter.base_url = os.environ["FERRY_SERVER"].rstrip("/") + "/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def find_or_create(jobs, wanted: argparse.Namespace) -> CrossTenantMigrationJob:
    """The job of that name. A name is a key, so running the script twice makes one job."""
    try:
        return await jobs.by_cross_tenant_migration_job_id(wanted.name).get()
    except ODataError as error:
        if error.response_status_code != 404:
            raise
    with open(wanted.people, newline="", encoding="utf-8-sig") as rows:
        people = [row["id"] for row in csv.DictReader(rows)]
    return await jobs.post(CrossTenantMigrationJob(
        display_name=wanted.name,
        resource_type="Users",
        source_tenant_id=wanted.source,
        complete_after_date_time=wanted.date,
        resources=people,
        workloads=["Exchange", "Meeting", "Teams", "ODSP"],
        exchange_settings=ExchangeOnlineCrossTenantMigrationSettings(
            source_endpoint=wanted.endpoint, target_delivery_domain=wanted.delivery_domain),
    ))


async def watch(job, through: set[Status], seconds: float) -> Status:
    """Polls the job, as the API wants it, tells every change of its status, and returns the one behind those."""
    told = None
    while True:
        now = await job.get()
        if now.status != told:
            told = now.status
            print(f"{dt.datetime.now():%H:%M:%S} {told.value}: {now.message}", flush=True)
        if told not in through:
            return told
        await asyncio.sleep(seconds)


async def report(job) -> None:
    """A line for each person and workload, page after page, with what went wrong."""
    users = job.users
    page = await users.get()
    while True:
        for task in page.value:
            for status in task.current_status:
                trouble = "; ".join(f"{error.code} {error.message}" for error in status.errors)
                print(f"{task.id}  {status.service:8}  {status.status.value:10}  {trouble}".rstrip())
        if not page.odata_next_link:
            return
        page = await users.with_url(page.odata_next_link).get()


async def move(wanted: argparse.Namespace) -> int:
    jobs = connect().solutions.migrations.cross_tenant_migration_jobs
    made = await find_or_create(jobs, wanted)
    print(f"{made.display_name} is {made.id}")
    job = jobs.by_cross_tenant_migration_job_id(made.id)
    if made.status in {Status.Submitted, Status.ValidateFailed}:
        await job.validate.post()
    status = await watch(job, CHECKING, wanted.interval)
    if status == Status.ValidatePassed:
        await job.migrate.post()
    status = await watch(job, MOVING, wanted.interval)
    await report(job)
    return 0 if status == Status.Completed else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", help="CSV file with a column id")
    parser.add_argument("--name", required=True, help="name of the job")
    parser.add_argument("--source", required=True, help="id of the tenant that people leave")
    parser.add_argument("--endpoint", required=True, help="name of the trust's endpoint")
    parser.add_argument("--delivery-domain", required=True, help="mail domain of the target")
    parser.add_argument(
        "--date", required=True, type=dt.datetime.fromisoformat, help="earliest cutover, such as 2031-03-01T06:00:00Z")
    parser.add_argument("--interval", type=float, default=5, help="seconds between two looks (5)")
    return parser.parse_args()


if __name__ == "__main__":
    # The generated code calls itself deprecated at every call, whatever it calls.
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        sys.exit(asyncio.run(move(arguments())))
    except ODataError as problem:
        sys.exit(f"{problem.response_status_code} {problem.error.code}: {problem.error.message}")

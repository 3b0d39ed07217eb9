"""The official SDK, with a token of ours and the base URL changed: nothing else."""

import asyncio
import datetime as dt

from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph_beta import GraphRequestAdapter, GraphServiceClient
from msgraph_beta.generated.models.cross_tenant_migration_job import CrossTenantMigrationJob
from msgraph_beta.generated.models.cross_tenant_migration_job_status import CrossTenantMigrationJobStatus as Status
from msgraph_beta.generated.models.exchange_online_cross_tenant_migration_settings import (
    ExchangeOnlineCrossTenantMigrationSettings,
)

import ferry

ALL_WORKLOADS = ["Exchange", "Meeting", "Teams", "ODSP"]
# What a job does not leave by itself.
RESTING = {
    Status.ValidatePassed, Status.ValidateFailed, Status.Completed, Status.CompletedWithErrors, Status.Failed,
    Status.Cancelled, Status.Deleted,
}
# Two people with a message and a file each: seconds on any machine.
PATIENCE_SECONDS = 60


class StaticToken(AccessTokenProvider):
    def __init__(self, token: str):
        self.token = token

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        return self.token

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator([])


class Client:
    """The SDK against one version of the API."""

    def __init__(self, server: ferry.Ferry, version: str, token: str):
        self.adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(StaticToken(token)))
        self.adapter.base_url = f"{server.url}/{version}"
        self.graph = GraphServiceClient(request_adapter=self.adapter)
        self.migrations = self.graph.solutions.migrations
        self.jobs = self.migrations.cross_tenant_migration_jobs

    def job(self, key: str):
        return self.jobs.by_cross_tenant_migration_job_id(key)

    def named(self, name: str):
        return self.migrations.cross_tenant_migration_jobs_with_display_name(name)

    async def wait(self, key: str, *wanted: Status):
        """The job as soon as its status is one of those; the status is polled, as the reference tells clients to."""
        end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            job = await self.job(key).get()
            if job.status in wanted:
                return job
            assert job.status not in RESTING, f"{job.display_name} is {job.status}: {job.message}"
            assert asyncio.get_running_loop().time() < end, f"{job.display_name} is {job.status}: {job.message}"
            await asyncio.sleep(0.1)


def in_days(days: float) -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=days)


def draft(name: str, people: list[str], workloads: list[str] | None = None, **changes) -> CrossTenantMigrationJob:
    """A job that can be created as it is."""
    members = {
        "display_name": name,
        "resource_type": "Users",
        "source_tenant_id": ferry.SOURCE,
        "complete_after_date_time": in_days(7),
        "resources": people,
        "workloads": workloads or ALL_WORKLOADS,
        "exchange_settings": ExchangeOnlineCrossTenantMigrationSettings(
            source_endpoint="EXOHandler", target_delivery_domain="fabrikam.example"),
    }
    return CrossTenantMigrationJob(**(members | changes))


def options(builder, **parameters) -> RequestConfiguration:
    """Query options of a GET, through the class that the builder has for them."""
    names = [name for name in vars(builder) if name.endswith("GetQueryParameters")]
    return RequestConfiguration(query_parameters=vars(builder)[names[0]](**parameters))

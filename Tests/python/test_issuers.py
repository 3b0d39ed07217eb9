"""Issuers that are processes of their own: the embedded one of another Ferry, and an OpenID Connect provider. Both get
new keys while Ferry runs (Graph reference 7.7)."""

import base64
import contextlib
import http.client
import json
import pathlib
import signal
import subprocess
import sys
import time
import urllib.parse

import ferry

JOBS = "/v1.0/solutions/migrations/crossTenantMigrationJobs"
READ_WRITE = "CrossTenantContentMigration.ReadWrite.All"
MIGRATION_ADMINISTRATOR = "8c8b803f-96e1-4129-9349-20738d9f9652"
# Keys are asked for again after ten seconds at the earliest; two servers stand in a row.
ROTATION_SECONDS = 45


def call(url: str, path: str, method: str = "GET", body: str | None = None, **headers: str):
    """Status, headers and body of one request; redirections are answers like any other."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def status(server: ferry.Ferry, token: str) -> int:
    return call(server.url, JOBS, Authorization=f"Bearer {token}")[0]


def until(server: ferry.Ferry, token: str, expected: int) -> None:
    """Waits for the answer to come, because keys are renewed in their own time."""
    end = time.monotonic() + ROTATION_SECONDS
    while (found := status(server, token)) != expected:
        assert time.monotonic() < end, f"still {found}, not {expected}"
        time.sleep(0.2)


def test_a_second_ferry_trusts_the_issuer_of_the_first(tmp_path):
    with ferry.serving(tmp_path / "first", issuers="[{embedded: ADDRESS}]") as first:
        code, headers, text = call(first.url, f"/ferry/issuer/{ferry.TARGET}/.well-known/openid-configuration")
        assert code == 200 and headers["Content-Type"] == "application/json"
        issuer = json.loads(text)
        assert issuer["issuer"] == f"{first.url}/ferry/issuer/{ferry.TARGET}"
        assert issuer["jwks_uri"] == f"{first.url}/ferry/issuer/keys"
        keys = json.loads(call(first.url, "/ferry/issuer/keys")[2])["keys"]
        assert [(key["kty"], key["crv"], key["alg"], "d" in key) for key in keys] == [("EC", "P-256", "ES256", False)]
        assert call(first.url, f"/ferry/issuer/{ferry.ADMINISTRATOR}/.well-known/openid-configuration")[0] == 404

        trusting = f"['{first.url}/ferry/issuer/{{tid}}']"
        with ferry.serving(tmp_path / "second", issuers=trusting) as second:
            checked = ferry.run("check", "--config", second.configuration)
            assert f"{first.url}/ferry/issuer/{ferry.TARGET}     1" in checked
            old = first.token()
            assert status(first, old) == 200
            assert status(second, old) == 200
            # The second one has no issuer of its own, and takes nobody's word for one.
            refused = subprocess.run(
                [ferry.BINARY, "token", "--config", second.configuration, "--tenant", ferry.TARGET, "--user", "a@b"],
                capture_output=True, text=True, timeout=30)
            assert refused.returncode == 78 and "embedded" in refused.stderr
            assert call(second.url, "/ferry/issuer/keys")[0] == 404

            # The key file is replaced: seen by both without a restart, and the end of the old key's tokens.
            (first.folder / "ferry.key").unlink()
            new = first.token()
            until(second, new, 200)
            until(second, old, 401)
            until(first, old, 401)
            assert status(first, new) == 200


class Provider:
    """oidc-provider-mock: Authlib behind Flask. Its access tokens are opaque, so its id tokens are used."""

    def __init__(self, port: int):
        self.url = f"http://127.0.0.1:{port}"
        self.client: dict = {}

    def set_up(self, claims: dict) -> None:
        code, _, text = call(
            self.url, "/oauth2/clients", "POST", json.dumps({"redirect_uris": ["http://127.0.0.1:1/back"]}),
            Content_Type="application/json")
        assert code == 201, text
        self.client = json.loads(text)
        code, _, text = call(
            self.url, "/users/mover", "PUT", json.dumps(claims), Content_Type="application/json")
        assert code in (200, 204), text

    def token(self) -> str:
        """The authorization code flow, from the form that a person would fill in to the token."""
        query = urllib.parse.urlencode({
            "client_id": self.client["client_id"], "redirect_uri": "http://127.0.0.1:1/back", "response_type": "code",
            "scope": "openid profile"})
        code, headers, text = call(
            self.url, f"/oauth2/authorize?{query}", "POST", "sub=mover",
            Content_Type="application/x-www-form-urlencoded")
        assert code == 302, text
        back = urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)
        secret = base64.b64encode(f"{self.client['client_id']}:{self.client['client_secret']}".encode()).decode()
        code, _, text = call(
            self.url, "/oauth2/token", "POST",
            urllib.parse.urlencode({
                "grant_type": "authorization_code", "code": back["code"][0],
                "redirect_uri": "http://127.0.0.1:1/back"}),
            Content_Type="application/x-www-form-urlencoded", Authorization=f"Basic {secret}")
        assert code == 200, text
        return json.loads(text)["id_token"]


@contextlib.contextmanager
def provider(port: int, log: pathlib.Path):
    program = pathlib.Path(sys.executable).with_name("oidc-provider-mock")
    with open(log, "a", encoding="utf-8") as output:
        process = subprocess.Popen(
            [program, "--host", "127.0.0.1", "--port", str(port)], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            running, end = Provider(port), time.monotonic() + 30
            while True:
                assert process.poll() is None and time.monotonic() < end, log.read_text()
                try:
                    if call(running.url, "/.well-known/openid-configuration")[0] == 200:
                        break
                except OSError:
                    time.sleep(0.05)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_an_openid_connect_provider_is_trusted_through_outage_and_rotation(tmp_path):
    port, log = ferry.free_port(), tmp_path / "provider.log"
    claims = {
        "tid": ferry.TARGET, "oid": "7b1c5f6e-0000-4000-8000-000000000001", "preferred_username": "mover@fabrikam.example",
        "scp": READ_WRITE, "wids": [MIGRATION_ADMINISTRATOR]}
    with contextlib.ExitStack() as rest:
        with provider(port, log) as issuer:
            issuer.set_up(claims)
            trusting = f"[embedded, {{issuer: '{issuer.url}', audience: {issuer.client['client_id']}}}]"
            server = rest.enter_context(ferry.serving(tmp_path / "site", issuers=trusting))
            old = issuer.token()
            assert status(server, old) == 200
            assert status(server, old[:-4]) == 401
            # For another client of the same issuer: good for somebody else.
            issuer.set_up(claims)
            stranger = issuer.token()
            code, headers, text = call(server.url, JOBS, Authorization=f"Bearer {stranger}")
            assert code == 401 and "audience" in text
            assert f'authorization_uri="{issuer.url}/oauth2/authorize"' in headers["WWW-Authenticate"]
            made = call(
                server.url, JOBS, "POST", json.dumps({
                    "displayName": "by the provider", "completeAfterDateTime": "2101-01-01T00:00:00Z",
                    "sourceTenantId": ferry.SOURCE, "resourceType": "Users", "resources": server.people(),
                    "workloads": ["ODSP"]}),
                Authorization=f"Bearer {old}", Content_Type="application/json")
            assert made[0] == 201, made
            assert json.loads(made[2])["createdBy"] == "mover@fabrikam.example"
        # Down: what is known stays good, the server stays ready.
        assert status(server, old) == 200
        assert server.is_ready()
        checked = subprocess.run(
            [ferry.BINARY, "check", "--config", server.configuration], capture_output=True, text=True, timeout=60)
        assert checked.returncode == 1 and "cannot be reached" in checked.stdout
        # Back with a new key, as after a restart that kept nothing.
        with provider(port, log) as issuer:
            issuer.client = {}
            issuer.set_up(claims)
            new = issuer.token()
            # The new key answers, so the audience is judged; before that it is an unknown key or an issuer that is down.
            end = time.monotonic() + ROTATION_SECONDS
            while "audience" not in (text := call(server.url, JOBS, Authorization=f"Bearer {new}")[2]):
                assert time.monotonic() < end, text
                time.sleep(0.2)
            assert status(server, old) == 401

"""What `/openapi.json` answers is OpenAPI 3.1, by a validator that is not ours."""

import json
import urllib.request

from openapi_spec_validator import OpenAPIV31SpecValidator


def test_the_description_is_valid_openapi(server):
    with urllib.request.urlopen(f"{server.url}/openapi.json", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        description = json.load(answer)
    assert description["openapi"].startswith("3.1.")
    assert [str(error) for error in OpenAPIV31SpecValidator(description).iter_errors()] == []
    assert all(description["paths"].values())

"""Whatever the described interface allows, and what it doesn't: the answers are those that it describes."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.devops import SECRETS, hub_signature
from support.devops_receiver import Receiver

described = schemathesis.pytest.from_fixture("description")
BOUNDED = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="session")
def description(shared: Receiver) -> schemathesis.BaseSchema:
    """What the running receiver says of itself."""
    return schemathesis.openapi.from_url(f"{shared.client.base_url}/openapi.json")


@described.parametrize()
@BOUNDED
def test_unsigned_requests_get_described_answers(shared: Receiver, case: schemathesis.Case[Any]) -> None:
    """No request without credentials is an error of the server, answered as nobody said, or stored."""
    before = shared.kept()
    case.call_and_validate(base_url=str(shared.client.base_url))
    for source in SECRETS if case.path_parameters else ():  # a name by chance is no source's
        case.path_parameters["source"] = source
        case.call_and_validate(base_url=str(shared.client.base_url))
    assert shared.kept() == before


@given(document=ANYTHING, event=st.sampled_from(["push", "issues", "deployment_status", "star"]))
@BOUNDED
def test_signed_nonsense_gets_described_answers(shared_to_fill: Receiver, document: object, event: str) -> None:
    """Authentic JSON of any shape is answered by one of the described yeses or by 400."""
    body = json.dumps(document).encode()
    headers = {"Content-Type": "application/json", "X-GitHub-Event": event, "X-Hub-Signature-256": hub_signature(body)}
    answer = shared_to_fill.client.post("/api/v1/devops/github", headers=headers, content=body)
    assert answer.status_code in (200, 202, 400), answer.text

"""Mistakes in a target's settings: each with its place, code and cure."""

import subprocess
import sys

import pytest
from support.aws_exporter import mistakes

GOOD = "region: eu-west-1, state_file: s.sqlite, sns_topics: {names: [orders]}"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        pytest.param(GOOD.replace("eu-west-1", "Ireland"), "error[SLO006]: 'Ireland' is no region of AWS", id="region"),
        pytest.param(
            GOOD.replace("orders", "'arn:aws:sns:eu-west-1:1:orders'"),
            "is an ARN or an address, CloudWatch knows names (write orders)",
            id="ARN",
        ),
        pytest.param(
            GOOD.replace("orders", "'https://sqs.eu-west-1.amazonaws.com/1/orders'"), "(write orders)", id="address"
        ),
        pytest.param(GOOD.replace("[orders]", "[a, a]"), "error[SLO015]: a is there twice (remove one)", id="twice"),
        pytest.param(GOOD.replace("names: [orders]", ""), "there is neither a name nor discover", id="nothing named"),
        pytest.param("region: eu-west-1, state_file: s.sqlite", "the target has nothing to read", id="no service"),
        pytest.param("region: eu-west-1, sns_topics: {names: [a]}", "state_file", id="no state"),
        pytest.param(f"{GOOD}, interval: 10s", "error[SLO014]: 10 s are no use: CloudWatch has minutes", id="interval"),
        pytest.param(f"{GOOD}, delay: 5", "error[SLO014]: 5 has no unit (add one: 5s)", id="unit"),
        pytest.param(f"{GOOD}, delay: 40m", "would be final before it is counted first", id="convergence"),
        pytest.param(
            f"{GOOD}, profile: p, access_key_id_file: i, secret_access_key_file: s", "two ways", id="two keys"
        ),
        pytest.param(f"{GOOD}, access_key_id_file: i", "belong together (write both)", id="half a key"),
        pytest.param(f"{GOOD}, session_token_file: t", "a session token needs a key", id="token alone"),
        pytest.param(f"{GOOD}, budget: {{calls_a_day: 0}}", "calls_a_day", id="no budget"),
        pytest.param(
            f"{GOOD}, budget: {{metrics_a_day: 1000}}",
            "need 4,320 metrics a day, the budget has 1,000 (write metrics_a_day: 4752, or a longer interval)",
            id="a budget that can't do",
        ),
        pytest.param(f"{GOOD}, token: x", "token", id="unknown key"),
        pytest.param(
            f"{GOOD}, sqs_queues: {{names: [orders]}}", "(write the queues below exporters: sqs: targets:", id="queues"
        ),
    ],
)
def test_a_mistake_is_told_with_place_and_cure(settings: str, told: str) -> None:
    """One line that begins with file, line and column."""
    found = mistakes(f"      one: {{{settings}}}\n")
    assert any(told in each and each.startswith("exporters.yaml:5:") for each in found), found


def test_good_settings_have_no_mistake() -> None:
    """The settings that the mistakes above are made of."""
    assert mistakes(f"      one: {{{GOOD}}}\n") == []


def test_the_kind_is_known_without_the_client_library() -> None:
    """`sereno exporter list` must not pay for boto3."""
    code = "import sys; from sereno_exporters.aws.kind import KIND; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0

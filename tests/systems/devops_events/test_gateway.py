"""What platforms feel: NGINX shares out deliveries, gives what a node didn't answer to the other, and is watched."""

import re
import shutil
import signal
import time

import httpx
import pytest
import yaml
from devops_events.gateway.exporter import PROGRAM
from devops_events.gateway.nginx import CONNECT_SECONDS, READ_SECONDS, TRIES, program
from devops_events.gateway.settings import Settings
from devops_events.generator.sender import TIMEOUT_SECONDS
from support import devops_events_system
from support.devops_events_sending import deliver, deliveries
from support.devops_events_system import ROOT, Places, gateway, generator, ingestion, processing, running, watcher
from support.ports import free_port
from support.waiting import wait_for

pytestmark = [
    *devops_events_system.marked,
    pytest.mark.skipif(program(Settings()) is None, reason="needs nginx: make test-tools"),
]

COUNT = "devops_events_gateway_request_duration_seconds_count"


@pytest.mark.parametrize("nginx", ["", "none"])
@pytest.mark.parametrize("broken_by", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hangs"])
def test_a_node_that_is_killed_or_hangs_costs_no_delivery(
    places: Places, nginx: str, broken_by: signal.Signals
) -> None:
    """Deliveries go to the nodes in turn; one that isn't answered goes to the other node. With or without NGINX.

    With both of them broken the gateway says so while the platform still listens.
    """
    sent, answers_port = deliveries(8), free_port()
    with (
        ingestion(places, "node-1") as first,
        ingestion(places, "node-2") as second,
        watcher(places, [first, second], answers_port) as watching,
        gateway(places, [first, second], answers_port, DEVOPS_EVENTS_NGINX=nginx) as front,
    ):
        assert [deliver(places, front.url, one).status_code for one in sent[:4]] == [202] * 4
        assert first.metric("devops_events_accepted_total") == second.metric("devops_events_accepted_total") == 2
        second.process.send_signal(broken_by)
        assert [deliver(places, front.url, one).status_code for one in sent[4:]] == [202] * 4
        assert first.metric("devops_events_accepted_total") == 6
        wait_for(
            lambda: watching.metric(COUNT, http_response_status_code="202", answered_by="node") == 8,
            what="all answers are counted",
        )
        assert watching.metric("devops_events_gateway_retried_total") >= 1
        first.process.send_signal(broken_by)
        began = time.monotonic()
        refused = str(deliver(places, front.url, sent[0]).status_code)
        assert time.monotonic() - began < TIMEOUT_SECONDS
        assert refused in {"502", "504"}
        wait_for(
            lambda: watching.metric(COUNT, http_response_status_code=refused, answered_by="gateway") == 1,
            what="the gateway's own answer is counted apart",
        )
        assert watching.metric("devops_events_gateway_unreadable_total") == 0
        assert httpx.get(f"{front.url}/elsewhere", trust_env=False).status_code == 404


def test_a_platform_that_hangs_up_is_counted_as_one_that_got_no_answer(places: Places) -> None:
    """499, of all that the gateway tells; the SLO `availability` counts it as bad."""
    (one,), answers_port = deliveries(1), free_port()
    with (
        ingestion(places, "node-1") as node,
        watcher(places, [node], answers_port) as watching,
        gateway(places, [node], answers_port) as front,
    ):
        node.process.send_signal(signal.SIGSTOP)
        with pytest.raises(httpx.ReadTimeout):
            deliver(places, front.url, one, timeout_seconds=0.5)
        wait_for(
            lambda: watching.metric(COUNT, http_response_status_code="499", answered_by="gateway") == 1,
            what="it is counted",
        )
    spec = yaml.safe_load((ROOT / "slo" / "specs" / "devops-events.slo.yaml").read_text())
    (availability,) = (slo for slo in spec["slos"] if slo["name"] == "availability")
    codes = availability["indicator"]["ratio"]["bad"].partition("=~")[2].strip('"')
    assert [bool(re.fullmatch(codes, code)) for code in ("499", "503", "202", "401")] == [True, True, False, False]


def test_all_tries_together_are_over_before_a_platform_gives_up() -> None:
    """Else it hears nothing, and nobody knows why."""
    assert TRIES * (CONNECT_SECONDS + READ_SECONDS) < TIMEOUT_SECONDS - 0.5


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="needs prometheus-nginx-exporter: make test-tools")
def test_the_gateways_connections_are_told_by_the_exporter_of_nginx(places: Places) -> None:
    """What the dashboard and the alerts of nginx stand on; without nginx nothing is told, and nothing is down."""
    exporter = "devops_events.gateway.exporter"
    with ingestion(places, "node-1") as node, gateway(places, [node], free_port()) as front:
        told = {"DEVOPS_EVENTS_GATEWAY": front.url}
        with running(exporter, places.folder, health="/metrics", **told) as figures:
            assert figures.metric("nginx_up") == 1
            before = figures.metric("nginx_http_requests_total")
            deliver(places, front.url, *deliveries(1))
            assert figures.metric("nginx_http_requests_total") >= before + 1
            assert figures.metric("nginx_connections_active") >= 1
        with running(exporter, places.folder, health="/metrics", DEVOPS_EVENTS_NGINX="none", **told) as figures:
            assert httpx.get(f"{figures.url}/metrics", trust_env=False).text == ""


def test_what_is_accepted_and_not_stored_becomes_late_and_each_event_is_judged_once(places: Places) -> None:
    """By events: those in the store are in time, stuck ones are late, whoever doesn't run."""
    sent, answers_port = deliveries(6), free_port()
    with ingestion(places, "node-1") as node:
        with processing(places) as worker:
            for one in sent[:4]:
                deliver(places, node.url, one)
            wait_for(lambda: worker.metric("devops_events_stored_total") == 4, what="four are stored")
        for one in sent[4:]:
            deliver(places, node.url, one)
        with watcher(places, [node], answers_port) as watching:
            wait_for(lambda: watching.metric("devops_events_not_due_yet") == 6, what="the watcher knows all six")
            assert watching.metric("devops_events_node_up") == 1
            wait_for(
                lambda: watching.metric("devops_events_due_total") == 6, what="a minute is over", timeout_seconds=75
            )
            assert watching.metric("devops_events_late_total") == 2
            assert watching.metric("devops_events_not_due_yet") == 0


def test_the_generator_delivers_signed_doubles_included_and_answers_as_the_platforms(places: Places) -> None:
    """At the period that it is told; what it says by REST is what it has delivered."""
    told = {"DEVOPS_EVENTS_PERIOD_MILLISECONDS": "20", "DEVOPS_EVENTS_DOUBLES_PERCENT": "50", "DEVOPS_EVENTS_SEED": "7"}
    with (
        ingestion(places, "node-1") as first,
        ingestion(places, "node-2") as second,
        generator(places, [first.url, second.url], **told) as platforms,
    ):

        def accepted() -> float:
            return sum(node.metric("devops_events_accepted_total") for node in (first, second))

        wait_for(lambda: accepted() > 150, what="150 deliveries")
        assert platforms.metric("devops_events_generator_attempts_total", answer="202") > 100
        wait_for(lambda: platforms.metric("devops_events_generator_doubles_total") > 70, what="doubles")
        removed = sum(node.metric("devops_events_duplicates_total", stage="ingestion") for node in (first, second))
        assert removed > 20
        assert sum(node.metric("devops_events_refused_total") for node in (first, second)) == 0
        commits = httpx.get(f"{platforms.url}/github/repos/acme/shop/commits", trust_env=False).json()
        assert len(commits[0]["sha"]) == 40
        assert httpx.get(f"{platforms.url}/github/repos/acme/nothing", trust_env=False).status_code == 404
        assert httpx.get(f"{platforms.url}/sourceforge/x", trust_env=False).status_code == 404
        platforms.process.send_signal(signal.SIGTERM)
        assert platforms.process.wait(5) == 0


def test_a_changed_schema_is_the_platforms_and_nobody_is_refused(places: Places) -> None:
    """The fault is a real change of GitHub's documents: still signed and accepted, but of a shape that nobody knows."""
    told = {"DEVOPS_EVENTS_PERIOD_MILLISECONDS": "20"}
    with (
        ingestion(places) as node,
        processing(places) as worker,
        generator(places, [node.url], **told) as platforms,
    ):
        platforms.fault("schema-changed", ratio=1.0)

        def unknown() -> float:
            return worker.metric("devops_events_stored_total", disposition="unknown_schema")

        wait_for(lambda: unknown() > 5, what="the worker doesn't know it")
        assert worker.metric("devops_events_stored_total", disposition="unknown_schema", platform="gitlab") == 0
        assert node.metric("devops_events_refused_total") == 0
        assert worker.log.read_text().count("github sends") > 5
        platforms.no_fault("schema-changed")

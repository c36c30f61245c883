"""The exporter `dora` on the embedded store: what a scrape serves, through restarts, and when the store is away."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sereno_backends.devops import RunStatus
from sereno_exporters.dora import families, reading
from sereno_exporters.dora.kind import KIND
from sereno_exporters.dora.settings import DoraSettings
from sereno_exporters.dora.source import source_of
from sereno_exporters.frame.configuration import ConfiguredTarget
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import ExporterKind, Target
from sereno_exporters.frame.scraping import Scrapers
from sereno_exporters.frame.trouble import FetchError, Reason
from support.dora import DAY, at, delivered, deployment, incident, push, resolved, sha, store_with
from support.exporting import Samples, samples

NOW = at(10 * DAY)
EVENTS = [
    *push("base", 0, before=None),
    deployment("1", 10, "base", version="v1"),
    *push("c1 c2", DAY, before="base"),
    deployment("2", DAY + 30, "c2", version="v2", actor="ada"),
    incident("I1", DAY + 34, title="carts empty"),
    deployment("3", DAY + 50, "base", version="v1"),
    resolved("I1", DAY + 64),
    deployment("4", DAY + 90, "c2", status=RunStatus.FAILED),
    deployment("5", DAY + 95, "c2", environment="staging"),
]
PLACE = (("target", "main"), ("service", "checkout"), ("environment", "production"))
MONTH = (*PLACE, ("window", "30d"))


class Served:
    """A target, scraped by the frame at moments that the test decides."""

    def __init__(self, path: Path) -> None:
        self.now = NOW
        settings = DoraSettings(store=path)
        kind = ExporterKind(
            KIND.name, KIND.summary, DoraSettings, lambda target: source_of(target, self._clock), families.ALL
        )
        self.told: list[str] = []
        target = ConfiguredTarget(kind, Target("main", settings, path.parent), 5.0, 10_000)
        self._scrapers = Scrapers([target], report=self.told.append)

    def scrape(self) -> Samples:
        """What one scrape serves."""
        return samples(self._scrapers.scrape())

    def close(self) -> None:
        """Hang up."""
        self._scrapers.close()

    def _clock(self) -> datetime:
        return self.now


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """A store with a bad deployment."""
    store_with(tmp_path / "devops.sqlite", EVENTS)
    return tmp_path / "devops.sqlite"


def scraped(path: Path) -> Samples:
    """What one scrape of a store serves."""
    served = Served(path)
    try:
        return served.scrape()
    finally:
        served.close()


def test_a_scrape_serves_the_figures_with_their_counts(store_path: Path) -> None:
    """One change failure of three deployments, two commits after half an hour, restored half an hour later."""
    found = scraped(store_path)
    assert {
        (name.removeprefix("sereno_dora_"), *(value for _, value in labels[4:])): value
        for (name, labels), value in found.items()
        if labels[:4] == MONTH
    } == {
        ("window_deployments", "failed"): 1,
        ("window_deployments", "well"): 2,
        ("window_deployments", "open"): 0,
        ("unsuccessful_deployments",): 1,
        ("change_failure_ratio",): pytest.approx(1 / 3),
        ("lead_time_seconds", "0.5"): 1_800,
        ("lead_time_seconds", "0.9"): 1_800,
        ("lead_time_commits", "measured"): 2,
        ("lead_time_commits", "unmeasured"): 0,
        ("time_to_restore_seconds", "0.5"): 1_800,
        ("time_to_restore_seconds", "0.9"): 1_800,
        ("time_to_restore_deployments", "restored"): 1,
        ("time_to_restore_deployments", "unrestored"): 0,
        ("rework_deployments",): 1,
        ("rework_ratio",): pytest.approx(1 / 3),
    }
    assert found["sereno_dora_deployments_total", (*PLACE, ("outcome", "succeeded"))] == 3
    assert found["sereno_dora_deployments_total", (*PLACE, ("outcome", "failed"))] == 1
    assert found["sereno_dora_deployments_total", (*PLACE, ("outcome", "cancelled"))] == 0
    assert found["sereno_dora_last_deployment_timestamp_seconds", PLACE] == at(DAY + 50).timestamp()
    deployed = {
        labels: when for (name, labels), when in found.items() if name == "sereno_dora_deployed_timestamp_seconds"
    }
    details = {dict(labels)["deployment"]: (dict(labels), when) for labels, when in deployed.items()}
    assert details["3"] == (
        {**dict(PLACE), "production": "true", "deployment": "3", "sha": sha("base"), "version": "v1"},
        at(DAY + 50).timestamp(),
    )
    assert (details["5"][0]["environment"], details["5"][0]["production"]) == ("staging", "false")
    assert found["sereno_dora_oldest_event_timestamp_seconds", (("target", "main"),)] == at(0).timestamp()
    assert found["sereno_dora_up", (("target", "main"),)] == 1


def test_every_family_is_declared_and_served(store_path: Path) -> None:
    """What `sereno exporter list` says and what a scrape serves are the same."""
    served = {name for name, _ in scraped(store_path)}
    own = {"up", "part_up", "scrape_duration_seconds", "series", "series_left_out"}
    assert served == {family.name for family in families.ALL} | {f"sereno_dora_{name}" for name in own}


def test_a_service_costs_as_many_series_as_the_page_says(store_path: Path) -> None:
    """Where all figures are known there are no more than docs/dora.md tells."""
    served = Served(store_path)
    served.now = at(3 * DAY)  # all windows have deployments
    series = sum(labels[:3] == PLACE for _, labels in served.scrape())
    served.close()
    page = (Path(__file__).resolve().parents[3] / "docs/dora.md").read_text(encoding="utf-8")
    assert f"Up to {series} series for each service and environment" in page


def test_a_window_ends_now_and_ratios_of_nothing_are_absent(store_path: Path) -> None:
    """When nothing happened for a week there are counts of zero and no ratio; counters keep all that ever was."""
    served = Served(store_path)
    served.now = NOW + timedelta(days=200)
    found = served.scrape()
    served.close()
    quarter = (*PLACE, ("window", "90d"))
    assert found["sereno_dora_window_deployments", (*quarter, ("verdict", "well"))] == 0
    assert ("sereno_dora_change_failure_ratio", quarter) not in found
    assert ("sereno_dora_rework_ratio", quarter) not in found
    assert found["sereno_dora_deployments_total", (*PLACE, ("outcome", "succeeded"))] == 3


def test_a_running_exporter_and_a_restarted_one_agree(store_path: Path) -> None:
    """What comes late between scrapes changes figures as if it had come in time; counters go up."""
    served = Served(store_path)
    before = served.scrape()
    late = [deployment("0", -60, "old"), incident("I2", 20, deployment_id="1")]
    store_with(store_path, late)
    after, restarted = served.scrape(), scraped(store_path)
    served.close()
    volatile = "sereno_dora_scrape_duration_seconds"
    assert {key: value for key, value in after.items() if key[0] != volatile} == {
        key: value for key, value in restarted.items() if key[0] != volatile
    }
    counters = [key for key in before if key[0] == "sereno_dora_deployments_total"]
    assert all(after[key] >= before[key] for key in counters)
    assert after["sereno_dora_window_deployments", (*MONTH, ("verdict", "failed"))] == 2


def test_a_store_that_was_begun_anew_is_read_anew(store_path: Path) -> None:
    """Nothing of the old file is left in the figures, also when the new one has as many events."""
    served = Served(store_path)
    served.scrape()
    for path in store_path.parent.iterdir():
        path.unlink()
    store_with(store_path, [deployment(str(number), number, "z") for number in range(len(EVENTS))])
    found = served.scrape()
    served.close()
    assert found["sereno_dora_deployments_total", (*PLACE, ("outcome", "succeeded"))] == len(EVENTS)
    assert found["sereno_dora_deployments_total", (*PLACE, ("outcome", "failed"))] == 0


@pytest.mark.parametrize("what", ["missing", "foreign", "garbage", "folder"])
def test_a_store_that_cant_be_read_is_down_with_a_cure(tmp_path: Path, what: str) -> None:
    """Nothing but up 0 is served, nothing is created, and one line says what to look at."""
    path = tmp_path / "devops.sqlite"
    if what == "foreign":
        import sqlite3  # noqa: PLC0415 - for this case only

        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE other (a)")
        connection.close()
    elif what == "garbage":
        path.write_bytes(b"no database" * 100)
    elif what == "folder":
        path.mkdir()
    served = Served(path)
    found = served.scrape()
    served.close()
    assert found["sereno_dora_up", (("target", "main"),)] == 0
    assert not any(name == "sereno_dora_deployments_total" for name, _ in found)
    (told,) = served.told
    assert str(path) in told
    assert "\n" not in told
    assert path.exists() is (what != "missing")


def test_figures_come_back_with_the_store(store_path: Path) -> None:
    """While it is away there are no stale figures; afterwards they are there again."""
    served = Served(store_path)
    away = store_path.with_suffix(".away")
    served.scrape()
    store_path.rename(away)
    missing = served.scrape()
    away.rename(store_path)
    back = served.scrape()
    served.close()
    key = ("sereno_dora_deployments_total", (*PLACE, ("outcome", "succeeded")))
    assert key not in missing
    assert back[key] == 3


def test_reading_a_large_store_goes_on_where_the_time_was_over(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first reading that takes longer than a scrape may take needs several scrapes, not for ever."""
    monkeypatch.setattr(reading, "PAGE", 4)
    (part,) = source_of(Target("main", DoraSettings(store=store_path), store_path.parent), lambda: NOW).parts
    for _ in range(3):  # twelve events in pages of four
        with pytest.raises(FetchError) as refused:
            part.fetch(Deadline.after(0))
        assert refused.value.reason is Reason.TIMEOUT
    snapshot = part.fetch(Deadline.after(0))
    assert sum(snapshot.ended["checkout", "production"].values()) == 4


def test_deliveries_that_repeat_add_nothing(store_path: Path) -> None:
    """A webhook that is sent twice leaves every figure as it was."""
    before = scraped(store_path)
    store_with(store_path).record(delivered(EVENTS))
    after = scraped(store_path)
    del before["sereno_dora_scrape_duration_seconds", (("target", "main"),)]
    del after["sereno_dora_scrape_duration_seconds", (("target", "main"),)]
    assert after == before

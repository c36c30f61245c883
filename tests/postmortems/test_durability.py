"""What was answered 200 is there after a kill; what can't be kept is answered 503 and comes again."""

import json
import resource
import shutil
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sereno_backends.incidents import IncidentStatus
from sereno_postmortems.store import IncidentStore, IncidentStoreUnavailable, Recorded
from sereno_postmortems.webhook import Delivery, read_delivery
from support.alertmanager import running_alertmanager
from support.incidents import PAGE, TICKET, at, prometheus_alert, reported, running_receiver, webhook, webhook_config
from support.ports import free_port
from support.prometheus import RunningProcess
from support.waiting import wait_for

WEBHOOK = "/api/v1/alertmanager"


def incidents(server: RunningProcess) -> list[dict[str, object]]:
    """The records of a receiver, newest first."""
    listed: list[dict[str, object]] = httpx.get(f"{server.url}/api/v1/incidents", trust_env=False).json()["incidents"]
    return listed


def kill(server: RunningProcess) -> None:
    """End a process that this test has started without giving it a chance to tidy up."""
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(timeout=10)


def test_kill_in_the_middle_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """After kill -9 under fire, the record holds every delivery and every entry that was answered 200."""
    database = tmp_path / "incidents.sqlite"
    acknowledged: list[str] = []
    written: list[str] = []
    with running_receiver(database) as server, httpx.Client(base_url=server.url, trust_env=False) as client:

        def fire() -> None:
            for number in range(100_000):
                labels = {**PAGE, "slo": f"slo-{number}"}
                try:
                    response = client.post(WEBHOOK, json=webhook([reported(labels, at(10))]))
                    assert response.status_code == 200
                    acknowledged.append(labels["slo"])
                    entry = {"id": f"e{number}", "kind": "acknowledgement", "author": "ana"}
                    place = f"/api/v1/incidents/2026-11-22-transactions-api-slo-{number}-1/entries"
                    response = client.post(place, json=entry)
                    assert response.status_code == 200
                    written.append(entry["id"])
                except httpx.HTTPError:
                    return

        thread = threading.Thread(target=fire)
        thread.start()
        wait_for(lambda: len(acknowledged) >= 50, what="fifty deliveries")
        kill(server)
        thread.join(timeout=30)
    on_record = IncidentStore(database).incidents()
    kept = {incident.slo for incident in on_record}
    assert set(acknowledged) <= kept
    assert len(written) >= 40
    assert set(written) <= {entry.entry_id for incident in on_record for entry in incident.entries}
    assert len(kept) <= len(acknowledged) + 1  # the one that was under way


def test_alertmanager_and_a_receiver_that_is_killed_between_deliveries(tmp_path: Path) -> None:
    """A real Alertmanager's page, ticket and resolutions end up in one incident although the receiver dies twice."""
    database, port = tmp_path / "incidents.sqlite", free_port()
    start = datetime.now(UTC) - timedelta(minutes=20)
    end = datetime.now(UTC) - timedelta(seconds=5)
    page = prometheus_alert(PAGE, start, annotations={"summary": "5 % fail"})
    ticket = prometheus_alert(TICKET, start + timedelta(minutes=4))
    config = webhook_config(tmp_path, f"http://127.0.0.1:{port}{WEBHOOK}")
    with running_alertmanager(config, tmp_path / "alertmanager") as alertmanager:
        with running_receiver(database, port=port) as server:
            alertmanager.post([page])
            wait_for(lambda: incidents(server), what="the page on record")
            kill(server)
        alertmanager.post([ticket])
        with running_receiver(database, port=port) as server:
            wait_for(lambda: len(_alerts(server)) == 2, what="the ticket, delivered after the restart")
            assert incidents(server)[0]["status"] == "open"
            kill(server)
        alertmanager.post([told | {"endsAt": end.isoformat()} for told in (page, ticket)])
        with running_receiver(database, port=port) as server:
            wait_for(lambda: incidents(server)[0]["status"] == "resolved", what="the resolution")
            (incident,) = incidents(server)
    assert incident["incident_id"] == f"{start:%Y-%m-%d}-transactions-api-availability"
    assert datetime.fromisoformat(str(incident["opened_at"])) == start
    assert datetime.fromisoformat(str(incident["resolved_at"])) == end
    assert [told["annotations"] for told in incident["alerts"]] == [{"summary": "5 % fail"}, {}]  # type: ignore[attr-defined]


def _alerts(server: RunningProcess) -> list[object]:
    (incident,) = incidents(server)
    alerts: list[object] = incident["alerts"]  # type: ignore[assignment]
    return alerts


def test_a_full_disk_is_503_and_alertmanager_comes_again(tmp_path: Path) -> None:
    """While nothing can be written the answer is 503 with the reason; afterwards Alertmanager's repetition is kept."""
    with running_receiver(tmp_path / "incidents.sqlite") as server:
        config = webhook_config(tmp_path, f"{server.url}{WEBHOOK}", group_interval="30s")
        with running_alertmanager(config, tmp_path / "alertmanager") as alertmanager:
            limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
            response = httpx.post(f"{server.url}{WEBHOOK}", json=webhook([reported(TICKET, at(9))]), trust_env=False)
            assert response.status_code == 503
            assert "incident database" in response.json()["error"]
            alertmanager.post([prometheus_alert(PAGE, datetime.now(UTC))])
            unavailable = 'deliveries_total{outcome="unavailable"} '
            wait_for(
                lambda: (
                    float(httpx.get(f"{server.url}/metrics", trust_env=False).text.split(unavailable)[1].split("\n")[0])
                    >= 2
                ),
                what="Alertmanager turned away",
            )
            assert incidents(server) == []
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
            wait_for(lambda: incidents(server), what="Alertmanager's repetition on record")


def test_a_locked_database_is_503_and_unhealthy(tmp_path: Path) -> None:
    """Somebody else's write lock is waited for a while, then told as 503, by the webhook and by /health."""
    database = tmp_path / "incidents.sqlite"
    with running_receiver(database) as server, closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
            response = client.post(WEBHOOK, json=webhook([reported(PAGE, at(10))]))
            assert (response.status_code, "locked" in response.json()["error"]) == (503, True)
            assert client.get("/health").status_code == 503
            other.execute("ROLLBACK")
            assert client.get("/health").status_code == 200
            assert client.post(WEBHOOK, json=webhook([reported(PAGE, at(10))])).status_code == 200


def test_a_database_that_vanishes_is_503_and_not_remade(tmp_path: Path) -> None:
    """A deleted database isn't silently replaced by an empty one: 503, and the metrics say so instead of zeros."""
    database = tmp_path / "db" / "incidents.sqlite"
    database.parent.mkdir()
    with running_receiver(database) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        shutil.rmtree(database.parent)
        assert client.post(WEBHOOK, json=webhook([reported(PAGE, at(10))])).status_code == 503
        assert client.get("/api/v1/incidents").status_code == 503
        metrics = client.get("/metrics").text
        assert "sereno_incident_store_up 0" in metrics
        assert "sereno_incidents{" not in metrics
    assert not database.exists()


# --- the store itself ---------------------------------------------------------------------------------------------


def body_and_delivery(*alerts: dict[str, object]) -> tuple[Delivery, bytes]:
    """A raw body and what is read from it."""
    body = json.dumps(webhook(alerts)).encode()
    delivery = read_delivery(body, at(12))
    assert isinstance(delivery, Delivery)
    return delivery, body


def test_the_store_writes_with_wal_and_full_sync(tmp_path: Path) -> None:
    """The database is in WAL mode, and each of the store's connections syncs fully."""
    store = IncidentStore(tmp_path / "i.sqlite")
    store.prepare()
    with store._connected() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_new_rules_fold_the_stored_deliveries_anew(tmp_path: Path) -> None:
    """Incidents are derived: with another version of the rules they are made again from the raw deliveries."""
    path = tmp_path / "i.sqlite"
    store = IncidentStore(path)
    store.prepare()
    assert store.record(*body_and_delivery(reported(PAGE, at(10)))) is Recorded.STORED
    before = store.incidents()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM incidents")
        connection.execute("PRAGMA user_version = 0")
    assert store.incidents() == ()
    store.prepare()
    assert store.incidents() == before
    assert store.counts() == {IncidentStatus.OPEN: 1, IncidentStatus.RESOLVED: 0}


def test_reading_does_not_make_a_database(tmp_path: Path) -> None:
    """Asking a database that isn't there is an error that names it, and leaves no empty file behind."""
    missing = tmp_path / "missing.sqlite"
    with pytest.raises(IncidentStoreUnavailable, match=r"missing\.sqlite"):
        IncidentStore(missing).incidents()
    assert not missing.exists()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """A text file under that name is refused and left as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, not a database\n" * 100, encoding="utf-8")
    with pytest.raises(IncidentStoreUnavailable, match="not a database"):
        IncidentStore(path).prepare()
    assert path.read_text(encoding="utf-8").startswith("these are my notes")


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """Somebody else's tables get no neighbours, and a newer Sereno's record isn't folded by older rules."""
    foreign, newer = tmp_path / "foreign.sqlite", tmp_path / "newer.sqlite"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    with pytest.raises(IncidentStoreUnavailable, match="another program"):
        IncidentStore(foreign).prepare()
    with closing(sqlite3.connect(foreign)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("notes",)]
    IncidentStore(newer).prepare()
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(IncidentStoreUnavailable, match="newer Sereno"):
        IncidentStore(newer).prepare()


def test_a_failing_fold_leaves_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The raw delivery and its incidents are written together or not at all."""
    store = IncidentStore(tmp_path / "i.sqlite")
    store.prepare()

    def broken(_: object, *, since: object) -> None:
        raise RuntimeError(f"a bug in the fold since {since}")

    monkeypatch.setattr("sereno_postmortems.refolding.fold", broken)
    with pytest.raises(RuntimeError):
        store.record(*body_and_delivery(reported(PAGE, at(10))))
    monkeypatch.undo()
    assert store.record(*body_and_delivery(reported(PAGE, at(10)))) is Recorded.STORED
    assert len(store.incidents()) == 1

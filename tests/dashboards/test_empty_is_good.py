"""The reviewed file of panels that may be empty."""

from pathlib import Path

from sereno_backends.grafana import read_dashboard
from sereno_slo import SourceFile, read_source
from sereno_slo.dashboards_check import fits, read_reasons, without_panel

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "dashboards/grafana"


def test_every_reason_is_for_a_panel_that_is_there() -> None:
    """A reason whose panel was renamed would let another one be empty unseen."""
    source = read_source(GRAFANA / "empty-is-good.yaml")
    assert isinstance(source, SourceFile)
    read = read_reasons(source)
    assert read.diagnostics == ()
    assert read.reasons is not None
    boards = [read_dashboard(path.read_bytes()) for path in GRAFANA.glob("*/*.json")]
    for uid, _ in read.reasons.by_panel:
        assert any(fits(uid, board.uid) for board in boards), f"{uid}: no such dashboard"
    assert list(without_panel(read.reasons, boards)) == []

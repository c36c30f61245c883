"""What is rendered for the example services, byte for byte; SERENO_UPDATE_GOLDENS=1 writes the files anew."""

import os
from pathlib import Path

import pytest
from sereno_slo.render.artefact import Artefact, Ownership
from sereno_slo.render.buckets import render_buckets
from sereno_slo.render.dashboards import render_dashboards
from sereno_slo.render.postmortem_template import render_postmortem_template
from sereno_slo.render.runbooks import render_runbooks
from support.slo_services import SETTINGS, all_services

EXPECTED = Path(__file__).parent / "expected"
UPDATE = os.environ.get("SERENO_UPDATE_GOLDENS") == "1"


def rendered() -> tuple[Artefact, ...]:
    """All artefacts of all example services."""
    services = all_services()
    return (
        *render_dashboards(services, SETTINGS),
        *render_runbooks(services, SETTINGS),
        render_postmortem_template(services, SETTINGS),
        *render_buckets(services, SETTINGS),
    )


def test_renders_exactly_the_expected_files() -> None:
    """Every file in `expected/` is produced byte for byte, and nothing else is."""
    files = {(Path(artefact.kind) / artefact.name).as_posix(): artefact.content for artefact in rendered()}
    if UPDATE:
        for name, content in files.items():
            (EXPECTED / name).parent.mkdir(parents=True, exist_ok=True)
            (EXPECTED / name).write_text(content, encoding="utf-8")
    expected = {
        path.relative_to(EXPECTED).as_posix(): path.read_text(encoding="utf-8")
        for path in EXPECTED.rglob("*")
        if path.is_file()
    }
    assert sorted(files) == sorted(expected)
    for name, content in files.items():
        assert content == expected[name], f"{name} differs; SERENO_UPDATE_GOLDENS=1 writes it anew"


def test_rendering_twice_gives_the_same_bytes() -> None:
    """Nothing of the first rendering leaks into the second."""
    assert rendered() == rendered()


@pytest.mark.parametrize("artefact", rendered(), ids=lambda artefact: f"{artefact.kind}/{artefact.name}")
def test_files_have_an_owner_and_end_like_text(artefact: Artefact) -> None:
    """What people fill in is scaffolded, the rest is generated; each file ends with one line feed."""
    scaffolded = artefact.name.endswith(".md")
    assert artefact.ownership is (Ownership.SCAFFOLDED if scaffolded else Ownership.GENERATED)
    assert artefact.content.endswith("\n")
    assert not artefact.content.endswith("\n\n")

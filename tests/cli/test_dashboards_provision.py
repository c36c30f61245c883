"""`sereno dashboards provision`: a folder for each owner in Grafana, by links that hold wherever they are mounted."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from sereno_cli.dashboard_folders import uid_of
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from support.slo_specs import spec_text

REPOSITORY = Path(__file__).resolve().parents[2]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two services of two owners, compiled; the current folder."""
    specs = tmp_path / "slo/specs"
    specs.mkdir(parents=True)
    for service, owner in (("shop", "sales"), ("etl", "data")):
        text = spec_text().replace("service: api", f"service: {service}").replace("owner: team", f"owner: {owner}")
        assert f"owner: {owner}" in text
        (specs / f"{service}.slo.yaml").write_text(text, encoding="utf-8")
    generated = tmp_path / "dashboards/grafana/generated"
    generated.mkdir(parents=True)
    for name in ("shop", "etl", "overview"):
        (generated / f"{name}.json").write_text(f'{{"title": "{name}"}}', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def provision(*arguments: str) -> int:
    """Its exit code."""
    return run(["dashboards", "provision", *arguments])


def providers(out: Path) -> dict[str, dict[str, Any]]:
    """What Grafana is told, by folder."""
    text = (out / "provisioning/dashboards/sereno.yaml").read_text(encoding="utf-8")
    return {each["folder"]: each for each in yaml.safe_load(text)["providers"]}


def test_each_owner_has_a_folder_with_its_services(repository: Path) -> None:
    """Titles are the owners, uids are stable, and each provider's folder has what it should, readable through links."""
    assert provision() == ExitCode.OK
    found = providers(repository / "dashboards/grafana/owners")
    assert {title: each["folderUid"] for title, each in found.items()} == {
        "All services": "sereno",
        "data": "sereno-owner-data",
        "sales": "sereno-owner-sales",
    }
    for title, name in (("All services", "overview"), ("data", "etl"), ("sales", "shop")):
        folder = Path(found[title]["options"]["path"].replace("$SERENO_HOME", str(repository)))
        assert [path.name for path in folder.iterdir()] == [f"{name}.json"]
        assert f'"{name}"' in (folder / f"{name}.json").read_text(encoding="utf-8")
    moved = repository.rename(repository.with_name("elsewhere"))
    link = moved / "dashboards/grafana/owners/folders/sereno-owner-sales/shop.json"
    assert link.is_symlink()
    assert link.resolve() == (moved / "dashboards/grafana/generated/shop.json").resolve()


def test_an_owner_that_changes_moves_its_dashboard(repository: Path, capsys: Capture) -> None:
    """`--check` tells what is missing and what is left behind; writing puts it right, and only that."""
    assert provision() == ExitCode.OK
    assert provision("--check") == ExitCode.OK
    spec = repository / "slo/specs/etl.slo.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("owner: data", "owner: sales"), encoding="utf-8")
    capsys.readouterr()
    assert provision("--check") == ExitCode.ANSWER_IS_NO
    folders = "dashboards/grafana/owners/folders"
    assert capsys.readouterr().err.splitlines() == [
        "dashboards/grafana/owners/provisioning/dashboards/sereno.yaml: differs",
        f"{folders}/sereno-owner-sales/etl.json: missing",
        f"{folders}/sereno-owner-data/etl.json: stray",
        "run sereno dashboards provision",
    ]
    assert provision() == ExitCode.OK
    assert capsys.readouterr().out == "dashboards/grafana/owners: 2 written, 2 unchanged, 1 removed\n"
    assert not (repository / folders / "sereno-owner-data").exists()
    assert provision("--check") == ExitCode.OK


def test_copies_are_files_of_their_own(repository: Path) -> None:
    """For images: nothing leads out of the folder, and Grafana is told the path under which it sees it."""
    out = repository / "image"
    arguments = ("--dashboards", "dashboards/grafana/generated", "--out", str(out), "--copy", "--seen-as", "/sereno/")
    assert provision(*arguments) == ExitCode.OK
    assert not [path for path in out.rglob("*") if path.is_symlink()]
    assert providers(out)["sales"]["options"]["path"] == "/sereno/folders/sereno-owner-sales"
    (repository / "dashboards/grafana/generated/shop.json").write_text("{}", encoding="utf-8")
    assert provision(*arguments, "--check") == ExitCode.ANSWER_IS_NO


@pytest.mark.parametrize("compiled", [(), ("--out", "made")])
def test_data_sources_come_with_what_was_compiled(repository: Path, compiled: tuple[str, ...]) -> None:
    """Without them panels would have nobody to ask; `sereno compile` puts them beside dashboards."""
    (repository / "sereno.yaml").write_text("window: 30d\n", encoding="utf-8")
    assert run(["compile", *compiled]) == ExitCode.OK
    folder = "made/dashboards" if compiled else "dashboards/grafana/generated"
    assert provision("--dashboards", folder, "--out", "image", "--copy") == ExitCode.OK
    text = (repository / "image/provisioning/datasources/sereno.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["datasources"]


def test_what_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Outside of a repository everything has to be named; wrong specs are told, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert provision() == ExitCode.INVALID_INPUT
    assert "name SPEC, --dashboards and --out" in capsys.readouterr().err
    (tmp_path / "a.slo.yaml").write_text("version: 1\n", encoding="utf-8")
    assert provision("--dashboards", ".", "--out", "out", "a.slo.yaml") == ExitCode.INVALID_INPUT
    assert not (tmp_path / "out").exists()
    (tmp_path / "a.slo.yaml").write_text(spec_text(), encoding="utf-8")
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    assert provision("--dashboards", ".", "--out", "out/below", "a.slo.yaml") == ExitCode.INVALID_INPUT
    assert "Traceback" not in capsys.readouterr().err


def test_uids_fit_into_grafanas_forty_letters() -> None:
    """Long names are cut, and stay different from each other."""
    one, other = (uid_of("team-with-a-very-long-name-that-goes-on-and-on" + end) for end in "ab")
    assert one != other
    assert max(len(one), len(other)) <= 40
    assert uid_of("") != uid_of("sereno") != uid_of("handwritten") != "sereno-handwritten"


def test_the_repositorys_folders_are_up_to_date() -> None:
    """`make compile` writes them."""
    done = run(["dashboards", "provision", "--check"])
    assert done == ExitCode.OK
    found = providers(REPOSITORY / "dashboards/grafana/owners")
    assert len({each["name"] for each in found.values()}) == len(found) > 2

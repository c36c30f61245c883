"""Specs in several repositories, one Prometheus or tenant: `imports` in sereno.yaml makes their names known."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from sereno_portal.catalogue import CatalogueShelf
from support.ruler import groups_at, stand_in

PLATFORM = {
    "disk.slo.yaml": """
version: sereno/v1
service: disk
owner: platform
slos:
  - {name: space, objective: 99, indicator: {probe: {metric: disk_ok, match: 'job="disk"'}}}
""",
    "postgres.slo.yaml": """
version: sereno/v1
service: postgres
owner: platform
slos:
  - name: availability
    objective: 99.9
    indicator: {ratio: {metric: queries_total, match: 'job="postgres"', bad: 'ok="no"'}}
    depends_on: [disk/space]
""",
}
SHOP = {
    "shop.slo.yaml": """
version: sereno/v1
service: shop
owner: shop
slos:
  - name: orders
    objective: 99.5
    indicator: {ratio: {metric: requests_total, match: 'job="shop"', bad: 'code="500"'}}
    depends_on: [postgres/availability]
journeys:
  - {name: buy, objective: 99, steps: [shop/orders, mail/delivery]}
""",
}
MAIL = """
version: sereno/v1
service: mail
owner: mail
slos:
  - {name: delivery, objective: 99, indicator: {probe: {metric: mail_ok, match: 'job="mail"'}}}
"""


@dataclass(frozen=True)
class Said:
    """An answer of the command."""

    code: int
    output: str


Called = Callable[..., Said]


def write(folder: Path, specs: dict[str, str], settings: str = "") -> Path:
    """A repository."""
    (folder / "slo/specs").mkdir(parents=True)
    for name, text in specs.items():
        (folder / "slo/specs" / name).write_text(text, encoding="utf-8")
    (folder / "sereno.yaml").write_text(settings, encoding="utf-8")
    return folder


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """The repository of the team that has the servers."""
    return write(tmp_path / "platform", PLATFORM, "imports: [../shop/slo/specs]\n")


@pytest.fixture
def shop(tmp_path: Path, platform: Path) -> Path:
    """The repository of a team that stands on them, and on a service whose spec lies in a file."""
    (tmp_path / "mail.slo.yaml").write_text(MAIL, encoding="utf-8")
    return write(tmp_path / "shop", SHOP, f"imports: [../{platform.name}/slo/specs, ../mail.slo.yaml]\n")


@pytest.fixture
def sereno(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Called:
    """A command in a repository, in this process."""

    def called(folder: Path, *arguments: str) -> Said:
        monkeypatch.chdir(folder)
        code = run(arguments)
        said = capsys.readouterr()
        return Said(code, said.out + said.err)

    return called


def test_slos_of_another_repository_may_be_named(shop: Path, sereno: Called) -> None:
    """Without the imports they are unknown, with them everything compiles, and the check agrees."""
    settings = (shop / "sereno.yaml").read_text(encoding="utf-8")
    (shop / "sereno.yaml").unlink()
    refused = sereno(shop, "compile")
    assert refused.code == ExitCode.INVALID_INPUT
    assert "error[SLO071]: no spec describes postgres (describe it by a spec, import another" in refused.output
    (shop / "sereno.yaml").write_text(settings, encoding="utf-8")
    assert sereno(shop, "compile").code == ExitCode.OK
    assert sereno(shop, "compile", "--check").code == ExitCode.OK
    assert [path.name for path in (shop / "alerting/rules/generated").iterdir()] == ["shop.rules.yaml"]


def test_causes_are_followed_through_other_repositories(platform: Path, shop: Path, sereno: Called) -> None:
    """The disk's page inhibits the shop's burn alerts in the shop's file, and postgres' in the platform's alone."""
    pairs = {}
    for folder in (platform, shop):
        assert sereno(folder, "compile").code == ExitCode.OK
        (found,) = folder.rglob("inhibit_rules.yml")
        rules = yaml.safe_load(found.read_text(encoding="utf-8"))["inhibit_rules"]
        pairs[folder] = {tuple(map(_service, (rule["source_matchers"], rule["target_matchers"]))) for rule in rules}
    assert pairs[shop] == {("disk", "shop"), ("postgres", "shop"), ("mail", "shop"), ("shop", "shop")}
    assert pairs[platform] == {("disk", "postgres")}


def _service(matchers: list[str]) -> str:
    (service,) = (matcher.split('"')[1] for matcher in matchers if matcher.startswith("service="))
    return service


def test_a_service_of_two_repositories_is_a_mistake(platform: Path, shop: Path, sereno: Called) -> None:
    """What both record would be one ledger: each repository's compiler says so."""
    (shop / "slo/specs/postgres.slo.yaml").write_text(PLATFORM["postgres.slo.yaml"], encoding="utf-8")
    for folder, other in ((shop, "platform"), (platform, "shop")):
        said = sereno(folder, "compile")
        assert said.code == ExitCode.INVALID_INPUT
        assert f"error[SLO016]: postgres is described by ../{other}/slo/specs/postgres.slo.yaml of an" in said.output


def test_circles_through_other_repositories_are_found(shop: Path, platform: Path, sereno: Called) -> None:
    """The shop depends on a server that depends on the shop."""
    spec = platform / "slo/specs/disk.slo.yaml"
    spec.write_text(PLATFORM["disk.slo.yaml"].replace("objective", "depends_on: [shop/orders], objective"), "utf-8")
    said = sereno(shop, "compile")
    assert said.code == ExitCode.INVALID_INPUT
    assert "SLO072]: shop/orders depends on itself: shop/orders → postgres/availability → disk/space" in said.output


@pytest.mark.parametrize(
    ("imported", "text", "what"),
    [
        ("../gone", None, "imports: ../gone: there is no such file or folder (check it out beside"),
        ("../empty", None, "imports: ../empty: there is no *.slo.yaml in it"),
        ("../bad.slo.yaml", "service: [", "../bad.slo.yaml can't be read as a spec: "),
        ("../bad.slo.yaml", "a: 1", "../bad.slo.yaml can't be read as a spec: it names no service with SLOs (run"),
    ],
)
def test_what_cant_be_imported_is_told(shop: Path, sereno: Called, imported: str, text: str | None, what: str) -> None:
    """A path that leads nowhere, and a file that is no spec, stop the compiler."""
    (shop.parent / "empty").mkdir()
    if text is not None:
        (shop.parent / "bad.slo.yaml").write_text(text, encoding="utf-8")
    (shop / "sereno.yaml").write_text(f"imports: [{imported}]\n", encoding="utf-8")
    said = sereno(shop, "compile")
    assert said.code == ExitCode.INVALID_INPUT
    assert "sereno.yaml:1:1: error[SLO094]: imports: " in said.output
    assert what in said.output
    assert not (shop / "alerting").exists()


def test_a_spec_of_a_newer_version_can_be_imported(shop: Path, platform: Path, sereno: Called) -> None:
    """Of imported specs only names are read: neither keys that are unknown here nor other settings matter."""
    spec = platform / "slo/specs/postgres.slo.yaml"
    spec.write_text(PLATFORM["postgres.slo.yaml"].replace("sereno/v1", "sereno/v9\nnovelty: {a: 1}"), "utf-8")
    assert sereno(shop, "compile").code == ExitCode.OK


def test_repositories_share_a_tenant(shop: Path, platform: Path, sereno: Called) -> None:
    """Pruning removes services that nobody describes any more, and never those of an imported repository."""
    with stand_in() as ruler:
        push = ("push", "--ruler", ruler.url, "--tenant", "t", "--prune")
        assert [sereno(folder, *push).code for folder in (platform, shop, platform)] == [ExitCode.OK] * 3
        namespaces = set(groups_at(ruler.url, "t"))
        assert namespaces == {"sereno-disk", "sereno-postgres", "sereno-shop"}
        assert "pushed" not in sereno(shop, *push).output
        (shop / "slo/specs/shop.slo.yaml").unlink()
        (shop / "slo/specs/cart.slo.yaml").write_text(MAIL.replace("service: mail", "service: cart"), "utf-8")
        assert sereno(shop, *push).code == ExitCode.OK
        assert set(groups_at(ruler.url, "t")) == {"sereno-disk", "sereno-postgres", "sereno-cart"}


def test_other_commands_know_the_imports(shop: Path, sereno: Called, tmp_path: Path) -> None:
    """What compiles is valid for the plan and the portal, too."""
    assert sereno(shop, "validate").code == ExitCode.OK
    old = write(tmp_path / "old", SHOP, (shop / "sereno.yaml").read_text(encoding="utf-8"))
    assert sereno(shop, "plan", "--old", str(old / "slo/specs")).code == ExitCode.OK
    catalogue = CatalogueShelf(shop, shop / "slo/specs", shop / "sereno.yaml").current()
    assert [service.name for service in catalogue.services] == ["shop"]
    assert catalogue.mistakes == ()

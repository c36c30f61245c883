"""`systems/<id>/system.yaml`: what is run of a system, and its mistakes."""

from dataclasses import replace
from pathlib import Path

import pytest
from sereno_cli.demo.systems import FULL, Done, System, Told, full_ids, read_system, system_ids
from sereno_cli.demo.systems.words import filled_in, words_of
from sereno_cli.demo.world import NoSuchThing, chosen_faults

REPOSITORY = Path(__file__).parents[3]
RIGHT = """\
version: sereno/v1
system: shop
title: Shop
specs: [shop]
programs:
  shop:
    module: shop
    ports: {api: SHOP_PORT, admin: SHOP_ADMIN_PORT}
    environment: {SHOP_DATABASE: "${files}/shop.sqlite"}
    healthy: http://127.0.0.1:${api}/health
    scrape: {job: shop, port: api}
load: {module: shop.load, arguments: [--url, "http://127.0.0.1:${shop.api}"]}
faults:
  errors:
    switch: {program: shop, parameters: {ratio: 1}}
    on: everything fails
    expects: {alert: SLOErrorBudgetBurn, labels: {slo: availability}}
"""


def read(folder: Path, text: str) -> System | list[str]:
    """The system, or its mistakes as a user reads them."""
    (folder / "system.yaml").write_text(text)
    found = read_system(folder)
    return found if isinstance(found, System) else [str(one).removeprefix(f"{folder.as_posix()}/") for one in found]


def test_what_is_written_is_what_is_run(tmp_path: Path) -> None:
    """Programs in their order, with ports and variables; a fault with its switch."""
    system = read(tmp_path, RIGHT)
    assert isinstance(system, System)
    (program,) = system.programs
    assert (program.name, program.module, program.log) == ("shop", "shop", None)
    assert program.ports == {"api": "SHOP_PORT", "admin": "SHOP_ADMIN_PORT"}
    fault = system.fault("errors")
    assert fault is not None
    assert fault.switch == Told("shop", "admin", "errors", {"ratio": 1.0})
    assert not fault.is_slow
    assert fault.expects.is_met_by({"alertname": "SLOErrorBudgetBurn", "severity": "critical", "slo": "availability"})
    assert not fault.expects.is_met_by(
        {"alertname": "SLOErrorBudgetBurn", "severity": "warning", "slo": "availability"}
    )
    assert system.fault("error") is None


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("${file}/", "${files}/", "system.yaml:9:34: error[SLO006]: ${file} means nothing (there are: admin, api"),
        ("${api}/h", "${shop.api}/h", None),
        ("${apy}/h", "${api}/h", "system.yaml:10:14: error[SLO006]: ${apy} means nothing"),
        ('"http://127.0.0.1:${api}"', '"http://127.0.0.1:${shop.api}"', "error[SLO006]: ${api} means nothing"),
        ("$ {api}/h", "${api}/h", "a $ begins no word here (write ${api}, or $$ for the sign itself)"),
        ("port: apy}", "port: api}", "system.yaml:11:31: error[SLO006]: the program has no port apy (there are: api"),
        ("{program: shp,", "{program: shop,", "shp is no program here (there are: shop)"),
        ("program: shop, port: adm,", "program: shop,", "the program has no port adm"),
        ("modul: shop\n", "module: shop\n", "error[SLO"),
        ("sereno/v2", "sereno/v1", "version 'sereno/v2' is not known (write version: sereno/v1)"),
        ("system: Shop", "system: shop", "'Shop' is no name: names are lower-case words with hyphens (write shop)"),
    ],
)
def test_a_mistake_has_its_place_and_cure(tmp_path: Path, wrong: str, right: str, told: str | None) -> None:
    """What means nothing is told before anything is started."""
    assert right in RIGHT or told is None
    found = read(tmp_path, RIGHT.replace(right, wrong))
    if told is None:
        assert isinstance(found, System)
    else:
        assert isinstance(found, list)
        assert any(told in one for one in found), found


NEEDS = (
    RIGHT.replace("programs:\n", "needs: [redis]\nprograms:\n").replace("${files}/shop.sqlite", "${redis.url}")
    + """\
  redis-gone:
    switch: {server: redis, do: stop}
    on: nothing can be looked up
    expects: {alert: RedisDown}
  hanging:
    switch: {program: shop, do: freeze}
    on: nothing answers
    expects: {alert: SLOErrorBudgetBurn}
"""
)


def test_servers_are_needed_and_broken(tmp_path: Path) -> None:
    """A server of its own has words, and is stopped or frozen, as a program is."""
    system = read(tmp_path, NEEDS)
    assert isinstance(system, System)
    assert system.needs == ("redis",)
    faults = {fault.name: fault.switch for fault in system.faults}
    assert faults["redis-gone"] == Done("shop.redis", "stop")
    assert faults["hanging"] == Done("shop", "freeze")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "[redis]",
            "[redos]",
            "redos is no server that the demo can start (there are: moto, postgresql, rabbitmq, redis)",
        ),
        ("needs: [redis]\n", "", "${redis.url} means nothing"),
        ("server: redis,", "server: postgresql,", "postgresql is no server here (there are: redis)"),
        (
            "server: redis, do: stop",
            "server: redis",
            "what is done to the server isn't said (write do: stop, or do: freeze)",
        ),
        ("server: redis, do: stop", "do: stop", "a fault is of a program or of a server"),
        ("program: shop, do: freeze", "program: shop, do: freeze, parameters: {ratio: 1}", "freeze has no parameters"),
        ("{alert: RedisDown}", "{}", "an alert is expected, or records of the log (write alert: …, or log: …)"),
        ("{alert: RedisDown}", "{alert: RedisDown, log: gone}", "an alert is expected, or records of the log"),
        ("program: shop, do: freeze", "program: shp, do: freeze", "shp is no program here"),
    ],
)
def test_a_mistake_about_servers_has_its_cure(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    """As others."""
    assert right in NEEDS
    found = read(tmp_path, NEEDS.replace(right, wrong))
    assert isinstance(found, list)
    assert any(told in one for one in found), found


def test_every_system_of_the_repository_is_right() -> None:
    """Each folder of systems but what they share has a file, its name is the folder's, and its specs are there."""
    folders = {path.name for path in (REPOSITORY / "systems").iterdir() if path.is_dir()} - {"common"}
    assert set(system_ids(REPOSITORY)) == folders
    programs: list[str] = []
    for name in sorted({*folders, *full_ids(REPOSITORY)}):
        plain = name.removesuffix(FULL)
        system = read_system(REPOSITORY / "systems" / plain, full=name != plain)
        assert isinstance(system, System), system
        assert system.name == plain
        assert all((REPOSITORY / "slo" / "specs" / f"{spec}.slo.yaml").is_file() for spec in system.specs)
        if name in full_ids(REPOSITORY):
            programs += [program.name for program in system.programs]
    assert len(set(programs)) == len(programs), "programs of all systems run side by side, each by a name of its own"


def test_faults_are_chosen_by_name_or_all_together(tmp_path: Path) -> None:
    """All are those of all systems that show within minutes; a name without its system is the first's."""
    slow = (
        RIGHT
        + """\
  trickle:
    switch: {program: shop, fault: errors, parameters: {ratio: 0.004}}
    on: one in 250 fails
    expects: {alert: SLOErrorBudgetBurn, severity: warning, labels: {slo: availability}}
    slow: true
"""
    )
    shop = read(tmp_path, slow)
    assert isinstance(shop, System)
    bank = replace(shop, name="bank", faults=(replace(shop.faults[0], name="closed"), shop.faults[0]))

    def chosen(*wanted: str) -> list[str]:
        return [f"{system.name}/{fault.name}" for system, fault in chosen_faults([shop, bank], wanted)]

    assert chosen("all") == ["shop/errors", "bank/closed", "bank/errors"]
    assert chosen() == chosen("errors") == ["shop/errors"]
    assert chosen("bank/errors", "shop/errors") == ["bank/errors", "shop/errors"]
    for wrong, told in [
        ("trickle", "trickle takes hours in real time"),
        ("kiosk/errors", "kiosk doesn't run; there are: shop, bank"),
        ("bank/opened", "bank has no fault opened; there are: closed, errors"),
    ]:
        with pytest.raises(NoSuchThing, match=told):
            chosen(wrong)
    with pytest.raises(NoSuchThing, match="shop: no fault that shows within minutes"):
        chosen_faults([replace(shop, faults=shop.faults[1:])], ["all"])


def test_words_are_said() -> None:
    """Ports of programs with hyphens are words, two dollar signs are one."""
    assert words_of("${a-b.api}/$$x") == ("a-b.api",)
    assert words_of("100 $ a day") is None
    assert filled_in("http://127.0.0.1:${a-b.api}/$$x", {"a-b.api": 8080}) == "http://127.0.0.1:8080/$x"

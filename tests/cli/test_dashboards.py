"""`sereno dashboards`: rules, and panels that are empty on a real Prometheus."""

import json
from pathlib import Path
from typing import Any

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from support.ports import free_port
from support.spent_budget import rfc3339, when

pytestmark = pytest.mark.xdist_group("shop")

AT = ("--at", rfc3339(when(1, 10.75)))
CHOSEN = {"type": "prometheus", "uid": "${datasource}"}
VARIABLES: list[dict[str, Any]] = [
    {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
    {"name": "job", "type": "query", "query": "label_values(calls_total, job)", "datasource": CHOSEN, "refresh": 2},
    {
        "name": "instance",
        "type": "query",
        "query": 'label_values(calls_total{job="$job"}, instance)',
        "datasource": CHOSEN,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
    },
]
CALLS = 'rate(calls_total{job="$job", instance=~"$instance"}[$__rate_interval])'
NOTHING = 'sum(refunds{job="$job", instance=~"$instance"})'
Capture = pytest.CaptureFixture[str]


def dashboard(title: str = "Shop", **panels: str) -> str:
    """A dashboard with a graph for each query."""
    return json.dumps(
        {
            "uid": title.lower(),
            "title": title,
            "editable": False,
            "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": VARIABLES},
            "panels": [
                {
                    "id": number,
                    "type": "timeseries",
                    "title": name,
                    "description": "What is going on.",
                    "datasource": CHOSEN,
                    "gridPos": {"x": 0, "y": 8 * number, "w": 24, "h": 8},
                    "fieldConfig": {"defaults": {"unit": "short"}},
                    "targets": [{"refId": "A", "expr": expr}],
                }
                for number, (name, expr) in enumerate(panels.items())
            ],
        }
    )


@pytest.fixture
def folder(shop_folder: Path) -> Path:
    """The folder of handwritten dashboards of a repository; it is the current folder's."""
    found = shop_folder / "dashboards/grafana/handwritten"
    found.mkdir(parents=True)
    return found


def check(capture: Capture, url: str, *arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = run(["dashboards", "check", "--prometheus", url, *AT, *map(str, arguments)])
    printed = capture.readouterr()
    return code, printed.out, printed.err


def reasons(folder: Path, panel: str, why: str, uid: str = "shop") -> None:
    """The repository's file of panels that may be empty."""
    text = f"version: sereno/v1\nempty:\n  - {{dashboard: {uid!r}, panels: [{panel}], reason: {why}}}\n"
    (folder.parent / "empty-is-good.yaml").write_text(text, encoding="utf-8")


def test_panels_with_data_are_well(shop: str, folder: Path, capsys: Capture) -> None:
    """Variables have the values that the server has: the first job, all its instances."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS), encoding="utf-8")
    assert check(capsys, shop) == (ExitCode.OK, "1 dashboard, 1 query: 0 empty, 0 empty with a reason\n", "")


def test_an_empty_panel_is_told_as_it_was_asked(shop: str, folder: Path, capsys: Capture) -> None:
    """Exit 1, and the query with everything filled in."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS, Refunds=NOTHING), encoding="utf-8")
    code, printed, said = check(capsys, shop)
    assert code == ExitCode.ANSWER_IS_NO
    assert said == (
        'dashboards/grafana/handwritten/shop.json: panel "Refunds": query A is empty: '
        'sum(refunds{job="shop", instance=~"(a:1|b:1)"})\n'
    )
    assert printed == "1 dashboard, 2 queries: 1 empty, 0 empty with a reason\n"


def test_a_reason_makes_it_good(shop: str, folder: Path, capsys: Capture) -> None:
    """It is counted, and nobody has to look."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS, Refunds=NOTHING), encoding="utf-8")
    reasons(folder, "Refunds", "nobody has asked for one")
    assert check(capsys, shop) == (ExitCode.OK, "1 dashboard, 2 queries: 0 empty, 1 empty with a reason\n", "")


def test_a_reason_may_be_for_dashboards_that_are_made_alike(shop: str, folder: Path, capsys: Capture) -> None:
    """Patterns of uids and of titles, as long as one of those dashboards has such a panel."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS, Refunds=NOTHING), encoding="utf-8")
    (folder / "shore.json").write_text(dashboard("shore", Calls=CALLS), encoding="utf-8")
    reasons(folder, "'Re*ds'", "nobody has asked for one", uid="sho*")
    assert check(capsys, shop)[0] == ExitCode.OK
    reasons(folder, "Refunds", "nobody has asked for one", uid="shi*")
    assert check(capsys, shop)[0] == ExitCode.ANSWER_IS_NO
    reasons(folder, "Returns", "nobody has asked for one", uid="sho*")
    assert check(capsys, shop)[0] == ExitCode.INVALID_INPUT
    reasons(folder, "Refunds", "nobody has asked for one", uid="sho*")
    assert check(capsys, shop, folder / "shore.json")[0] == ExitCode.OK  # the other one has the panel


def test_a_reason_for_a_panel_that_is_gone_is_a_mistake(shop: str, folder: Path, capsys: Capture) -> None:
    """Else a panel that comes later under its name would be empty unseen."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS), encoding="utf-8")
    reasons(folder, "Returns", "nobody has asked for one")
    code, _, said = check(capsys, shop)
    assert code == ExitCode.INVALID_INPUT
    assert "the dashboard shop has no panel 'Returns'" in said
    reasons(folder, "Calls", "' '")
    code, _, said = check(capsys, shop)
    assert (code, "a reason says something" in said) == (ExitCode.INVALID_INPUT, True)


def test_a_refused_query_is_never_good(shop: str, folder: Path, capsys: Capture) -> None:
    """What Prometheus says against it is told, whatever reason stands for the panel."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS, Refunds="sum(refunds"), encoding="utf-8")
    reasons(folder, "Refunds", "nobody has asked for one")
    code, _, said = check(capsys, shop)
    assert code == ExitCode.ANSWER_IS_NO
    assert 'panel "Refunds": query A was refused' in said
    assert "parse error" in said


def test_what_is_not_there_at_all_is_left_out_unless_it_is_named(shop: str, folder: Path, capsys: Capture) -> None:
    """A repository has dashboards of more than one server; who names one wants it looked at."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS), encoding="utf-8")
    (folder / "other.json").write_text(dashboard("Other", Refunds=NOTHING), encoding="utf-8")
    code, printed, _ = check(capsys, shop)
    assert (code, printed.splitlines()[0]) == (ExitCode.OK, "not on this server: Other")
    code, _, said = check(capsys, shop, folder / "other.json")
    assert (code, 'panel "Refunds"' in said) == (ExitCode.ANSWER_IS_NO, True)


def test_a_variable_can_be_chosen(shop: str, folder: Path, capsys: Capture) -> None:
    """`--set` outranks what the dashboard opens with; a name that no dashboard has is a mistake."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS, Up="count(calls_total)"), encoding="utf-8")
    code, _, said = check(capsys, shop, "--set", "instance=c:1")
    assert (code, 'instance=~"c:1"' in said) == (ExitCode.ANSWER_IS_NO, True)
    code, _, said = check(capsys, shop, "--set", "instances=c:1")
    assert (code, "no dashboard has a variable instances" in said) == (ExitCode.INVALID_INPUT, True)
    code, _, said = check(capsys, shop, "--set", "instance")
    assert (code, "NAME=VALUE" in said) == (ExitCode.INVALID_INPUT, True)


@pytest.mark.parametrize(
    ("variable", "seen"),
    [
        ({"query": "label_values(job)"}, "shop"),
        ({"query": "query_result(max by (job) (calls_total))", "regex": '/job="([^"]+)"/'}, "shop"),
        ({"query": "label_values(calls_total, instance)", "regex": "/^b.*/"}, "b:1"),
        ({"query": "metrics(calls.*)"}, ""),
        ({"type": "custom", "query": "One : 1, Two : 2"}, "1"),
        ({"type": "textbox", "query": "mine"}, "mine"),
    ],
)
def test_each_kind_of_variable_opens_as_in_grafana(
    shop: str, folder: Path, capsys: Capture, variable: dict[str, str], seen: str
) -> None:
    """The first value that the server has, that was written down, or that the regex finds."""
    board = json.loads(dashboard(Other='refunds{x="$seen"}'))
    board["templating"]["list"] = [{"name": "seen", "type": "query", **variable}]
    (folder / "shop.json").write_text(json.dumps(board), encoding="utf-8")
    assert check(capsys, shop, folder / "shop.json")[2].endswith(f': refunds{{x="{seen}"}}\n')


def test_a_server_that_does_not_answer_is_its_own_code(folder: Path, capsys: Capture) -> None:
    """Nothing is called empty that wasn't asked."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS), encoding="utf-8")
    code, printed, said = check(capsys, f"http://127.0.0.1:{free_port()}")
    assert (code, printed) == (ExitCode.UNREACHABLE, "")
    assert "can't be reached" in said
    assert check(capsys, "nowhere")[0] == ExitCode.INVALID_INPUT


def test_logs_are_asked_for_only_where_a_server_is_named(shop: str, folder: Path, capsys: Capture) -> None:
    """Without one they are counted; one that isn't there, or can't be, is told like Prometheus."""
    board = json.loads(dashboard(Calls=CALLS))
    logs = {"type": "elasticsearch", "uid": "${logs}"}
    board["panels"].append({"type": "logs", "title": "Lines", "datasource": logs, "targets": [{"query": "*"}]})
    (folder / "shop.json").write_text(json.dumps(board), encoding="utf-8")
    code, printed, _ = check(capsys, shop)
    assert (code, printed.splitlines()[0]) == (ExitCode.OK, "not asked: 1 query of logs; name --elasticsearch")
    code, _, said = check(capsys, shop, "--elasticsearch", f"http://127.0.0.1:{free_port()}")
    assert (code, "Elasticsearch" in said) == (ExitCode.UNREACHABLE, True)
    assert check(capsys, shop, "--elasticsearch", "nowhere")[0] == ExitCode.INVALID_INPUT


def test_what_is_no_dashboard_is_told(folder: Path, capsys: Capture) -> None:
    """Before anybody is asked."""
    (folder / "shop.json").write_text('{"title": "t", "panels": [1]}', encoding="utf-8")
    code, _, said = check(capsys, "http://127.0.0.1:1")
    assert (code, "panels[0] is 1; it must be a mapping" in said) == (ExitCode.INVALID_INPUT, True)


def lint(capture: Capture, *arguments: str | Path) -> tuple[int, str, str]:
    """The same of `sereno dashboards lint`."""
    code = run(["dashboards", "lint", *map(str, arguments)])
    printed = capture.readouterr()
    return code, printed.out, printed.err


def test_lint_tells_mistakes_by_panel(folder: Path, capsys: Capture) -> None:
    """0 for none, 1 for some, 2 for what is no dashboard, or no file."""
    (folder / "shop.json").write_text(dashboard(Calls=CALLS), encoding="utf-8")
    assert lint(capsys) == (ExitCode.OK, "1 dashboard: every rule is kept\n", "")
    (folder / "shop.json").write_text(dashboard(Calls='calls_total{job="$job", instance=~"$instance"}'), "utf-8")
    code, _, said = lint(capsys)
    assert code == ExitCode.ANSWER_IS_NO
    assert said.startswith('dashboards/grafana/handwritten/shop.json: panel "Calls": error[DASH021]: query A shows')
    assert said.endswith("1 dashboard: 1 mistake\n")
    (folder / "shop.json").write_bytes(b"\xff")
    assert lint(capsys)[0] == ExitCode.INVALID_INPUT
    (folder / "shop.json").write_text("{}", "utf-8")
    assert lint(capsys)[0] == ExitCode.INVALID_INPUT
    code, _, said = lint(capsys, "nowhere.json")
    assert (code, said) == (ExitCode.INVALID_INPUT, "sereno dashboards lint: nowhere.json: No such file or directory\n")


def test_lint_tells_its_rules(capsys: Capture) -> None:
    """Each by its code."""
    code, printed, _ = lint(capsys, "--rules")
    assert code == ExitCode.OK
    assert printed.startswith("DASH001  the file is a dashboard")

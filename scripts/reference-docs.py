"""Writes docs/reference/*.md: alerts of rules and runbooks, HTTP interfaces of the parts, their metrics.

.venv/bin/python scripts/reference-docs.py [--check]

`--check` compares instead, and exits 1 where a page differs.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
WRITTEN = "Written by `scripts/reference-docs.py` {source}; do not edit.\n"
METHODS = ("get", "post", "put", "patch", "delete")


def main() -> int:
    """Write or check."""
    with applications() as found:
        pages = {"alerts.md": alerts_page(), "api.md": api_page(found), "metrics.md": metrics_page(found)}
    wrong = [name for name, text in pages.items() if not same(FOLDER / name, text)]
    if "--check" not in sys.argv[1:]:
        for name in wrong:
            (FOLDER / name).write_text(pages[name], encoding="utf-8")
    elif wrong:
        print(f"docs/reference/{', '.join(wrong)}: not what the code says; run `make docs`", file=sys.stderr)
        return 1
    return 0


def same(path: Path, text: str) -> bool:
    """Whether the file is there and says just this."""
    return path.is_file() and path.read_text(encoding="utf-8") == text


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown; pipes within cells are kept as text."""
    head = tuple(heads)
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


# Alerts


def alerts_page() -> str:
    """Every alert, by the file of its rule."""
    head = WRITTEN.format(source="from the rules and the runbooks")
    told = """
*Told* is the label `severity`: `critical` pages, `warning` is a ticket ([who is told](../alertmanager.md)). *After* is
how long the condition must hold. Alerts about SLOs are compiled for every spec, with their thresholds
([alerting](../alerting.md)); those about machines, servers and Sereno itself are rules by hand
([machinery](../machinery.md)).
"""
    generated = [rule for path in rule_files("generated") for rule in rules_of(path)]
    parts = [("SLOs: compiled from each spec", "generated", generated)]
    parts += [(path.name.removesuffix(".rules.yaml"), path.name, rules_of(path)) for path in rule_files("handwritten")]
    sections = (f"\n## {title}\n\n{alert_table(rules)}" for title, _, rules in parts if rules)
    return "# Alerts\n\n" + head + told + "".join(sections)


def rule_files(kind: str) -> list[Path]:
    """Rule files of one kind, by name."""
    return sorted((ROOT / "alerting" / "rules" / kind).glob("*.rules.yaml"))


def rules_of(path: Path) -> list[dict[str, Any]]:
    """Its alerting rules."""
    groups = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def alert_table(rules: list[dict[str, Any]]) -> str:
    """One line for each name: rules of one name differ in severity and thresholds."""
    names = sorted({rule["alert"] for rule in rules})
    rows = []
    for name in names:
        alike = [rule for rule in rules if rule["alert"] == name]
        severities = sorted({rule["labels"]["severity"] for rule in alike})
        waits = sorted(
            {rule.get("for", "at once") for rule in alike}, key=lambda wait: (wait != "at once", len(wait), wait)
        )
        link = f"[{name}](../../runbooks/{name}.md)"
        rows.append((link, ", ".join(severities), ", ".join(waits), meaning(name)))
    return table(("alert and runbook", "told", "after", "what it means"), rows)


def meaning(alert: str) -> str:
    """The first sentence of its runbook."""
    text = (ROOT / "runbooks" / f"{alert}.md").read_text(encoding="utf-8")
    first = text.split("## Meaning\n")[1].strip().partition("\n\n")[0].replace("\n", " ")
    first = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", first)
    return re.split(r"(?<=\.)\s+(?=[A-Z`*])", first)[0]


# Applications


@dataclass(frozen=True)
class Part:
    """One of Sereno's servers, ready to be asked without a socket."""

    title: str
    command: str
    app: Any
    metrics: str = "/metrics"
    """Where it tells of itself."""


@contextmanager
def applications() -> Iterator[list[Part]]:
    """The real applications, on stores of their own that are empty."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - `--help` of a script needn't load servers
    from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore  # noqa: PLC0415
    from sereno_collectors.devops.metrics import ForwarderMetrics  # noqa: PLC0415
    from sereno_collectors.devops.receiver import ReceiverParts, create_receiver  # noqa: PLC0415
    from sereno_exporters.frame.scraping import Scrapers  # noqa: PLC0415
    from sereno_exporters.frame.serving import create_app  # noqa: PLC0415
    from sereno_portal import PortalConfiguration, create_portal  # noqa: PLC0415
    from sereno_postmortems import receiver as incidents  # noqa: PLC0415
    from sereno_postmortems.sources import DatabaseIncidents  # noqa: PLC0415
    from sereno_postmortems.store import IncidentStore  # noqa: PLC0415

    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    with tempfile.TemporaryDirectory() as folder:
        database, registry = Path(folder, "incidents.sqlite"), CollectorRegistry()
        store, events = IncidentStore(database), SqliteDevOpsEventStore(Path(folder, "devops.sqlite"))
        store.prepare()
        events.prepare()
        ForwarderMetrics(registry, lambda: 0)
        yield [
            Part("Incidents", "sereno incidents serve", incidents.create_receiver(store, clock=clock)),
            Part(
                "DevOps webhooks",
                "sereno collect devops",
                create_receiver(ReceiverParts((), events, registry, clock)),
            ),
            Part(
                "Portal",
                "sereno portal",
                create_portal(PortalConfiguration("http://127.0.0.1:9090", ROOT, DatabaseIncidents(database))),
            ),
            Part("Exporters", "sereno exporter all", create_app(Scrapers(())), "/self/metrics"),
        ]


def api_page(parts: list[Part]) -> str:
    """Every path that the applications describe."""
    head = WRITTEN.format(source="from what the applications describe (OpenAPI)")
    told = """
Who may ask, and TLS: `--web-config` of each command ([ports](../ports.md)). `?` marks what may be left out.
"""
    return "# HTTP interfaces\n\n" + head + told + "".join(api_section(part) for part in parts)


def api_section(part: Part) -> str:
    """A table of the paths of one application."""
    paths: dict[str, Any] = part.app.openapi()["paths"]
    rows = [
        (f"`{method.upper()} {path}`", parameters(paths[path][method]), said(paths[path][method]))
        for path in sorted(paths)
        for method in METHODS
        if method in paths[path]
    ]
    return f"\n## {part.title}: `{part.command}`\n\n" + table(("path", "parameters", "what"), rows)


def parameters(operation: dict[str, Any]) -> str:
    """Names of what stands in the address behind the question mark; required ones first."""
    asked = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    return ", ".join(f"`{each['name']}`{'' if each.get('required') else '?'}" for each in asked)


def said(operation: dict[str, Any]) -> str:
    """Its description in one line."""
    return " ".join(operation.get("description", operation.get("summary", "")).split())


# Metrics


def metrics_page(parts: list[Part]) -> str:
    """What every part tells of itself, and what the exporters tell of others."""
    head = WRITTEN.format(source="from what the parts register")
    told = """
Each part has its own `/metrics` ([ports](../ports.md)); beside these there are `process_*` of prometheus_client. Labels
stand here where a part that was just started has them. What services export by Sereno's telemetry:
[metrics of a service](../telemetry/exported.md). What rules record: [the ledger](../ledger.md#from-entries-to-figures).
"""
    own = [(f"{part.title}: `{part.command}`", own_rows(part)) for part in parts]
    own.insert(1, ("Log collector: `sereno collect logs`", collector_rows()))
    sections = [*own, *exporter_sections()]
    heads = ("metric", "type", "labels", "what it says")
    return (
        "# Metrics of Sereno's parts\n\n"
        + head
        + told
        + "".join(f"\n## {title}\n\n" + table(heads, rows) for title, rows in sections)
    )


def own_rows(part: Part) -> list[tuple[str, ...]]:
    """What an application serves about itself."""
    import httpx  # noqa: PLC0415

    async def scrape() -> str:
        transport = httpx.ASGITransport(part.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get(part.metrics)).raise_for_status().text

    return rows_of(asyncio.run(scrape()))


def collector_rows() -> list[tuple[str, ...]]:
    """The log collector's registry, with everything in it."""
    from types import SimpleNamespace  # noqa: PLC0415

    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
    from sereno_collectors.logs import CollectorMetrics  # noqa: PLC0415
    from sereno_collectors.logs.housekeeping import Chores, HousekeepingMetrics  # noqa: PLC0415
    from sereno_collectors.logs.messages import MessageMetrics  # noqa: PLC0415

    registry = CollectorRegistry()
    queue = SimpleNamespace(documents=0, size_bytes=0, limit_bytes=0, oldest_queued_at=None)
    metrics = CollectorMetrics(registry, lambda: 0.0)
    metrics.show_queue(lambda: queue, lambda: 0, lambda: 0)
    metrics.show_messages(MessageMetrics(monotonic=lambda: 0.0))
    HousekeepingMetrics(registry, lambda: 0.0, Chores(lambda: (), lambda: None))
    return rows_of(generate_latest(registry).decode())


def rows_of(text: str) -> list[tuple[str, ...]]:
    """Families of an exposition; a label is known where a sample has it."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    rows = []
    for family in text_string_to_metric_families(text):
        if family.name.startswith(("process_", "python_")) or family.name.endswith("_created"):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        rows.append((f"`{name}`", family.type, ", ".join(f"`{label}`" for label in labels), family.documentation))
    return sorted(rows)


def exporter_sections() -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """The families of each exporter, as its kind declares them."""
    from sereno_exporters.kinds import KINDS, load  # noqa: PLC0415

    for kind in load(sorted(KINDS)):
        rows = [
            (f"`{each.name}`", each.kind, ", ".join(f"`{label}`" for label in ("target", *each.labels)), each.help)
            for each in kind.families
        ]
        yield f"Exporter `{kind.name}`", rows


if __name__ == "__main__":
    sys.exit(main())

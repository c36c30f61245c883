"""The page that people see at the server's address: which targets there are, and what troubles them."""

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from sereno_exporters.frame.configuration import ConfiguredTarget

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sereno exporters</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 16px system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222 }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #ddd; vertical-align: top }}
.trouble {{ color: #a40000 }}
</style></head><body>
<h1>Sereno exporters</h1>
<p><a href="/metrics">/metrics</a> has everything, <a href="/sd">/sd</a> lists the targets for Prometheus' HTTP service
discovery, <a href="/self/metrics">/self/metrics</a> is about this server.</p>
<table><tr><th>exporter</th><th>target</th><th>as of its last scrape</th></tr>
{rows}
</table></body></html>
"""


def page_of(targets: Sequence[ConfiguredTarget], troubles: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    """The page.

    Args:
        targets: all that are configured.
        troubles: by exporter and target: the parts that failed, and why.
    """
    return _PAGE.format(rows="\n".join(_row(target, troubles) for target in targets))


def _row(target: ConfiguredTarget, troubles: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    kind, name = target.kind.name, target.target.name
    link = f"/probe?{urlencode({'exporter': kind, 'target': name})}"
    found = troubles.get((kind, name), {})
    state = "<br>".join(f"{escape(part)}: {escape(why)}" for part, why in found.items())
    cell = f'<td class="trouble">{state}</td>' if state else "<td>no trouble known</td>"
    return f'<tr><td>{escape(kind)}</td><td><a href="{escape(link)}">{escape(name)}</a></td>{cell}</tr>'

"""A team's own template: it gets what Sereno's gets, and what it does wrong is told with its line and a cure."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from sereno_backends.logs import open_log_store
from sereno_postmortems.draft import (
    Evidence,
    Metrics,
    OwnTemplate,
    TemplateMistake,
    gather,
    open_logs,
    read_template,
    render_own,
)
from sereno_postmortems.draft.own_template import JINJA_FILTERS
from sereno_postmortems.draft.render import FILTERS, context
from sereno_postmortems.draft.source_numbers import SourceNumbers
from sereno_postmortems.measured_blocks import Block, parts_of
from sereno_postmortems.store import IncidentStore
from support.incident_story import minute, write_incident, write_logs

NO_METRICS = Metrics(None, "no Prometheus was named")
SMALL = """\
# {{ incident.incident_id }} ({{ owners | join(", ") }})

{% call measured("facts") %}
Opened {{ incident.opened_at | moment }}, {{ mark([evidence.record]) }}. Failed: {{ mark_of(evidence.affected) }}
{% for row in timeline[:2] %}
- {{ row.at.strftime("%H:%M") }} {{ row.what }}
{% endfor %}
{% endcall %}

## Who called?

*told:* …
{% for number, question in numbered() %}

### {{ number }}

{{ question | source }}
{% endfor %}
"""
HOSTILE = {
    "{{ ''.__class__ }}": "PM104",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}": "PM104",
    "{{ mark.__globals__ }}": "PM104",
    "{{ mark_of.__self__._numbers }}": "PM104",
    "{{ incident.alerts[0].labels.update({'a': 'b'}) }}": "PM104",
    "{{ 'a' * 1000000000 }}": "PM104",
    "{{ 10 ** 10 ** 10 }}": "PM104",
    "{{ '%999999999s' % 'x' }}": "PM104",
    "{{ '{:>999999999}'.format(1) }}": "PM104",
    "{{ 'x'.center(999999999) }}": "PM104",
    "{{ incident | attr('__class__') }}": "PM102",
    "{{ '<b>' | safe }}": "PM102",
    "{{ lipsum.__globals__['os'].popen('id').read() }}": "PM103",
    "{% include '../../../etc/passwd' %}": "PM103",
    "{% extends '/etc/passwd' %}": "PM103",
    "{{ self.__init__.__globals__ }}": "PM104",
    "{{ evidnce.slos }}": "PM103",
    "{{ incident.nothing.at.all }}": "PM103",
    "{{ 1 / 0 }}": "PM105",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "PM105",
    "{% for x in %}": "PM102",
    "{% call measured('Two words') %}x{% endcall %}": "PM105",
    "{% call measured('a') %}x{% endcall %}{% call measured('a') %}x{% endcall %}": "PM105",
    "{{ 'never closed": "PM102",
}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """The story's, without metrics."""
    folder = tmp_path_factory.mktemp("own")
    write_logs(folder / "l.sqlite")
    write_incident(folder / "i.sqlite", owner="<b>pay</b> *ments*")
    store = open_log_store(str(folder / "l.sqlite"))
    (incident,) = IncidentStore(folder / "i.sqlite").incidents()
    now = minute(150)
    found = gather(incident, "record", NO_METRICS, open_logs(store, now), now=now, progress=lambda _: None)
    store.close()
    return found


def rendered(folder: Path, text: str, evidence: Evidence) -> str | TemplateMistake:
    """What comes of a template."""
    path = folder / "template.md.j2"
    path.write_text(text, encoding="utf-8")
    own = read_template(path)
    return render_own(own, evidence) if isinstance(own, OwnTemplate) else own


def test_a_small_template_gets_everything(tmp_path: Path, evidence: Evidence) -> None:
    """Values are there, printed inert, with marks, sources and blocks that can be renewed."""
    text = rendered(tmp_path, SMALL, evidence)
    assert isinstance(text, str)
    assert f"# {evidence.incident.incident_id} (&lt;b&gt;pay&lt;/b&gt; \\*ments\\*)" in text
    (block,) = (part for part in parts_of(text) if isinstance(part, Block))
    assert (block.name, block.is_untouched) == ("facts", True)
    assert "Failed: **not measured**: no Prometheus was named" in block.content
    assert "### I1\n\n`record`, as of this draft:\n" in text
    assert not {token.type for token in MarkdownIt("commonmark").parse(text)} & {"html_inline"}


def test_one_section_of_serenos_own_can_be_replaced(tmp_path: Path, evidence: Evidence) -> None:
    """Each section is a block of Jinja2, and `super()` is what Sereno would have written."""
    names = ["title", "summary", "impact", "timeline", "detection", "logs", "analysis", "lessons", "actions", "sources"]
    parts = "".join(f"{{% block {name} %}}\nOURS {name}\n{{{{ super() }}}}\n{{% endblock %}}\n" for name in names)
    text = rendered(tmp_path, f'{{% extends "postmortem.md.j2" %}}\n{parts}', evidence)
    assert isinstance(text, str), text
    assert [name for name in names if f"OURS {name}\n" in text] == names
    assert "\n## Sources\n" in text
    assert "\n# Postmortem: " in text


@pytest.mark.parametrize("template", HOSTILE)
def test_mistakes_and_attacks_are_told(tmp_path: Path, evidence: Evidence, template: str) -> None:
    """Nothing runs, nothing grows, and the answer names file, line, code and what to write instead."""
    answer = rendered(tmp_path, f"one\ntwo\n{template}\n", evidence)
    assert isinstance(answer, TemplateMistake), answer
    assert (answer.code, answer.line in {3, 4}) == (HOSTILE[template], True)
    assert re.fullmatch(r"\S+/template\.md\.j2:\d+:1: error\[PM10\d\]: .+ \(.+\)", str(answer))


def test_the_nearest_name_is_proposed(tmp_path: Path, evidence: Evidence) -> None:
    """A slip of the pen is answered with what was meant."""
    assert "(write evidence)" in str(rendered(tmp_path, "{{ evidnce.slos }}", evidence))


def test_files_that_are_no_template_are_told(tmp_path: Path) -> None:
    """A folder, one that isn't there, other bytes, and too many of them."""
    (tmp_path / "bytes").write_bytes(b"one\n\xff\n")
    (tmp_path / "large").write_bytes(b" " * (1024 * 1024 + 1))
    for name, line in ((".", 1), ("nowhere", 1), ("bytes", 2), ("large", 1)):
        answer = read_template(tmp_path / name)
        assert isinstance(answer, TemplateMistake)
        assert (answer.code, answer.line) == ("PM101", line)


def test_what_a_template_may_use_is_documented(evidence: Evidence) -> None:
    """docs/postmortems.md lists every variable, every filter of drafts and of Jinja2, and every code."""
    text = (Path(__file__).resolve().parents[2] / "docs/postmortems.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)", text, re.MULTILINE))
    assert set(context(evidence, SourceNumbers())) | set(FILTERS) <= rows
    assert all(f"`{name}`" in text for name in JINJA_FILTERS)
    assert all(f"| PM10{number} |" in text for number in range(1, 6))

"""Whatever stands in a spec, the compiler answers; and what it accepts, Prometheus can read."""

import copy
from typing import Any

import promql_parser
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sereno_slo import Settings, SourceFile, read_settings, validate_specs
from sereno_slo.codes import CODES
from sereno_slo.diagnostics import has_errors
from sereno_slo.parse.grammar import SpecDocument
from sereno_slo.parse.settings_grammar import SettingsDocument
from sereno_slo.render.layout import FOLDER
from sereno_slo.render.prometheus_rules import render_rules
from sereno_slo.render.promtool import render_behaviour_tests
from support.slo_specs import EXAMPLES, example_names

fuzzed = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

TEXTS = [(EXAMPLES / f"{name}.slo.yaml").read_text(encoding="utf-8") for name in example_names()]
DOCUMENTS = [yaml.safe_load(text) for text in TEXTS]


def _keys(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_keys, schema))
    if not isinstance(schema, dict):
        return set()
    properties = schema.get("properties")
    own = set(properties) if isinstance(properties, dict) else set()
    return own.union(*map(_keys, schema.values()))


KEYS = sorted(_keys(SpecDocument.model_json_schema()) | _keys(SettingsDocument.model_json_schema()))
TELLING = [
    *("sereno/v1", "critical", "both", "30d", "0s", "1h", "300ms", "9" * 30 + "d", "2%", "<rolling>", "month", ""),
    *('job="x"', 'code=~"5.."', 'm{a="b"}', "m", "sum(m)", 'a=~"("', 'a="\\""', "on", "a{}", '{a="b"}', "x-y", "X Y"),
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.sampled_from(TELLING)
)
keys = st.sampled_from(KEYS) | st.text(max_size=5) | st.integers()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def _shaped(name: str) -> st.SearchStrategy[Any]:
    """Values in the shape of one of the grammar's mappings, with any value where the shape ends."""
    definitions = {**SpecDocument.model_json_schema()["$defs"], "SpecDocument": SpecDocument.model_json_schema()}

    def of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema or "oneOf" in schema:
            return st.one_of(*map(of, schema.get("anyOf") or schema["oneOf"]), values)
        if "properties" in schema:
            known = {key: st.one_of(of(described), values) for key, described in schema["properties"].items()}
            return st.fixed_dictionaries({}, optional=known) | values
        if schema.get("type") == "array":
            return st.lists(of(schema["items"]), max_size=3) | values
        return values

    return of(definitions[name])


def _judge(text: str) -> None:
    """No exception; every mistake has a code and a place; what has none renders, and Prometheus' grammar reads it."""
    validation = validate_specs([SourceFile("fuzz.slo.yaml", text)], Settings())
    for diagnostic in validation.diagnostics:
        assert diagnostic.code in CODES
        assert "\n" not in str(diagnostic)
        assert diagnostic.span.line <= len(text.splitlines()) + 2  # YAML has more line breaks than one
    if has_errors(validation.diagnostics):
        return
    (service,) = validation.services
    tests, _ = render_behaviour_tests(service, Settings(), FOLDER)
    rules = yaml.safe_load(render_rules(service, Settings()).content)
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        promql_parser.parse(rule["expr"])
    for case in (case for file in tests for case in yaml.safe_load(file.content).get("tests", [])):
        for series in case["input_series"]:
            assert isinstance(promql_parser.parse(series["series"]), promql_parser.VectorSelector)
        for expectation in case["promql_expr_test"]:
            promql_parser.parse(expectation["expr"])


@fuzzed
@given(_shaped("SpecDocument"))
def test_values_in_the_shape_of_a_spec(document: Any) -> None:
    """Any values under the grammar's keys are judged without an exception."""
    _judge(yaml.safe_dump(document, allow_unicode=True))


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in children for place in _places(child, (*path, key)))]


def _changed(document: Any, place: tuple[Any, ...], change: str, value: Any) -> Any:
    if not place:
        return document if change == "remove" else value
    holder = document
    for key in place[:-1]:
        holder = holder[key]
    match change:
        case "remove":
            del holder[place[-1]]
        case "replace":
            holder[place[-1]] = value
        case "repeat" if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[place[-1]]))
        case _ if isinstance(holder, dict):
            holder[str(value)] = holder.pop(place[-1])
    return document


@fuzzed
@given(st.data())
def test_valid_specs_with_some_values_changed(data: st.DataObject) -> None:
    """One to three values of a valid spec are removed, replaced, repeated or renamed."""
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(_places(document)))
        change = data.draw(st.sampled_from(["remove", "replace", "repeat", "rename"]))
        document = _changed(document, place, change, data.draw(values))
    _judge(yaml.safe_dump(document, allow_unicode=True))


@fuzzed
@given(st.data())
def test_text_of_valid_specs_damaged(data: st.DataObject) -> None:
    """Some characters of a valid spec are cut out, put in or doubled."""
    text = data.draw(st.sampled_from(TEXTS))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        put = data.draw(
            st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(['"', "{", "\n- ", ": ", "&a ", "*a"])
        )
        text = text[:start] + put + text[end:]
    _judge(text)


@fuzzed
@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text(text: str) -> None:
    """A file with anything in it is judged, as a spec and as settings."""
    _judge(text)
    _, mistakes = read_settings(SourceFile("sereno.yaml", text))
    assert all(mistake.code in CODES for mistake in mistakes)


@fuzzed
@given(values)
def test_any_settings(document: Any) -> None:
    """Settings of any shape are judged without an exception."""
    _, mistakes = read_settings(SourceFile("sereno.yaml", yaml.safe_dump(document, allow_unicode=True)))
    assert all(mistake.code in CODES for mistake in mistakes)

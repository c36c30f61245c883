"""What holds for each exporter of queues: light to import, honest without its library, known to the frame."""

import subprocess
import sys
from pathlib import Path

import pytest
from sereno_exporters.frame.configuration import grammar_of
from sereno_exporters.frame.model import FORBIDDEN_LABELS
from sereno_exporters.kinds import KINDS, load
from support.configured_exporters import scraped

QUEUES = ("rabbitmq", "redis_queues", "sqs")
HEAVY = {"redis", "boto3", "botocore", "sqlalchemy"}
TARGETS = {
    "redis_queues": "      one: {lists: [{key: a}]}\n",
    "sqs": "      one: {region: eu-west-1, queues: [a]}\n",
}


@pytest.mark.parametrize("name", QUEUES)
def test_importing_a_kind_imports_no_client_library(name: str) -> None:
    """`sereno exporter --help` and the others' targets don't pay for it, nor need it."""
    code = f"import sys, {KINDS[name][0]}; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "library", "extra"), [("redis_queues", "redis.backoff", "redis"), ("sqs", "boto3", "aws")]
)
def test_a_library_that_is_missing_is_told(
    name: str, library: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that installs it, and `up 0`; no traceback at the start."""
    heavy = ("frame.redis_connection", f"queues.{name}.fetch", f"queues.{name}.client")
    for module in heavy:
        monkeypatch.delitem(sys.modules, f"sereno_exporters.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    (kind,) = load([name])
    found = scraped(kind, TARGETS[name], tmp_path)
    assert found.value(f"sereno_{name}_up") == 0
    for reason, message in (found.failure(part) for part in found.failed):
        assert (reason, f"pip install 'sereno[{extra}]'" in message) == ("configuration", True), message


@pytest.mark.parametrize("name", QUEUES)
def test_families_and_settings_keep_the_conventions(name: str) -> None:
    """Names begin with the exporter's; every required key has an example; each family is listed once."""
    (kind,) = load([name])
    names = [family.name for family in kind.families]
    assert len(names) == len(set(names))
    assert all(each.startswith(f"sereno_{name}_") for each in names)
    assert not FORBIDDEN_LABELS.intersection(label for family in kind.families for label in family.labels)
    assert grammar_of((kind,)).model_json_schema()
    fields = kind.settings.model_fields
    assert [key for key, field in fields.items() if field.is_required() and not field.examples] == []

"""Sample deliveries of each provider, and the documents that are expected of them: pairs of files.

After a wanted change of a translator, write the expectations anew and read the difference as a reviewer would:
PYTHONPATH=tests .venv/bin/python -m support.devops_samples
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sereno_backends.devops import Delivery, Disposition, Provider
from sereno_backends.devops.documents import event_document
from sereno_collectors.devops.model import Conventions, Ignored, Message, Source
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.translation import delivery_of

FOLDER = Path(__file__).resolve().parents[1] / "collectors/devops/samples"
RECEIVED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """One delivery of a provider."""

    path: Path
    provider: Provider
    headers: Mapping[str, str]
    body: bytes
    conventions: Conventions

    @property
    def name(self) -> str:
        """`github/push`."""
        return f"{self.provider.value}/{self.path.stem}"

    @property
    def expected(self) -> Path:
        """Where the expectation is."""
        return self.path.with_suffix(".expected.json")

    def delivery(self) -> Delivery | Ignored:
        """What the translator makes of it."""
        source = Source(self.provider.value.replace("_", "-"), self.provider, (), self.conventions)
        headers = {name.lower(): value for name, value in self.headers.items()}
        message = Message(headers, self.body, json.loads(self.body))
        return delivery_of(source, ADAPTERS[self.provider], message, RECEIVED_AT)

    def outcome(self) -> dict[str, Any]:
        """What the translator makes of it, as the expectation says it."""
        delivery = self.delivery()
        if isinstance(delivery, Ignored):
            return {"ignored": delivery.reason}
        told = {"delivery_id": delivery.delivery_id, "event_type": delivery.event_type}
        if delivery.disposition is Disposition.UNKNOWN_SCHEMA:
            return told | {"unknown_schema": delivery.reason}
        return told | {"events": [event_document(event) for event in delivery.events]}


def samples() -> list[Sample]:
    """All of them."""
    return [_sample(path) for path in sorted(FOLDER.glob("*/*.json")) if not path.name.endswith(".expected.json")]


def sample(name: str) -> Sample:
    """The sample of that name, such as `github/push`."""
    return _sample(FOLDER / f"{name}.json")


def _sample(path: Path) -> Sample:
    told = json.loads(path.read_text(encoding="utf-8"))
    conventions: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told.get("conventions", {}).items()
    }
    return Sample(
        path=path,
        provider=Provider(path.parent.name),
        headers=told["headers"],
        body=json.dumps(told["body"]).encode(),
        conventions=Conventions(**conventions),
    )


def expectation(outcome: Mapping[str, Any]) -> str:
    """An outcome as it stands in the file."""
    return json.dumps(outcome, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in samples():
        each.expected.write_text(expectation(each.outcome()), encoding="utf-8")

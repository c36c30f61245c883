"""Jenkins, by its Notification plugin (JSON): basic authentication, or a signature that a pipeline makes itself.

Shapes: plugins.jenkins.io/notification. The plugin sends `user:password@` of its URL as basic authentication and can
sign nothing; a pipeline that posts the same JSON can send `X-Sereno-Signature-256`, made like GitHub's.
"""

import re
from datetime import datetime, timedelta
from typing import Final

from sereno_backends.devops import Pipeline, Provider, RunStatus

from sereno_collectors.devops.adapter import ProviderAdapter
from sereno_collectors.devops.authentication import BasicAuth, BodySignature
from sereno_collectors.devops.model import Conventions, Fact, Ignored, Message
from sereno_collectors.devops.reading import Reader

_RESULTS: Final = {
    "SUCCESS": RunStatus.SUCCEEDED,
    "UNSTABLE": RunStatus.SUCCEEDED,
    "FAILURE": RunStatus.FAILED,
    "ABORTED": RunStatus.CANCELLED,
    "NOT_BUILT": RunStatus.SKIPPED,
}
_ADDRESS: Final = re.compile(r"^(?:[a-z+]+://)?(?:[^/@]*@)?[^/:]+(?::\d+/|[:/])(?P<path>.+?)(?:\.git)?/?$")
_LONGEST_BUILD: Final = timedelta(days=366)


def _build(body: Reader, _: Conventions) -> tuple[Fact, ...] | Ignored:
    told = body.at("build")
    phase = told.text("phase")
    status = RunStatus.QUEUED if phase == "QUEUED" else RunStatus.RUNNING
    if phase in ("COMPLETED", "FINALIZED"):
        status = told.one_of("status", _RESULTS)
    elif phase not in ("QUEUED", "STARTED"):
        raise told.at("phase").misfit("QUEUED, STARTED, COMPLETED or FINALIZED")
    started_at = told.time_or_none("timestamp")
    finished_at = _finished_at(told, started_at) if status.is_final else None
    branch = told.text_or("scm.branch")
    subject = Pipeline(
        run_id=f"{body.text('name')}#{told.text('number')}",
        status=status,
        name=body.text("name"),
        sha=told.text_or_none("scm.commit"),
        branch=branch.removeprefix("origin/").removeprefix("refs/heads/"),
        started_at=started_at if status is not RunStatus.QUEUED else None,
        finished_at=finished_at,
        url=told.text_or("full_url"),
    )
    return (Fact(_repository(body), finished_at or started_at, subject),)


def _finished_at(told: Reader, started_at: datetime | None) -> datetime | None:
    """`duration` is in milliseconds, and 0 as long as the build isn't finalized."""
    duration = timedelta(milliseconds=told.count_or("duration", 0))
    return started_at + duration if started_at is not None and timedelta(0) < duration < _LONGEST_BUILD else None


def _repository(body: Reader) -> str:
    """The path in the address of the source code, such as `acme/shop`; else the job's name."""
    found = _ADDRESS.match(body.text_or("build.scm.url"))
    return found["path"] if found else body.text("name")


def _event_type(message: Message) -> str:
    return "build" if Reader(message.document).at("build") else "other"


ADAPTER: Final = ProviderAdapter(
    provider=Provider.JENKINS,
    schemes=(BodySignature("x-sereno-signature-256"), BasicAuth()),
    event_type=_event_type,
    delivery_id=lambda _: None,
    translators={"build": _build},
)

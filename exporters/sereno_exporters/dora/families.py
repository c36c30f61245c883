"""The metric families of DORA's figures: from a snapshot, pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client.metrics_core import Metric

from sereno_exporters.dora.deployments import DeploymentRun
from sereno_exporters.dora.figures import Figures, quantile
from sereno_exporters.dora.policy import QUANTILES, WINDOWS
from sereno_exporters.dora.snapshot import DoraSnapshot
from sereno_exporters.frame.model import Family, FamilyKind

_PLACE: Final = ("service", "environment")
_WINDOW: Final = (*_PLACE, "window")
_OVER: Final = "over the window (7d, 30d, 90d) that ends now"

DEPLOYMENTS: Final = Family(
    "sereno_dora_deployments_total",
    FamilyKind.COUNTER,
    "Deployments by how they ended (succeeded, failed, cancelled), counted from all that the store has: restarts change"
    " nothing. One that failed and succeeded when tried again counts under both.",
    (*_PLACE, "outcome"),
)
WINDOW_DEPLOYMENTS: Final = Family(
    "sereno_dora_window_deployments",
    FamilyKind.GAUGE,
    f"Successful deployments to production {_OVER}, by verdict: failed, well, or open (too young to tell).",
    (*_WINDOW, "verdict"),
)
WINDOW_SECONDS: Final = Family(
    "sereno_dora_window_seconds", FamilyKind.GAUGE, "The length of a window, to divide counts by.", ("window",)
)
UNSUCCESSFUL: Final = Family(
    "sereno_dora_unsuccessful_deployments",
    FamilyKind.GAUGE,
    f"Deployments to production that failed to go out, {_OVER}: users saw nothing of them, so no change failures.",
    _WINDOW,
)
CHANGE_FAILURE: Final = Family(
    "sereno_dora_change_failure_ratio",
    FamilyKind.GAUGE,
    f"Failed deployments of those whose verdict is known, {_OVER}; absent where there is none.",
    _WINDOW,
)
LEAD_TIME: Final = Family(
    "sereno_dora_lead_time_seconds",
    FamilyKind.GAUGE,
    f"From a commit's author time to the first deployment to this environment that has it: quantiles {_OVER}.",
    (*_WINDOW, "quantile"),
)
LEAD_TIME_COMMITS: Final = Family(
    "sereno_dora_lead_time_commits",
    FamilyKind.GAUGE,
    f"Commits that came to production {_OVER}: measured (lead time is of these) or unmeasured (nobody told the time).",
    (*_WINDOW, "state"),
)
RESTORE: Final = Family(
    "sereno_dora_time_to_restore_seconds",
    FamilyKind.GAUGE,
    f"How long recovery from failed deployments took: quantiles {_OVER}, of those that are over.",
    (*_WINDOW, "quantile"),
)
RESTORE_FAILURES: Final = Family(
    "sereno_dora_time_to_restore_deployments",
    FamilyKind.GAUGE,
    f"Failed deployments {_OVER}: restored (time to restore is of these), or unrestored.",
    (*_WINDOW, "state"),
)
REWORK: Final = Family(
    "sereno_dora_rework_deployments",
    FamilyKind.GAUGE,
    f"Successful deployments to production that were unplanned repairs, {_OVER}.",
    _WINDOW,
)
REWORK_RATIO: Final = Family(
    "sereno_dora_rework_ratio",
    FamilyKind.GAUGE,
    f"Unplanned repairs of all successful deployments to production, {_OVER}; absent where there is none.",
    _WINDOW,
)
LAST_DEPLOYMENT: Final = Family(
    "sereno_dora_last_deployment_timestamp_seconds",
    FamilyKind.GAUGE,
    "When a service was last deployed to an environment with success; it changes with each deployment.",
    _PLACE,
)
DEPLOYED: Final = Family(
    "sereno_dora_deployed_timestamp_seconds",
    FamilyKind.GAUGE,
    "The same moment, with what was deployed and whether the environment counts as production: for dashboards'"
    " annotations. Each deployment is a series of its own until the next one.",
    (*_PLACE, "production", "deployment", "sha", "version"),
)
EVENTS_FROM: Final = Family(
    "sereno_dora_oldest_event_timestamp_seconds",
    FamilyKind.GAUGE,
    "The store's oldest event: a window that begins before it is not full. Absent while the store is empty.",
)
EVENTS_TO: Final = Family(
    "sereno_dora_newest_event_timestamp_seconds",
    FamilyKind.GAUGE,
    "The store's newest event: figures are of what happened until then.",
)

ALL: Final = (
    DEPLOYMENTS,
    WINDOW_DEPLOYMENTS,
    WINDOW_SECONDS,
    UNSUCCESSFUL,
    CHANGE_FAILURE,
    LEAD_TIME,
    LEAD_TIME_COMMITS,
    RESTORE,
    RESTORE_FAILURES,
    REWORK,
    REWORK_RATIO,
    LAST_DEPLOYMENT,
    DEPLOYED,
    EVENTS_FROM,
    EVENTS_TO,
)

_Sample = tuple[tuple[str, ...], float]


def families(snapshot: DoraSnapshot) -> Iterator[Metric]:
    """The families of a snapshot."""
    yield DEPLOYMENTS.of(
        ((*place, status.value), count) for place, counts in snapshot.ended.items() for status, count in counts.items()
    )
    yield WINDOW_SECONDS.of(((name,), window.total_seconds()) for name, window in WINDOWS.items())
    for family, samples in _OF_FIGURES:
        yield family.of(
            ((one.service, one.environment, one.window, *labels), value)
            for one in snapshot.figures
            for labels, value in samples(one)
        )
    yield LAST_DEPLOYMENT.of(
        ((run.key.service, run.key.environment), run.when_deployed().timestamp()) for run in snapshot.latest
    )
    yield DEPLOYED.of((_details(run), run.when_deployed().timestamp()) for run in snapshot.latest)
    for family, moment in ((EVENTS_FROM, snapshot.oldest_event_at), (EVENTS_TO, snapshot.newest_event_at)):
        if moment is not None:
            yield family.value(moment.timestamp())


def _details(run: DeploymentRun) -> tuple[str, ...]:
    """The values of DEPLOYED's labels."""
    is_production = "true" if run.is_production else "false"
    return run.key.service, run.key.environment, is_production, run.key.deployment_id, run.sha or "", run.version


def _verdicts(of: Figures) -> Iterable[_Sample]:
    return (((verdict.value,), count) for verdict, count in of.verdicts.items())


def _quantiles(values: tuple[float, ...]) -> Iterable[_Sample]:
    return (((f"{q:g}",), quantile(values, q)) for q in QUANTILES) if values else ()


def _known(value: float | None) -> Iterable[_Sample]:
    return () if value is None else (((), value),)


_OF_FIGURES: Final[tuple[tuple[Family, Callable[[Figures], Iterable[_Sample]]], ...]] = (
    (WINDOW_DEPLOYMENTS, _verdicts),
    (UNSUCCESSFUL, lambda of: _known(of.unsuccessful)),
    (CHANGE_FAILURE, lambda of: _known(of.change_failure_ratio)),
    (LEAD_TIME, lambda of: _quantiles(of.lead_seconds)),
    (
        LEAD_TIME_COMMITS,
        lambda of: ((("measured",), len(of.lead_seconds)), (("unmeasured",), of.unmeasured_commits)),
    ),
    (RESTORE, lambda of: _quantiles(of.restore_seconds)),
    (RESTORE_FAILURES, lambda of: ((("restored",), len(of.restore_seconds)), (("unrestored",), of.unrestored))),
    (REWORK, lambda of: _known(of.rework)),
    (REWORK_RATIO, lambda of: _known(of.rework_ratio)),
)

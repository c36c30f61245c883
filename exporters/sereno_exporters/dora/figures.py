"""DORA's figures of one service in one environment over one window, with the counts that they rest on."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_exporters.dora.history import DeliveryHistory
from sereno_exporters.dora.policy import WINDOWS
from sereno_exporters.dora.verdicts import JudgedDeployment, Verdict


@dataclass(frozen=True, slots=True)
class Figures:
    """Counted over deployments of the half-open window (now - window, now]."""

    service: str
    environment: str
    window: str
    verdicts: Mapping[Verdict, int]
    """Successful deployments to production by how they went; zeros included."""
    unsuccessful: int
    """Deployments that failed to go out: no change failures, users saw nothing of them."""
    lead_seconds: tuple[float, ...]
    """Of each commit that first reached production then, in ascending order."""
    unmeasured_commits: int
    """Commits that came along, but whose time nobody told."""
    restore_seconds: tuple[float, ...]
    """Of each change failure that is over, in ascending order."""
    unrestored: int
    """Change failures of which nothing says that they are over."""
    rework: int

    @property
    def deployments(self) -> int:
        """Successful ones: deployment frequency, as a count."""
        return sum(self.verdicts.values())

    @property
    def change_failure_ratio(self) -> float | None:
        """Of the deployments whose verdict is known; None where there is none."""
        known = self.verdicts[Verdict.FAILED] + self.verdicts[Verdict.WELL]
        return self.verdicts[Verdict.FAILED] / known if known else None

    @property
    def rework_ratio(self) -> float | None:
        """Of all successful deployments; None where there is none."""
        return self.rework / self.deployments if self.deployments else None


def figures(
    history: DeliveryHistory,
    judgements: Sequence[JudgedDeployment],
    now: datetime,
    windows: Mapping[str, timedelta] = WINDOWS,
) -> tuple[Figures, ...]:
    """For each service and environment that was ever deployed to as production, and each window."""
    by_place: dict[tuple[str, str], list[JudgedDeployment]] = {
        (service.service, environment): []
        for service in history.services.values()
        for environment in (*service.unsuccessful, *(environment for environment, _ in service.tracks))
    }
    for each in judgements:
        by_place[each.run.key.service, each.run.key.environment].append(each)
    return tuple(
        _figures(
            place,
            name,
            [each for each in judged if now - window < each.deployed_at <= now],
            _number(history.services[place[0]].unsuccessful.get(place[1], ()), now - window, now),
        )
        for place, judged in sorted(by_place.items())
        for name, window in windows.items()
    )


def quantile(values: Sequence[float], q: float) -> float:
    """As Prometheus' `quantile`: between the two nearest of values in ascending order, which can't be empty.

    >>> quantile((1.0, 2.0, 4.0), 0.5), quantile((1.0, 2.0), 0.5)
    (2.0, 1.5)
    """
    rank = q * (len(values) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (rank - below)


def _number(moments: Sequence[datetime], after: datetime, until: datetime) -> int:
    """How many of moments in their order are in the half-open time (after, until]."""
    return bisect_right(moments, until) - bisect_right(moments, after)


def _figures(place: tuple[str, str], window: str, inside: Sequence[JudgedDeployment], unsuccessful: int) -> Figures:
    failed = [each for each in inside if each.verdict is Verdict.FAILED]
    brought = [each.delivery for each in inside]
    restored = [seconds for each in failed if (seconds := each.restore_seconds) is not None]
    service, environment = place
    return Figures(
        service=service,
        environment=environment,
        window=window,
        verdicts={verdict: sum(each.verdict is verdict for each in inside) for verdict in Verdict},
        unsuccessful=unsuccessful,
        lead_seconds=tuple(sorted(seconds for each in brought for seconds in each.lead_seconds)),
        unmeasured_commits=sum(each.unknown for each in brought),
        restore_seconds=tuple(sorted(restored)),
        unrestored=len(failed) - len(restored),
        rework=sum(each.rework is not None for each in inside),
    )

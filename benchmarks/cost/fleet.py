"""Many services with ten SLOs each: their specs, and what their processes expose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sereno_slo import SourceFile

from benchmarks.simulation import DAY, SECOND

SLOS_PER_SERVICE = 10
INSTANCES = ("a", "b")
_PATHS = ("/cart", "/checkout", "/login", "/search", "/orders")
_CODES = ("200", "201", "404", "500")
_BOUNDS = ("0.05", "0.1", "0.25", "0.5", "1", "+Inf")
# One in five thousand is bad: below every objective, so that no alert fires.
_SHARES = {"200": 0.9, "201": 0.0798, "404": 0.02, "500": 0.0002}
_FASTER = {"0.05": 0.6, "0.1": 0.9, "0.25": 0.9998, "0.5": 0.9999, "1": 1.0, "+Inf": 1.0}
_PROCESS_AGE_MS = 3 * DAY


@dataclass(frozen=True, slots=True)
class Counter:
    """One series that grows evenly."""

    labels: Mapping[str, str]
    """With the metric's name as `__name__`, without `job` and `instance`."""
    per_second: float

    def value(self, age_seconds: float) -> int:
        """What the process has counted when it is so old."""
        return int(self.per_second * age_seconds)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Services described by `slos` SLOs, each running as two processes since `started_ms`."""

    slos: int
    started_ms: int

    @classmethod
    def running_since_days(cls, slos: int, now_ms: int) -> "Fleet":
        """A fleet whose processes are no longer young."""
        return cls(slos, now_ms - _PROCESS_AGE_MS)

    @property
    def jobs(self) -> tuple[str, ...]:
        """The services' names, which are the values of `job`, too."""
        return tuple(f"service-{number:04d}" for number in range(-(-self.slos // SLOS_PER_SERVICE)))

    def specs(self) -> tuple[SourceFile, ...]:
        """One spec for each service; every second SLO is about latency."""
        remaining = self.slos
        specs = []
        for job in self.jobs:
            slos = "".join(_slo(job, index) for index in range(min(remaining, SLOS_PER_SERVICE)))
            text = f"version: sereno/v1\nservice: {job}\nowner: team\ntier: critical\nslos:\n{slos}"
            specs.append(SourceFile(f"{job}.slo.yaml", text))
            remaining -= SLOS_PER_SERVICE
        return tuple(specs)

    def age_seconds(self, now_ms: int) -> float:
        """How long all processes have been running."""
        return (now_ms - self.started_ms) / SECOND


def counters(job: str) -> Iterator[Counter]:
    """What each process of a service exposes: twelve counters for each path."""
    for place, path in enumerate(_PATHS):
        per_second = events_per_second(job, place)
        for code in _CODES:
            labels = {"__name__": "http_requests_total", "path": path, "code": code}
            yield Counter(labels, per_second * _SHARES[code])
        name = "http_request_duration_seconds"
        for bound in _BOUNDS:
            yield Counter({"__name__": f"{name}_bucket", "path": path, "le": bound}, per_second * _FASTER[bound])
        yield Counter({"__name__": f"{name}_count", "path": path}, per_second)
        yield Counter({"__name__": f"{name}_sum", "path": path}, per_second)


def events_per_second(job: str, place: int) -> float:
    """The traffic of one process on one path; services differ."""
    return 5.0 + 3 * place + int(job[-4:]) % 7


def _slo(job: str, index: int) -> str:
    path = _PATHS[index // 2]
    match = f'\'job="{job}", path="{path}"\''
    name = path.strip("/")
    if index % 2:
        return (
            f"  - name: {name}-latency\n    objective: 99\n    indicator:\n      latency:\n"
            f"        metric: http_request_duration_seconds\n        match: {match}\n        threshold: 250ms\n"
        )
    return (
        f"  - name: {name}-availability\n    objective: 99.9\n    indicator:\n      ratio:\n"
        f"        metric: http_requests_total\n        match: {match}\n        bad: 'code=~\"5..\"'\n"
    )

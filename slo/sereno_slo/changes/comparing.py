"""Two versions of all specs side by side: what changes for each SLO, and what that costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sereno_slo.changes.consequences import Consequences, Edition, Replay
from sereno_slo.changes.cost import Cost, SeriesCounts, cost_of_rules
from sereno_slo.changes.inhibiting import InhibitionChange, changed_inhibitions
from sereno_slo.changes.past import NOTE_ON_GONE, note_on_new, note_on_renamed, notes_on_past
from sereno_slo.changes.rules import RuleChange, Status, changed_rules
from sereno_slo.changes.wording import SettingChange, changed_defaults, changed_gates, changed_settings
from sereno_slo.model import Dependency, Journey, Service, ServiceLevelObjective, Settings
from sereno_slo.plan import plan_slo
from sereno_slo.plan.rules import RuleGroup


@dataclass(frozen=True, slots=True)
class Side:
    """One version of all specs, and of `sereno.yaml`."""

    services: tuple[Service, ...]
    settings: Settings
    dependencies: tuple[Dependency, ...] = ()
    """Between SLOs and journeys of all services."""

    def objectives(self) -> dict[str, ServiceLevelObjective | Journey]:
        """SLOs and journeys by `service/name`."""
        return {f"{each.service}/{each.name}": each for service in self.services for each in service.objectives}


@dataclass(frozen=True, slots=True)
class Version:
    """One SLO or journey before or after, as far as others compare it."""

    slo: ServiceLevelObjective | Journey
    settings: Settings
    cost: Cost
    counts: SeriesCounts | None = None
    """How many raw series it reads, of a journey none; None where no server was asked."""
    consequences: Consequences | None = None


@dataclass(frozen=True, slots=True)
class SloChange:
    """One SLO or journey that isn't what it was; at least one of the versions is there."""

    name: str
    """`service/slo`."""
    status: Status
    before: Version | None
    after: Version | None
    settings: tuple[SettingChange, ...]
    rules: tuple[RuleChange, ...]
    notes: tuple[str, ...]

    @property
    def is_journey(self) -> bool:
        """What it becomes, or was last."""
        version = self.after or self.before
        return version is not None and isinstance(version.slo, Journey)

    @property
    def is_by_defaults(self) -> bool:
        """Whether only `sereno.yaml` changes its rules."""
        return self.status is Status.CHANGED and not self.settings

    def rules_of(self, status: Status) -> int:
        """How many rules were added, removed or changed."""
        return sum(rule.status is status for rule in self.rules)

    def series_of(self, status: Status) -> tuple[RuleChange, ...]:
        """The recorded series that begin or end."""
        return tuple(rule for rule in self.rules if rule.status is status and not rule.is_alert)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a plan tells."""

    defaults: tuple[SettingChange, ...]
    """What changes in `sereno.yaml` itself."""
    changes: tuple[SloChange, ...]
    unchanged: int
    """SLOs and journeys of which nothing changes."""
    gates: tuple[SettingChange, ...]
    """By service: whose gate isn't what it was, unless it is sereno.yaml's on both sides."""
    inhibitions: tuple[InhibitionChange, ...]
    has_journeys: bool
    """Whether either side has any."""

    @property
    def is_empty(self) -> bool:
        """Whether both sides mean the same."""
        return not (self.changes or self.defaults or self.gates or self.inhibitions)

    def count(self, status: Status) -> int:
        """How many SLOs and journeys are added, removed or changed."""
        return sum(change.status is status for change in self.changes)


def compare(old: Side, new: Side) -> Comparison:
    """What the new specs change, SLO by SLO, in the order of the new side; what is gone comes last."""
    before, after = old.objectives(), new.objectives()
    renamed = _renamed(before, after)
    changes = []
    for name in dict.fromkeys((*after, *before)):
        was, now = before.get(name), after.get(name)
        if was == now and old.settings == new.settings:
            continue
        change = _change(name, _planned(was, old.settings), _planned(now, new.settings), renamed.get(name))
        if change is not None:
            changes.append(change)
    names = set(before) & set(after)
    unchanged = len(names) - sum(change.status is Status.CHANGED for change in changes)
    return Comparison(
        changed_defaults(old.settings, new.settings),
        tuple(changes),
        unchanged,
        changed_gates((old.services, old.settings), (new.services, new.settings)),
        changed_inhibitions(old.dependencies, new.dependencies, old.services, new.services),
        has_journeys=any(isinstance(each, Journey) for each in (*before.values(), *after.values())),
    )


@dataclass(frozen=True, slots=True)
class _Planned:
    """One side of an SLO and its rules; neither where the side doesn't have it."""

    version: Version | None
    groups: tuple[RuleGroup, ...]


def _planned(slo: ServiceLevelObjective | Journey | None, settings: Settings) -> _Planned:
    if slo is None:
        return _Planned(None, ())
    groups = plan_slo(slo, settings)
    indicator = None if isinstance(slo, Journey) else slo.indicator
    return _Planned(Version(slo, settings, cost_of_rules(indicator, groups)), groups)


def _change(name: str, before: _Planned, after: _Planned, former: str | None) -> SloChange | None:
    was, now = before.version, after.version
    rules = changed_rules(before.groups, after.groups)
    if was is None and now is not None:
        note = note_on_new(now.slo) if former is None else note_on_renamed(former, now.slo)
        return SloChange(name, Status.ADDED, None, now, (), rules, (note,))
    if was is not None and now is None:
        return SloChange(name, Status.REMOVED, was, None, (), rules, (NOTE_ON_GONE,))
    if was is None or now is None:
        raise AssertionError(f"{name} is on neither side")
    settings = changed_settings(was.slo, now.slo)
    if not settings and not rules:
        return None
    return SloChange(name, Status.CHANGED, was, now, settings, rules, tuple(notes_on_past(was.slo, now.slo)))


def _renamed(
    before: Mapping[str, ServiceLevelObjective | Journey], after: Mapping[str, ServiceLevelObjective | Journey]
) -> dict[str, str]:
    """New names to old ones that count the very same, where that is one only."""
    gone = {name: slo for name, slo in before.items() if name not in after}
    renamed = {}
    for name, slo in after.items():
        if name not in before:
            same = [other for other, was in gone.items() if _counted(was) == _counted(slo)]
            if len(same) == 1:
                renamed[name] = same[0]
    return renamed


def _counted(slo: ServiceLevelObjective | Journey) -> object:
    return slo.steps if isinstance(slo, Journey) else slo.indicator


def with_counts(comparison: Comparison, count: Callable[[ServiceLevelObjective, Settings], SeriesCounts]) -> Comparison:
    """The same with raw series counted, for every SLO that changes by itself; the same series are counted once."""
    known: dict[tuple[object, ...], SeriesCounts] = {}

    def counted(version: Version | None) -> Version | None:
        if version is None:
            return None
        if isinstance(version.slo, Journey):
            return replace(version, counts=SeriesCounts(0, 0, 0))
        key = (version.slo.indicator, version.slo.group_by, version.settings)
        if key not in known:
            known[key] = count(version.slo, version.settings)
        return replace(version, counts=known[key])

    def both_counted(change: SloChange) -> SloChange:
        return replace(change, before=counted(change.before), after=counted(change.after))

    return _each_own(comparison, both_counted)


def with_consequences(comparison: Comparison, replay: Replay, begin: Callable[[str], None]) -> Comparison:
    """The same with what both versions would have done, for every SLO that changes by itself.

    `begin` is told which SLO is next. Journeys aren't replayed: they read no raw series.
    """

    def replayed(change: SloChange) -> SloChange:
        editions = (_edition(change.before), _edition(change.after))
        if editions == (None, None):
            return change
        begin(change.name)
        before, after = replay(*editions)
        return replace(change, before=_with(change.before, before), after=_with(change.after, after))

    return _each_own(comparison, replayed)


def _edition(version: Version | None) -> Edition | None:
    if version is None or isinstance(version.slo, Journey):
        return None
    return Edition(version.slo, version.settings)


def _with(version: Version | None, consequences: Consequences | None) -> Version | None:
    return None if version is None else replace(version, consequences=consequences)


def _each_own(comparison: Comparison, change: Callable[[SloChange], SloChange]) -> Comparison:
    changes = (each if each.is_by_defaults else change(each) for each in comparison.changes)
    return replace(comparison, changes=tuple(changes))

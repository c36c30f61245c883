"""OpenSLO's alert policies: burn rates over a window become tiers."""

from collections.abc import Iterator

from sereno_slo.convert.draft import CalendarWindow, DraftTier, Remark, Slot, unknown_keys, warning
from sereno_slo.convert.openslo_catalogue import Catalogue, headless
from sereno_slo.convert.openslo_window import days_of
from sereno_slo.convert.section import Section, Words, shown
from sereno_slo.convert.sloth_alerting import DraftAlerting
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration

_PAGES = ("page", "critical", "sev1", "p1", "high", "urgent")
_TICKETS = ("ticket", "warning", "sev2", "sev3", "p2", "p3", "low", "medium")
_USUAL = "the usual policy is used (docs/alerting.md)"
# Longer windows are made of five-minute entries (docs/spec.md, SLO037).
_LONGEST_OF_MINUTES = Duration.parse("6h")
_LEAST_PERCENT = 1e-6
_SHORTEST = Duration.parse("10m")


def alerting_of(spec: Section, catalogue: Catalogue, window: str | CalendarWindow) -> DraftAlerting:
    """The policies of one SLO as tiers; none where the usual ones are meant."""
    told: list[Diagnostic] = []
    tiers: dict[tuple[str, str], DraftTier] = {}
    policies = spec.items("alertPolicies")
    if not policies:
        message = f"there is no alert policy, which means no alerts; here {_USUAL}"
        told.append(warning("SLO065", spec.span, message, "write alerting: {shadow: true} to be told nothing"))
    for policy in _opened(policies, "alertPolicyRef", "AlertPolicy", catalogue, spec):
        for condition in _conditions(policy, catalogue, told):
            tier = _tier(condition, window, told)
            told += unknown_keys(condition)
            if tier is not None and tiers.setdefault((tier.severity, tier.long), tier) is not tier:
                message = f"a second {tier.severity} alert over {tier.long} is left out"
                told.append(warning("SLO061", condition.span, message, "the first one is kept"))
        told += unknown_keys(policy)
    if policies and not tiers:
        told.append(
            warning("SLO061", spec.span_of("alertPolicies"), f"no condition became a tier: {_USUAL}", "see there")
        )
    return DraftAlerting(tuple(tiers.values()), remarks=tuple(Remark(Slot.ALERTING, each) for each in told))


def _opened(
    items: list[Section | Words], key: str, kind: str, catalogue: Catalogue, within: Section
) -> Iterator[Section]:
    """Objects of which a list has the text or the name."""
    for item in items:
        reference = item if isinstance(item, Words) else item.words(key)
        if reference is not None:
            found = catalogue.required(kind, reference.text, reference.span, within.mistakes)
        else:
            found = headless(item) if isinstance(item, Section) else None
        if found is not None:
            yield found


def _conditions(object_: Section, catalogue: Catalogue, told: list[Diagnostic]) -> Iterator[Section]:
    """The conditions of a policy that alert."""
    policy = object_.section("spec")
    if policy is None:
        told.append(warning("SLO063", object_.span, "the AlertPolicy has no spec", "write its conditions"))
        return
    said = {key: policy.flag(key) for key in ("alertWhenBreaching", "alertWhenResolved", "alertWhenNoData")}
    if said["alertWhenNoData"] is False:
        message = "alertWhenNoData is false: SLONoData alerts all the same when targets or series are gone"
        told.append(warning("SLO061", policy.span_of("alertWhenNoData"), message, "route it to nobody"))
    if said["alertWhenResolved"] is not None:
        message = "alertWhenResolved is Alertmanager's send_resolved"
        told.append(warning("SLO061", policy.span_of("alertWhenResolved"), message, "set it at the receiver"))
    if policy.has("notificationTargets"):
        policy.ignore("notificationTargets")
        message = (
            f"notificationTargets ({shown(policy.value['notificationTargets'])}): Alertmanager decides who is told"
        )
        cure = "route by the owner (docs/alertmanager.md)"
        told.append(warning("SLO061", policy.span_of("notificationTargets"), message, cure))
    if said["alertWhenBreaching"] is False:
        message = "alertWhenBreaching is false, so its condition alerts nobody: it becomes no tier"
        told.append(warning("SLO061", policy.span_of("alertWhenBreaching"), message, "nothing to do"))
        policy.ignore("conditions")
        return
    yield from _opened(policy.items("conditions"), "conditionRef", "AlertCondition", catalogue, policy)


def _tier(object_: Section, window: str | CalendarWindow, told: list[Diagnostic]) -> DraftTier | None:
    spec = object_.section("spec")
    severity, condition = (spec.words("severity"), spec.section("condition")) if spec else (None, None)
    if condition is None:
        told.append(warning("SLO063", object_.span, "the AlertCondition has no condition", "write it"))
        return None
    kind, operator = condition.words("kind"), condition.words("op")
    threshold, lookback = condition.words("threshold"), condition.words("lookbackWindow")
    after = condition.words("alertAfter")
    if kind is not None and kind.text.lower() != "burnrate":
        told.append(warning("SLO061", kind.span, f"a condition of kind {kind.text} becomes no tier", "write burnrate"))
        return None
    if operator is not None and operator.text not in {"gt", "gte"}:
        message = f"op {operator.text}: read as a burn rate of at least the threshold"
        told.append(warning("SLO066", operator.span, message, "nobody is alerted because little burns"))
    found = _shares(threshold, lookback, window)
    if isinstance(found, str):
        told.append(warning("SLO061", condition.span, f"the condition becomes no tier: {found}", "write it as a tier"))
        return None
    budget, long, short = found
    message = f"a burn rate over {long} and, so that the alert ends with its cause, over {short}"
    said = after or lookback
    span = said.span if said else condition.span
    waits = f", instead of alertAfter {after.text}" if after else ""
    told.append(warning("SLO066", span, f"{message}{waits}", "write another short window if you like"))
    return DraftTier(budget, str(long), str(short), _severity(severity, condition, told))


def _severity(severity: Words | None, condition: Section, told: list[Diagnostic]) -> str:
    text = severity.text.lower() if severity else ""
    if text not in (*_PAGES, *_TICKETS):
        span = severity.span if severity else condition.span
        message = f"severity {severity.text if severity else ''}".strip() + " is taken for a ticket (warning)"
        told.append(warning("SLO065", span, message, "write critical if it pages somebody"))
    return "critical" if text in _PAGES else "warning"


def _shares(
    threshold: Words | None, lookback: Words | None, window: str | CalendarWindow
) -> tuple[str, Duration, Duration] | str:
    """The share of the budget that burns, and both windows; or why there are none.

    A burn rate of 14.4 over 1h of 30d spends 14.4 / 720 = 2 % of the budget (the SRE Workbook's derivation).
    """
    days = days_of(window)
    if threshold is None or lookback is None or days is None:
        return "it has no threshold, no lookbackWindow, or the SLO's window isn't whole days"
    try:
        factor, long = float(threshold.text), Duration.parse(lookback.text)
    except ValueError:
        return f"{threshold.text} over {lookback.text} is no burn rate over a duration"
    step = FIVE_MINUTES if long > _LONGEST_OF_MINUTES else MINUTE
    if long < _SHORTEST or long.milliseconds % step.milliseconds:
        return f"{long} is no window of whole entries of {step}, at least {_SHORTEST}"
    share = factor * (long / Duration.parse(f"{days}d")) * 100
    if not _LEAST_PERCENT <= share <= 100:  # noqa: PLR2004 - percent
        return f"it means {share:.3g} % of the budget"
    return f"{share:.6f}".rstrip("0").rstrip(".") + "%", long, _twelfth(long)


def _twelfth(long: Duration) -> Duration:
    minutes = max(5, round(long / MINUTE / 12))
    return MINUTE * (minutes if MINUTE * minutes <= _LONGEST_OF_MINUTES else minutes // 5 * 5)

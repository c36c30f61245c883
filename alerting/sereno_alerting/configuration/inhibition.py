"""Which alert takes whose place within one SLO; what specs say about others, the compiler writes."""

from typing import Any

from sereno_alerting.configuration.comments import COMMENT

_HEARD = 'shadow!~"critical|warning|true"'
_OF_ONE_SLO = ["service", "slo"]


def base_rules() -> list[dict[str, Any]]:
    """Those that hold whatever specs there are.

    `slo=~".+"`: labels that both alerts lack count as equal, and a page about something else would silence every ticket
    that has no SLO. Shadow alerts page nobody, so they silence nobody. `grouped_by=""`: a page about one group explains
    nothing of the whole.
    """
    return [
        {
            COMMENT: "While an SLO pages, its tickets are noise.",
            "source_matchers": ['severity="critical"', 'slo=~".+"', 'grouped_by=""', _HEARD],
            "target_matchers": ['severity="warning"', 'slo=~".+"'],
            "equal": _OF_ONE_SLO,
        },
        {
            COMMENT: "An outage burns fast, too: that is no news. Where it ends first, the others are told then.",
            "source_matchers": [
                'alertname="SLOErrorBudgetBurn"',
                'severity="critical"',
                'burn="outage"',
                'slo=~".+"',
                'grouped_by=""',
                _HEARD,
            ],
            "target_matchers": [
                'alertname="SLOErrorBudgetBurn"',
                'severity="critical"',
                'burn=~"fast|slow"',
                'slo=~".+"',
            ],
            "equal": _OF_ONE_SLO,
        },
        {
            COMMENT: "Who has been woken up for an outage sees by himself that the targets are gone, too.",
            "source_matchers": [
                'alertname="SLOErrorBudgetBurn"',
                'severity="critical"',
                'burn="outage"',
                'slo=~".+"',
                'grouped_by=""',
                _HEARD,
            ],
            "target_matchers": ['alertname="SLONoData"', 'slo=~".+"'],
            "equal": _OF_ONE_SLO,
        },
    ]

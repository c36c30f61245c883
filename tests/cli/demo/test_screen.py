"""What the demo shows while it runs."""

from rich.console import Console
from sereno_cli.demo.budget import BudgetNow
from sereno_cli.demo.screen import budget_table


def shown(*budgets: BudgetNow, width: int = 80) -> list[str]:
    """The lines of the table in a terminal of this width."""
    console = Console(width=width)
    with console.capture() as capture:
        console.print(budget_table(budgets))
    return capture.get().splitlines()


AVAILABILITY = BudgetNow(
    "shop", "availability", 99.95, -1.2345, 1000.0, 141_900, 226_500, ("PAGE fast, outage", "ticket slow")
)
DELIVERY = BudgetNow("shop", "delivery", 99.5, None, None, None, None, ())
LATENCY = BudgetNow("transactions-api", "transactions-api/latency", 99.95, 0.6382, 26.25, 1419, 2265, ("PAGE fast",))


def test_no_figure_is_cut_off_in_a_usual_terminal() -> None:
    """Eighty columns: whatever fires, and however much of it."""
    lines = shown(AVAILABILITY, DELIVERY, LATENCY)
    text = "\n".join(lines)
    for wanted in ("objective", "burn 1h", "per min", "bad 5m", "-123.45%", "1000.00", "141900", "226500", "99.95 %"):
        assert wanted in text
    assert "63.82%" in text
    for word in ("PAGE", "fast,", "outage,", "ticket", "slow", "calm"):
        assert word in text
    assert max(map(len, lines)) <= 80
    assert text.count("…") == 4


def _first_words(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines[2:] if not line.startswith(" ")]


def test_several_services_are_headings() -> None:
    """One alone needs none."""
    assert _first_words(shown(AVAILABILITY, DELIVERY, LATENCY)) == [
        "shop",
        "availability",
        "delivery",
        "transactions-api",
        "latency",
    ]
    assert _first_words(shown(AVAILABILITY, DELIVERY)) == ["availability", "delivery"]

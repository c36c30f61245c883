"""What is still to be done, across all postmortems."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sereno_postmortems.review.action_items import ActionItem, action_tables
from sereno_postmortems.review.files import Postmortem
from sereno_postmortems.tables import tables


@dataclass(frozen=True, slots=True)
class Action:
    """One action item and where it stands."""

    path: str
    line: int
    action: str
    kind: str
    owner: str
    """As it is written; empty where nobody is named."""
    owners: tuple[str, ...]
    due: date | None
    due_text: str
    """What stands in the column, where it is no date."""
    is_done: bool
    days_late: int
    """Days since it was due; 0 if it isn't late, has no date or is done."""

    @property
    def is_overdue(self) -> bool:
        """Whether it is open and its day has passed."""
        return self.days_late > 0


def open_actions(
    postmortems: Iterable[Postmortem], today: date, *, owner: str | None = None, with_done: bool = False
) -> tuple[Action, ...]:
    """The open ones, overdue first, then by due date, those without date, and with `with_done` those that are done."""
    wanted = None if owner is None else owner.removeprefix("@").casefold()
    found = [
        action
        for postmortem in postmortems
        for table in action_tables(tables(postmortem.text))
        for item in table.items
        if (action := _action(postmortem.path, item, today)) and (with_done or not action.is_done)
    ]
    chosen = [one for one in found if wanted is None or wanted in {name.casefold() for name in one.owners}]
    return tuple(sorted(chosen, key=_order))


def _order(action: Action) -> tuple[bool, date, str, int]:
    """Overdue ones are first by their date alone, those without one are last."""
    return (action.is_done, action.due or date.max, action.path, action.line)


def _action(path: str, item: ActionItem, today: date) -> Action:
    due = item.due_on
    late = 0 if item.is_done or due is None else max(0, (today - due).days)
    return Action(
        path=path,
        line=item.row.line,
        action=item.action.text,
        kind="" if item.kind is None else item.kind.text,
        owner="" if item.owner is None else item.owner.text,
        owners=item.owners,
        due=due,
        due_text="" if item.due is None else item.due.text,
        is_done=item.is_done,
        days_late=late,
    )

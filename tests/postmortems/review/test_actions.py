"""What is still to be done, in the order in which it hurts."""

from datetime import date

from sereno_postmortems.review import Postmortem, open_actions

TODAY = date(2026, 11, 27)
ONE = """\
| action | kind | owner | due | done |
|---|---|---|---|---|
| later | learn | ana | 2026-12-24 | |
| long since | prevent | Ben, ana | 2026-10-01 | |
| ~~struck~~ | prevent | ana | 2026-10-01 | |
| told done | prevent | ana | 2026-10-01 | done 2026-10-02 |
| claims it | prevent | carl | 2026-11-26 | yes |
| today | detect | | 2026-11-27 | - |
| | | | | |
"""
TWO = "Status|Owner|Action item|Due date\n-|-|-|-\nclosed|ana|closed it|2026-01-01\nopen|@ana|some day|soon\n"


def test_overdue_ones_are_first_and_done_ones_are_left_out() -> None:
    """By due date, then those without one; what is struck, dated or closed is done, a bare yes isn't."""
    found = open_actions([Postmortem("1.md", ONE), Postmortem("2.md", TWO)], TODAY)
    assert [(one.action, one.days_late, one.path, one.line) for one in found] == [
        ("long since", 57, "1.md", 4),
        ("claims it", 1, "1.md", 7),
        ("today", 0, "1.md", 8),
        ("later", 0, "1.md", 3),
        ("some day", 0, "2.md", 4),
    ]
    assert [one.is_overdue for one in found] == [True, True, False, False, False]
    assert found[-1].due_text == "soon"


def test_one_owner_and_all() -> None:
    """An owner is found among several, with or without @, whatever the case; with the done ones at the end."""
    found = open_actions([Postmortem("1.md", ONE), Postmortem("2.md", TWO)], TODAY, owner="@ANA", with_done=True)
    assert [one.action for one in found] == ["long since", "later", "some day", "closed it", "struck", "told done"]
    assert not [one for one in found if one.is_done and one.days_late]


def test_a_date_beside_other_words_is_no_sign_that_it_is_done() -> None:
    """`open since …` and an estimate are open; `done …` with its date is done."""
    rows = ("open since 2026-11-20", "in progress, ETA 2026-12-15", "2026-11-20", "done on 2026-11-20")
    table = "| action | owner | due | status |\n|-|-|-|-|\n" + "".join(
        f"| {row} | ana | 2026-12-01 | {row} |\n" for row in rows
    )
    assert [one.action for one in open_actions([Postmortem("1.md", table)], TODAY)] == list(rows[:2])

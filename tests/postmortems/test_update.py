"""A draft that is renewed keeps whatever people wrote, wherever they wrote it."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sereno_backends.incidents import EntryKind, IncidentEntry
from sereno_backends.logs import open_log_store
from sereno_postmortems.draft import (
    Evidence,
    Metrics,
    gather,
    has_measured_blocks,
    known_sources,
    open_logs,
    recorded_words,
    render_draft,
    updated,
)
from sereno_postmortems.measured_blocks import Block, marked, parts_of
from sereno_postmortems.review import Postmortem, lint
from sereno_postmortems.store import IncidentStore
from support.incident_story import minute, write_incident, write_logs

NO_METRICS = Metrics(None, "no Prometheus was named")
WORD = "Zq7x"
WORDS = [
    WORD,
    f" {WORD} ",
    f"| {WORD} |",
    f"\n{WORD}\n",
    f"\n| 14:03 | | {WORD} |\n",
    f"\n| | {WORD} | |\n",
    f"\n| {WORD} | | |\n",
    f"<!-- {WORD} -->",
    f"\n```\n{WORD}\n",
    f"\n<!-- measured:x 0123456789ab -->\n{WORD}\n<!-- /measured:x -->\n",
]
FAST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Story:
    """One incident while it was open, and afterwards: with other figures, more rows, other sources."""

    early: Evidence
    late: Evidence

    @property
    def draft(self) -> str:
        """What people work on."""
        return render_draft(self.early)

    def renewed(self, existing: str) -> str:
        """What becomes of it."""
        return updated(existing, render_draft(self.late, known=known_sources(existing))).text


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Its evidence, from a real log store and incident database."""
    folder = tmp_path_factory.mktemp("update")
    write_logs(folder / "l.sqlite")
    store = open_log_store(str(folder / "l.sqlite"))

    def gathered(now: datetime, *, resolved: bool) -> Evidence:
        write_incident(folder / f"{resolved}.sqlite", resolved=resolved)
        (incident,) = IncidentStore(folder / f"{resolved}.sqlite").incidents()
        return gather(incident, "record", NO_METRICS, open_logs(store, now), now=now, progress=lambda _: None)

    found = Story(gathered(minute(70), resolved=False), gathered(minute(150), resolved=True))
    store.close()
    return found


def words_outside(text: str) -> list[str]:
    """What isn't in measured blocks."""
    return ["".join(part.lines) for part in parts_of(text) if not isinstance(part, Block)]


def block(text: str, name: str) -> Block:
    """One block of a draft."""
    (found,) = (part for part in parts_of(text) if isinstance(part, Block) and part.name == name)
    return found


def test_an_untouched_draft_becomes_the_new_one(story: Story) -> None:
    """Where nobody wrote anything every measured block is new, and what is outside is byte for byte the same."""
    text = story.renewed(story.draft)
    assert words_outside(text) == words_outside(story.draft)
    assert "still open" in story.draft
    assert "still open" not in text
    assert text.replace("\n\n", "\n") != story.draft
    assert "Incident resolved" in block(text, "timeline").content
    assert story.renewed(text) == text


@FAST
@given(places=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(WORDS)), min_size=1, max_size=4))
def test_no_word_is_lost_wherever_it_was_written(story: Story, places: list[tuple[float, str]]) -> None:
    """Words at any place, within measured blocks, marks and tables too, are there after two renewals, as often."""
    draft = story.draft
    for place, words in places:
        at = int(place * len(draft))
        draft = draft[:at] + words + draft[at:]
    once = story.renewed(draft)
    assert once.count(WORD) >= draft.count(WORD)
    assert story.renewed(once).count(WORD) >= draft.count(WORD)


@FAST
@given(cut=st.tuples(st.floats(0, 1), st.integers(1, 60)), place=st.floats(0, 1))
def test_what_people_took_out_stays_out(story: Story, cut: tuple[float, int], place: float) -> None:
    """Lines that were deleted outside of blocks don't come back, and no word is lost, whatever marks are cut."""
    lines = story.draft.split("\n")
    begin = int(cut[0] * len(lines))
    del lines[begin : begin + cut[1]]
    lines.insert(int(place * len(lines)), WORD)
    draft = "\n".join(lines)
    text = story.renewed(draft)
    assert text.count(WORD) == 1
    assert words_outside(text) == words_outside(draft)


def test_told_cells_stay_beside_their_row(story: Story) -> None:
    """In the timeline people fill the last column and add rows; the measured ones are renewed around them."""
    rows = [line for line in block(story.draft, "timeline").content.split("\n") if line.startswith("| 20")]
    fault = next(row for row in rows if "fault_started" in row)
    told = fault.replace("| |", "| Ana saw it \\| Ben too |")
    own = "| 14:03 | | restarted, didn't help |"
    begun = "| 14:04 | | |"
    draft = story.draft.replace(fault, f"{told}\n{own}\n{begun}").replace(
        "| … (who tried what, and what came of it) |", "| then |"
    )
    text = story.renewed(draft)
    lines = re.sub(r"\(#\w+\)|\[[A-Z]\d+\]", "", text).split("\n")  # the question is a new one, so has another number
    at = lines.index(re.sub(r"\(#\w+\)|\[[A-Z]\d+\]", "", told))
    assert lines[at + 1 : at + 3] == [own, begun]
    assert any("Incident resolved" in line for line in lines[lines.index(own) :])
    assert text.count("| | | then |") == 1
    assert "who tried what" not in text
    assert updated(text, text).edited == ()


def test_words_of_the_record_are_renewed_like_what_is_measured(story: Story) -> None:
    """Corrected and withdrawn entries go, a corrected text replaces the old one; what people typed stays."""

    def entry(number: int, kind: EntryKind, text: str, **more: Any) -> IncidentEntry:
        return IncidentEntry(f"e{number}", kind, "Ana", minute(68), minute(68 + number), text, **more)

    def with_entries(*entries: IncidentEntry) -> Evidence:
        return replace(story.late, incident=replace(story.late.incident, entries=entries))

    tried, wrong = entry(1, EntryKind.MITIGATION, "rolled back"), entry(2, EntryKind.NOTE, "of the *shop* incident")
    before = render_draft(with_entries(tried, wrong))
    typed = before.replace("| rolled back |", "| rolled back |\n| 14:03 | | and waited |")
    helped = entry(3, EntryKind.MITIGATION, "rolled back", helped=True, corrects="e1")
    after = with_entries(tried, wrong, helped, entry(4, EntryKind.WITHDRAWAL, "mixed up", corrects="e2"))
    text = updated(typed, render_draft(after), recorded=recorded_words(after.incident)).text
    assert text.count("Ana tried") == text.count("Ana tried: it helped") == 1
    assert "shop" in before
    assert "shop" not in text
    assert "| 14:03 | | and waited |" in text


def test_a_row_that_is_measured_no_more_stays_if_something_was_told(story: Story) -> None:
    """What was said of it needs it; a row of which nobody spoke goes."""
    old, gone = "| 2026-01-01 00:00:00 | once seen | told of it |", "| 2026-01-01 00:00:01 | never spoken of | |"
    content = block(story.draft, "timeline").content
    head = "|---|---|---|\n"
    changed = content.replace(head, f"{head}{old}\n{gone}\n")
    draft = story.draft.replace("".join(block(story.draft, "timeline").lines), marked("timeline", changed) + "\n")
    text = story.renewed(draft)
    assert old in text
    assert "never spoken of" not in text


def test_an_edited_block_is_left_and_told(story: Story) -> None:
    """It stays as it is, to the last character, with its line for the message; sources that it leans on stay listed."""
    before = block(story.draft, "logs")
    text = story.draft.replace(
        before.content, before.content.replace("150", "151").replace("60", "61") + "\nno, more\n"
    )
    fresh = render_draft(story.late, known=known_sources(text))
    answer = updated(text, fresh)
    assert answer.edited == (("logs", before.line),)
    assert "logs" not in answer.renewed
    assert block(answer.text, "logs").lines == block(text, "logs").lines


def test_a_block_that_people_took_out_stays_out(story: Story) -> None:
    """The banner of a finished postmortem doesn't come back."""
    text = story.draft.replace("".join(block(story.draft, "banner").lines), "")
    answer = updated(text, render_draft(story.late))
    assert answer.removed == ("banner",)
    assert "**Draft**" not in answer.text


def test_every_source_that_is_leaned_on_is_listed(story: Story) -> None:
    """Also one of an earlier draft, that people quote; numbers don't change their meaning."""
    number = next(n for body, n in known_sources(story.draft).items() if "most frequent messages" in body)
    body = next(body for body, n in known_sources(story.draft).items() if n == number)
    text = story.renewed(story.draft.replace("## Lessons", f"We read [{number}](#{number.lower()}).\n\n## Lessons"))
    named = set(re.findall(r"\(#([a-z]\d+)\)", text))
    listed = re.findall(r"^### ([A-Z]\d+)$", text, re.MULTILINE)
    assert named == {one.lower() for one in listed}
    assert len(listed) == len(set(listed))
    assert known_sources(text)[body] == number


def test_line_ends_and_the_missing_last_one_stay(story: Story) -> None:
    """A file with CRLF stays one, and is recognised as untouched."""
    text = story.renewed(story.draft.replace("\n", "\r\n"))
    assert text.replace("\r\n", "") == text.replace("\r", "").replace("\n", "")
    assert "still open" not in text
    shorn = story.draft.removesuffix("\n")
    assert not story.renewed(shorn).endswith("\n")


def test_white_space_that_editors_take_away_is_no_edit(story: Story) -> None:
    """Spaces at the ends of lines, and empty lines around a block's content, change nothing."""
    text = re.sub(r"(?m)$", "  ", story.draft)
    assert updated(text, story.draft).edited == ()


def test_a_file_without_blocks_has_nothing_to_renew(story: Story) -> None:
    """What was written by hand, or by an older version, isn't touched."""
    text = "# By hand\n<!-- measured:impact -->\nno end\n"
    assert not has_measured_blocks(text)
    assert updated(text, story.draft).text == text


def test_a_draft_that_people_have_filled_in_is_complete(story: Story) -> None:
    """Once each told place is answered, the banner is gone and an action is written, lint has nothing to say."""
    text = render_draft(story.late)
    text = re.sub(r"\*told:\* …[^\n]*", "*told:* Not known, says Ana.", text)
    text = text.replace("| … (who tried what, and what came of it) |", "| Ana restarted it |")
    text = text.replace("".join(block(text, "banner").lines), "")
    text = text.replace("| | | | | |\n", "| look closer | learn | ana | 2026-12-24 | |\n")
    assert lint(Postmortem("x.md", text)) == ()
    assert lint(Postmortem("x.md", story.renewed(text))) == ()


def test_a_draft_that_nobody_filled_in_is_found_incomplete_everywhere(story: Story) -> None:
    """Lint finds each told place of a fresh draft, and nothing within what was measured."""
    told = [one.message for one in lint(Postmortem("x.md", story.draft)) if one.code == "PM002"]
    assert len(told) == story.draft.count("*told:* …") + 1
    assert "nobody has answered: Timeline / a row of the table" in told
    assert "nobody has answered: Summary / Reviewed by" in told
    assert {one.code for one in lint(Postmortem("x.md", story.draft))} == {"PM002", "PM005", "PM007", "PM014"}

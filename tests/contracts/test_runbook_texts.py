"""What stands in runbooks can be followed: links lead somewhere, commands are commands, blocks say what they are."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from sereno_cli.main import root
from sereno_postmortems.runbooks import MAY_BE_EMPTY, Block, Prose, blocks, segments
from support.runbook_queries import of_alerts, of_slos

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = [*of_alerts(), *of_slos(), ROOT / "runbooks/README.md"]
KINDS = {("promql",), ("promql", MAY_BE_EMPTY), ("sh",), ("sql",)}
SAYS_WHAT_NOTHING_MEANS = re.compile(r"\b(?:nothing|no value|none|empty)\b", re.IGNORECASE)
OPERATORS = {"|", "||", "&&", ";", "&", ">", ">>", "<", "(", ")"}
each_runbook = pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: str(path.relative_to(ROOT / "runbooks")))


def prose(text: str) -> str:
    """A Markdown text without its blocks."""
    return "".join(part.text for part in segments(text) if isinstance(part, Prose))


def anchors(path: Path) -> set[str]:
    """What `#…` can point to in a file: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+?) *$", prose(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_runbook
def test_links_lead_somewhere(path: Path) -> None:
    """A relative link leads to a file, its anchor to a heading there; a file that is only named exists, too."""
    text = prose(path.read_text(encoding="utf-8"))
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)", text):
        file = path.parent / target if target else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"
    named = re.findall(
        r"(?<![\w./-])(?:docs|slo|alerting|exporters|runbooks|scripts)/[\w./-]+\.(?:md|ya?ml|py)\b", text
    )
    assert [each for each in named if not (ROOT / each).is_file()] == []


def test_runbooks_of_slos_and_specs_agree() -> None:
    """Each SLO and journey of the specs has its `<service>/<slo>.md`, and no such file is left without one."""
    specs = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "slo/specs").glob("*.slo.yaml")]
    objectives = {
        f"{spec['service']}/{each['name']}" for spec in specs for each in [*spec["slos"], *spec.get("journeys", [])]
    }
    assert {f"{path.parent.name}/{path.stem}" for path in of_slos()} == objectives


@each_runbook
def test_blocks_are_of_known_kinds(path: Path) -> None:
    """A misspelt kind or mark would take a block out of all tests."""
    found = blocks(path.read_text(encoding="utf-8"))
    assert {block.info for block in found} <= KINDS
    assert all(block.closing for block in found)


@each_runbook
def test_a_query_that_may_be_empty_says_what_that_means(path: Path) -> None:
    """The words before a marked block tell what to think of an empty answer: pages don't show the mark."""
    before = ""
    for part in segments(path.read_text(encoding="utf-8")):
        match part:
            case Prose(text):
                paragraph = text.strip().rpartition("\n\n")[2]
                before = paragraph or before
            case Block() if part.may_be_empty:
                assert SAYS_WHAT_NOTHING_MEANS.search(before), f"line {part.line}: {before}"
            case _:
                pass


@each_runbook
def test_commands_are_shell(path: Path) -> None:
    """A shell understands every `sh` block."""
    for block in blocks(path.read_text(encoding="utf-8")):
        if block.kind == "sh":
            done = subprocess.run(["bash", "-n"], input=block.content, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), f"line {block.line}"


def calls(path: Path) -> Iterator[list[str]]:
    """The arguments of each call of `sereno` in a runbook, in blocks and in inline code."""
    text = path.read_text(encoding="utf-8")
    scripts = [block.content for block in blocks(text) if block.kind == "sh"]
    scripts += re.findall(r"`(sereno [^`\n]+)`", prose(text))
    for line in "\n".join(scripts).replace("\\\n", " ").splitlines():
        if "sereno " not in line:
            continue
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        yield from _calls(list(words))


def _calls(words: list[str]) -> Iterator[list[str]]:
    call: list[str] = []
    for word in [*words, ";"]:
        if word not in OPERATORS:
            call.append(word)
            continue
        if call[:1] == ["sereno"]:
            yield call[1:]
        call = []


def parsed(command: click.Command, name: str, arguments: list[str], parent: click.Context | None = None) -> None:
    """Read the arguments as the command line does, without running anything; raises `click.UsageError`."""
    context = command.make_context(name, list(arguments), parent)
    if isinstance(command, click.Group):
        found, below, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert below is not None
        parsed(below, str(found), rest, context)


@each_runbook
def test_calls_of_sereno_are_understood(path: Path) -> None:
    """Each `sereno …` has a command and options that exist, with values of their kind."""
    for call in calls(path):
        try:
            parsed(root, "sereno", call)
        except click.exceptions.NoArgsIsHelpError:
            continue  # a group of commands that is spoken of
        except click.UsageError as error:
            pytest.fail(f"sereno {' '.join(call)}: {error.format_message()}")


def test_calls_are_found_and_mistakes_seen(tmp_path: Path) -> None:
    """The tests above look at something: behind pipes, too, and a wrong option is none that exists."""
    found = [call for path in RUNBOOKS for call in calls(path)]
    assert ["postmortem", "draft", "latest"] in found
    assert len(found) > 20
    (tmp_path / "A.md").write_text(
        "```sh\ntrue && sereno logs search --nothing | head # sereno x\n```\n`sereno compile`\n"
    )
    wrong, right = calls(tmp_path / "A.md")
    assert right == ["compile"]
    with pytest.raises(click.UsageError):
        parsed(root, "sereno", wrong)

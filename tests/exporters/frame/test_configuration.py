"""`exporters.yaml`: every mistake has its place, code and cure."""

from pathlib import Path

import pytest
from sereno_exporters.frame.configuration import grammar_of, targets_of
from sereno_exporters.frame.model import ExporterKind
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse import parse_as
from sereno_slo.source import read_source
from support.exporting import ASKING, counting

KINDS: tuple[ExporterKind, ...] = (ASKING, counting())  # type: ignore[type-arg]


def told(path: Path, text: str) -> list[str]:
    """The mistakes of a configuration, as users read them."""
    path.write_text(text, encoding="utf-8")
    source = read_source(path)
    assert not isinstance(source, Diagnostic)
    return [str(each).removeprefix(f"{path}:") for each in parse_as(source, grammar_of(KINDS)).diagnostics]


def test_targets_come_with_their_limits(tmp_path: Path) -> None:
    """What an exporter says holds for its targets; what it doesn't say is the default."""
    path = tmp_path / "exporters.yaml"
    path.write_text(
        "version: sereno/v1\n"
        "exporters:\n"
        "  asking:\n"
        "    timeout: 1500ms\n"
        "    series_limit: 50\n"
        "    targets:\n"
        "      a: {url: 'http://127.0.0.1:1/base/'}\n"
        "  counting: {targets: {b: {}}}\n"
    )
    source = read_source(path)
    assert not isinstance(source, Diagnostic)
    parsed = parse_as(source, grammar_of(KINDS))
    assert parsed.document is not None
    asking, counted = targets_of(parsed.document, KINDS, path.parent)
    assert (asking.timeout_seconds, asking.series_limit) == (1.5, 50)
    assert (counted.timeout_seconds, counted.series_limit) == (8.0, 10_000)
    assert asking.target.settings.url == "http://127.0.0.1:1/base"
    assert asking.target.file(Path("secret")) == tmp_path / "secret"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  askin: {targets: {a: {}}}", "3:3: error[SLO004]: askin is no key of exporters (did you mean asking?)"),
        ("  asking: {}", "3:11: error[SLO005]: exporters.asking has no targets (write targets: …)"),
        (
            "  asking: {targets: {Orders DB: {url: 'http://a'}}}",
            "3:33: error[SLO011]: 'Orders DB' is no name: names are lower-case, up to 60 characters (write orders-db)",
        ),
        (
            "  asking: {targets: {a: {url: 'ftp://a'}}}",
            "3:31: error[SLO006]: 'ftp://a' is no address of an HTTP server (write for example http://127.0.0.1:15672)",
        ),
        (
            "  asking: {targets: {a: {url: 'http://me:secret@a'}}}",
            (
                "3:31: error[SLO006]: the address has credentials in it (write them into files: username_file and "
                "password_file)"
            ),
        ),
        (
            "  asking: {targets: {a: {url: 'http://a', username_file: u}}}",
            "3:25: error[SLO006]: username_file and password_file belong together (write both, or neither)",
        ),
        (
            "  asking: {timeout: 8, targets: {a: {url: 'http://a'}}}",
            "3:21: error[SLO014]: 8 has no unit (add one: 8s)",
        ),
        (
            "  asking: {timeout: soon, targets: {a: {url: 'http://a'}}}",
            "3:21: error[SLO014]: 'soon' is not a duration (write for example 500ms, 10s, 5m or 1h)",
        ),
        (
            "  asking: {timeout: 1ms, targets: {a: {url: 'http://a'}}}",
            "3:21: error[SLO014]: a timeout of 0.001 s is no use (write one between 100ms and 5m, as 8s)",
        ),
        (
            f"  asking: {{timeout: {'9' * 400}d, targets: {{a: {{url: 'http://a'}}}}}}",
            f"3:21: error[SLO014]: {'9' * 40} is longer than ten years (write a shorter duration)",
        ),
        (
            "  asking: {targets: {a: {url: 'http://a', ca_file: ''}}}",
            "3:52: error[SLO006]: '' is no path of a file (write where the file is)",
        ),
        (
            '  asking: {targets: {a: {url: "http://a", ca_file: "a\\0b"}}}',
            "3:52: error[SLO006]: 'a\\x00b' is no path of a file (write where the file is)",
        ),
        (
            "  asking: {series_limit: 0, targets: {a: {url: 'http://a'}}}",
            "3:26: error[SLO006]: series_limit is 0 (it should be greater than or equal to 1)",
        ),
    ],
)
def test_mistakes_have_place_code_and_cure(tmp_path: Path, line: str, message: str) -> None:
    """Each is one line that an editor can jump to."""
    assert told(tmp_path / "exporters.yaml", f"version: sereno/v1\nexporters:\n{line}\n") == [message]


def test_another_version_is_told(tmp_path: Path) -> None:
    """A file for a later Sereno is not guessed at."""
    assert told(tmp_path / "exporters.yaml", "version: sereno/v2\nexporters: {counting: {targets: {a: {}}}}\n") == [
        "1:10: error[SLO010]: version 'sereno/v2' is not known (write version: sereno/v1)"
    ]

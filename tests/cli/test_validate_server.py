"""`sereno validate --prometheus`: what is printed where, exit codes, and whatever can be wrong with a server."""

import functools
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sereno_cli.commands import validate
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from support.command_line import files_below, sereno
from support.ports import free_port
from support.prometheus import HistorySample, running_prometheus
from support.slo_specs import spec_text

ANSWERED = "valid: 1 service, 2 SLOs\n"
UNKNOWN_TOO = """\
  - name: unknown
    objective: 99
    indicator: {ratio: {metric: reqests_total, match: 'job="api"', bad: 'code=~"5.."'}}
"""


def past() -> Iterator[HistorySample]:
    """A day and a half of 100 requests a minute."""
    end = int(time.time())
    for number, at in enumerate(range(end - 36 * 3600, end, 60)):
        labels = {"job": "api", "instance": "a:1", "code": "200"}
        yield HistorySample("requests_total", labels, at, 100.0 * number)
        target = {"job": "api", "instance": "a:1"}
        yield HistorySample("up", target, at, 1)
        yield HistorySample("process_start_time_seconds", target, at, end - 1e6)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that knows the service's requests."""
    with running_prometheus(tmp_path_factory.mktemp("validate") / "prometheus", history=past()) as server:
        yield server.url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One spec of two SLOs, of which the server knows the first."""
    (tmp_path / "a.slo.yaml").write_text(spec_text(slo=UNKNOWN_TOO), encoding="utf-8")
    return tmp_path


def answer(folder: Path, url: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    done = sereno("validate", "a.slo.yaml", "--prometheus", url, cwd=folder)
    return done.returncode, done.stdout, done.stderr


def test_half_of_the_slos_unknown_is_half_of_the_tables(folder: Path, url: str) -> None:
    """What the server knows is judged, what it doesn't is a warning; nothing is written."""
    before = files_below(folder)
    code, printed, said = answer(folder, url)
    assert code == ExitCode.OK
    known, unknown, end = printed.split("\n\n")
    assert known.startswith("api/calls: 99.9 % over 30d, mode budget\n  usual: 6,000 events an hour")
    assert known.count("\n") == 10
    assert unknown == "api/unknown: 99 % over 30d, mode budget\n  no event was seen; nothing can be judged"
    assert end == ANSWERED
    assert [line.partition(": the server")[0] for line in said.splitlines()] == ["a.slo.yaml:10:33: warning[SLO052]"]
    assert files_below(folder) == before


def test_columns_are_aligned_whatever_the_width(folder: Path, url: str) -> None:
    """Every line of a table is as long as its headings, in a pipe, too."""
    printed = answer(folder, url)[1].split("\n\n")[0].splitlines()[2:]
    headings = [line for line in printed if "failures by day" in line]
    assert len(headings) == 1
    rows = printed[printed.index(headings[0]) :]
    assert {len(row.rstrip()) for row in rows} == {len(headings[0].rstrip())}


def test_json_is_one_document_with_everything_in_it(folder: Path, url: str) -> None:
    """Traffic, alerts, series and mistakes of every SLO; nothing on standard error."""
    done = sereno("validate", "a.slo.yaml", "--prometheus", url, "--format", "json", cwd=folder)
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    assert (told["valid"], told["services"], told["slos"]) == (True, 1, 2)
    (mistake,) = told["diagnostics"]
    assert (mistake["code"], mistake["severity"], mistake["line"], mistake["column"]) == ("SLO052", "warning", 10, 33)
    known, unknown = told["server"]["slos"]
    assert (known["slo"], round(known["traffic"]["usual_per_hour"]), len(known["alerts"])) == ("calls", 6000, 5)
    assert known["series"] == known["series"] | {"total": 1, "part": 0, "targets": 1, "days_of_the_window": 1}
    assert (unknown["traffic"], unknown["alerts"], unknown["series"]["total"]) == (None, [], 0)
    assert told["server"]["questions"] < 40


def test_json_tells_mistakes_of_the_spec_without_asking(folder: Path) -> None:
    """The same document; nobody is there to be asked."""
    (folder / "a.slo.yaml").write_text(spec_text(objective="0.99"), encoding="utf-8")
    url = f"http://127.0.0.1:{free_port()}"
    done = sereno("validate", "a.slo.yaml", "--prometheus", url, "--format", "json", cwd=folder)
    told = json.loads(done.stdout)
    assert (done.returncode, told["valid"], told["server"]) == (ExitCode.INVALID_INPUT, False, None)
    assert [mistake["code"] for mistake in told["diagnostics"]] == ["SLO012"]


def test_a_server_that_knows_nothing_is_told_for_each_slo(folder: Path, tmp_path: Path) -> None:
    """An empty Prometheus is no mistake of the spec."""
    with running_prometheus(tmp_path / "prometheus") as server:
        code, printed, said = answer(folder, server.url)
    assert (code, said.count("warning[SLO052]")) == (ExitCode.OK, 2)
    assert printed.endswith(ANSWERED)


def test_a_spec_with_mistakes_is_told_before_anything_is_asked(folder: Path) -> None:
    """Nobody is there to be asked, and that isn't noticed."""
    (folder / "a.slo.yaml").write_text(spec_text(objective="0.99"), encoding="utf-8")
    code, printed, said = answer(folder, f"http://127.0.0.1:{free_port()}")
    assert (code, printed, "error[SLO012]" in said) == (ExitCode.INVALID_INPUT, "", True)
    assert "can't be reached" not in said


@pytest.mark.parametrize("wrong", ["localhost:9090", "ftp://host", "http://host/api/v1/query", "http://[::1"])
def test_what_can_be_no_address_is_bad_input(folder: Path, wrong: str) -> None:
    """It is said what to write."""
    code, printed, said = answer(folder, wrong)
    assert (code, printed, said.startswith("sereno validate: Prometheus address")) == (2, "", True)


def unreachable(folder: Path, url: str, said: str) -> None:
    """One line that says what is wrong, exit code 3, and no table."""
    code, printed, told = answer(folder, url)
    assert (code, printed, said in told, len(told.splitlines())) == (ExitCode.UNREACHABLE, "", True, 1), told


def test_nobody_there_is_unreachable(folder: Path) -> None:
    """The server is named, its password isn't."""
    port = free_port()
    unreachable(folder, f"http://127.0.0.1:{port}", f"Prometheus http://127.0.0.1:{port} can't be reached")
    assert "secret" not in "".join(map(str, answer(folder, f"http://me:secret@127.0.0.1:{port}")))


@contextmanager
def serving(handler: functools.partial[SimpleHTTPRequestHandler]) -> Iterator[str]:
    """A web server of the standard library on a free port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Portal(SimpleHTTPRequestHandler):
    """Answers every question with a page, as portals in front of a server do."""

    def do_POST(self) -> None:
        """A page of several lines."""
        body = b"<html>\n<body>please log in</body>\n</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.mark.parametrize(("handler", "code"), [(SimpleHTTPRequestHandler, 501), (Portal, 200)])
def test_what_is_no_prometheus_is_doubted(folder: Path, handler: type[SimpleHTTPRequestHandler], code: int) -> None:
    """A web server of any kind is told from one that gives answers."""
    with serving(functools.partial(handler, directory=str(folder))) as url:
        unreachable(folder, url, f"answered {code}: ")
        assert "is it a Prometheus?" in answer(folder, url)[2]


def test_a_server_that_refuses_the_question_is_quoted(folder: Path, tmp_path: Path) -> None:
    """A real Prometheus that may not load a week of samples says so in its own words."""
    with running_prometheus(tmp_path / "prometheus", history=past(), flags=["--query.max-samples=10"]) as server:
        unreachable(folder, server.url, "too many samples")


def test_silence_has_an_end(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that accepts and never answers is given up after a while."""
    monkeypatch.setattr(validate, "_ANSWER_SECONDS", 0.3)
    monkeypatch.chdir(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begun = time.monotonic()
        code = run(["validate", "a.slo.yaml", "--prometheus", f"http://127.0.0.1:{listener.getsockname()[1]}"])
    assert (code, time.monotonic() - begun < 10) == (ExitCode.UNREACHABLE, True)
    assert "gave no answer in 0.3 s" in capsys.readouterr().err

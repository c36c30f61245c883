"""`sereno collect devops` as a user starts, misstarts and stops it."""

import signal
import socket
from pathlib import Path

import httpx
import pytest
from sereno_cli.devops_configuration import read_sources
from sereno_collectors.devops.model import Source
from support.command_line import files_below, sereno
from support.devops import SIGNING_SECRET, running_receiver, write_configuration

MISTAKES = """\
version: sereno/v2
sources:
  GitHub:
    provider: git-hub
    secret_files: []
  lab:
    provider: gitlab
    secret_file: [x]
  azure:
    provider: Azure DevOps
    secret_files: [a]
    services: {a/b: My Service}
"""
EXPECTED = """\
devops.yaml:1:10: error[SLO010]: version 'sereno/v2' is not known (write version: sereno/v1)
devops.yaml:4:5: error[SLO011]: 'GitHub' is no name: names are lower-case words with hyphens (write github)
devops.yaml:4:15: error[SLO006]: 'git-hub' is no provider (write one of github, gitlab, azure_devops, jenkins, \
bitbucket, generic)
devops.yaml:5:19: error[SLO006]: secret_files is an empty list (write secret_files: [secrets/github])
devops.yaml:7:5: error[SLO005]: sources.lab has no secret_files (write secret_files: [secrets/github])
devops.yaml:8:5: error[SLO004]: secret_file is no key of sources.lab (did you mean secret_files?)
devops.yaml:10:15: error[SLO006]: 'Azure DevOps' is no provider (write azure_devops)
devops.yaml:12:21: error[SLO011]: 'My Service' is no name: names are lower-case words with hyphens (write my-service)
sereno collect devops: the configuration has mistakes: nothing was begun
"""
MISTAKEN_SECRETS = """\
version: sereno/v1
sources:
  lab: {provider: gitlab, secret_files: [none, short]}
  other: {provider: generic, secret_files: [token]}
  azure:
    provider: azure_devops
    secret_files:
      - token
  key: {provider: gitlab, secret_files: [key, damaged]}
"""
EXPECTED_OF_SECRETS = """\
devops.yaml:3:42: error[SLO040]: the secret's file none doesn't exist (write one: openssl rand -hex 32 > none)
devops.yaml:3:48: error[SLO006]: short holds a secret of less than 16 characters (write one: openssl rand -hex 32 > \
short)
devops.yaml:4:45: error[SLO006]: token holds a secret that generic can't use (write one: \
echo "whsec_$(openssl rand -base64 32)" > token)
devops.yaml:8:9: error[SLO006]: token holds a secret that azure_devops can't use (write one: \
echo "sereno:$(openssl rand -hex 32)" > token)
devops.yaml:9:42: error[SLO006]: key: the key behind whsec_ has less than 24 bytes (write one: \
openssl rand -hex 32 > key)
devops.yaml:9:47: error[SLO006]: damaged: what follows whsec_ is no base64 (write one: openssl rand -hex 32 > damaged)
sereno collect devops: the configuration has mistakes: nothing was begun
"""


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    """It listens on loopback, says so, makes folders, and a polite signal ends it with 0 and without a traceback."""
    store = tmp_path / "devops.sqlite"
    with running_receiver(write_configuration(tmp_path), store) as server:
        assert httpx.get(f"{server.url}/health", trust_env=False).json() == {"status": "ok"}
        server.process.send_signal(stop)
        assert server.process.wait(timeout=10) == 0
        log = server.log.read_text(encoding="utf-8")
    assert f"listening on {server.url} for github, gitlab, azure-devops" in log
    assert str(store) in log
    assert "Traceback" not in log
    assert SIGNING_SECRET not in log


def test_every_mistake_has_its_place_code_and_cure(tmp_path: Path) -> None:
    """All mistakes come at once, each with line, column, code and what to write instead; exit 2, nothing is made."""
    (tmp_path / "devops.yaml").write_text(MISTAKES, encoding="utf-8")
    answer = sereno("collect", "devops", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (2, EXPECTED)
    assert set(files_below(tmp_path)) == {"devops.yaml"}


def test_mistaken_secrets_are_told_and_never_shown(tmp_path: Path) -> None:
    """Missing, short, damaged and unfitting secrets are told with the command that makes one; none is shown."""
    secrets = {"short": "abc", "token": "t" * 40, "key": "whsec_c2hvcnQtc2hvcnQ=", "damaged": "whsec_%%%%%%%%%%%%%%%"}
    for name, secret in secrets.items():
        (tmp_path / name).write_text(secret, encoding="utf-8")
    (tmp_path / "devops.yaml").write_text(MISTAKEN_SECRETS, encoding="utf-8")
    answer = sereno("collect", "devops", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (2, EXPECTED_OF_SECRETS)
    assert not any(secret in answer.stderr for secret in secrets.values())


def test_a_missing_configuration_is_told(tmp_path: Path) -> None:
    """Without a file there is nothing to receive: exit 2."""
    answer = sereno("collect", "devops", cwd=tmp_path)
    assert answer.returncode == 2
    assert "devops.yaml:1:1: error[SLO040]" in answer.stderr


def test_a_taken_port_is_a_message(tmp_path: Path) -> None:
    """A port that is in use is told with a cure: exit 3."""
    configuration = write_configuration(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = sereno("collect", "devops", "--config", configuration, "--port", port, cwd=tmp_path)
    assert answer.returncode == 3
    assert f"can't listen on 127.0.0.1:{port}" in answer.stderr
    assert "--port" in answer.stderr


def test_another_programs_file_is_a_message(tmp_path: Path) -> None:
    """A store that is none of ours is told with a cure: exit 2."""
    configuration = write_configuration(tmp_path)
    (tmp_path / "mine.txt").write_text("important " * 100, encoding="utf-8")
    answer = sereno("collect", "devops", "--config", configuration, "--store", "mine.txt", cwd=tmp_path)
    assert answer.returncode == 2
    assert "--store" in answer.stderr
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "important " * 100


def test_an_address_of_elasticsearch_that_is_none_is_a_message(tmp_path: Path) -> None:
    """A wrong address is told before anything is begun: exit 2, no password shown."""
    environment = {"SERENO_ELASTICSEARCH_URL": "ftp://user:hidden@logs"}
    configuration = write_configuration(tmp_path)
    answer = sereno("collect", "devops", "--config", configuration, cwd=tmp_path, environment=environment)
    assert answer.returncode == 2
    assert "SERENO_ELASTICSEARCH_URL" in answer.stderr
    assert "hidden" not in answer.stderr


def test_the_documented_configuration_is_one(tmp_path: Path) -> None:
    """The example of docs/devops.md is read without a mistake, as what it says."""
    page = (Path(__file__).resolve().parents[2] / "docs/devops.md").read_text(encoding="utf-8")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/github").write_text("s" * 32, encoding="utf-8")
    path = tmp_path / "devops.yaml"
    path.write_text(page.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    (source,) = read_sources(path)
    assert isinstance(source, Source)
    assert source.conventions.service_of("acme/infra-dns") == "platform"
    assert source.conventions.is_production("prod-eu")
    assert source.conventions.deployed_by("deploy to Europe") == "production"

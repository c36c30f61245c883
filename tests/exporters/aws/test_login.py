"""Who asks: AWS' usual chain, a profile, or files; without any of them nothing is asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.aws_exporter import Account, counting_proxy
from support.proxy import Proxy

NO_FILES: dict[str, Any] = {
    "access_key_id_file": None,
    "secret_access_key_file": None,
    "sns_topics": {"names": ["orders"]},
}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine that knows nothing of AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


@pytest.fixture
def proxy(moto: str) -> Iterator[Proxy]:
    """A proxy before moto."""
    with counting_proxy(moto) as found:
        yield found


def failures_of(account: Account, proxy: Proxy, **settings: Any) -> dict[str, tuple[str, str]]:
    """What one scrape could not do."""
    with account.scraping(url=proxy.url, **NO_FILES, **settings) as exporter:
        return exporter.scrape()[1]


@pytest.mark.usefixtures("alone")
def test_without_credentials_nothing_is_asked(moto: str, tmp_path: Path, proxy: Proxy) -> None:
    """The failure names the ways to log in, and no call is taken out of the budget."""
    account = Account(moto, tmp_path, 0)
    assert failures_of(account, proxy)["sns"][0] == "refused"
    assert "access_key_id_file" in failures_of(account, proxy)["sns"][1]
    assert proxy.asked == []
    source = account.source(**NO_FILES)
    assert account.fetched(source, "calls")["sereno_aws_budget_used_ratio", "calls"] == 0
    source.close()


def test_the_usual_chain_is_used(moto: str, tmp_path: Path, proxy: Proxy, alone: pytest.MonkeyPatch) -> None:
    """A key of the environment signs the call."""
    alone.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    alone.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    assert failures_of(Account(moto, tmp_path, 0), proxy) == {}
    assert "AKIAENVIRONMENT" in (proxy.asked[0].authorization or "")


@pytest.mark.usefixtures("alone")
def test_a_profile_is_used_and_a_missing_one_is_told(moto: str, tmp_path: Path, proxy: Proxy) -> None:
    """The named profile's key signs the call; a name that nobody knows is a mistake of the configuration."""
    text = "[monitoring]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = a-secret\n"
    (tmp_path / "credentials").write_text(text, encoding="utf-8")
    account = Account(moto, tmp_path, 0)
    assert failures_of(account, proxy, profile="monitoring") == {}
    assert "AKIAPROFILE" in (proxy.asked[0].authorization or "")
    reason, message = failures_of(account, proxy, profile="nobody")["sns"]
    assert (reason, "nobody" in message) == ("configuration", True)

"""What addresses and environment may say of Elasticsearch, and what is told of those that can't be used."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sereno_backends.logs import LogStoreRefused
from sereno_backends.logs.elasticsearch_connection import Connection
from sereno_backends.logs.elasticsearch_settings import (
    API_KEY_FILE,
    CA_FILE,
    CA_FINGERPRINT,
    COMPRESSION,
    PASSWORD_FILE,
    USERNAME_FILE,
    ApiKey,
    BasicAuth,
    NoCredentials,
    read_credentials,
    read_settings,
)

URL = "http://a.test:9200"
PRINT = "0a" * 32


def test_several_addresses_are_told_apart_and_keep_their_commas() -> None:
    """Commas part addresses only where the next one begins: a password may have one."""
    settings = read_settings("http://u:a,b@one.test , https://two.test/es/".replace("https", "http"), {})
    assert settings.addresses == ("http://one.test:9200", "http://two.test:9200/es")
    assert read_credentials(settings) == BasicAuth("u", "a,b")
    assert settings.place == "http://one.test:9200, http://two.test:9200/es"


def test_a_fingerprint_may_have_colons_and_capitals() -> None:
    """Openssl's form and the plain one mean the same."""
    colons = ":".join(["0A"] * 32)
    assert read_settings("https://a.test", {CA_FINGERPRINT: colons}).fingerprint == bytes.fromhex(PRINT)
    assert read_settings("https://a.test", {CA_FINGERPRINT: PRINT}).fingerprint == bytes.fromhex(PRINT)


def test_credentials_come_from_files_and_show_nowhere(tmp_path: Path) -> None:
    """User and password are two files, an API key is one; line ends don't count, and no repr shows them."""
    for name, content in (("user", "sereno\n"), ("password", " pass word \r\n"), ("key", "YWJj\n")):
        (tmp_path / name).write_text(content)
    basic = {USERNAME_FILE: str(tmp_path / "user"), PASSWORD_FILE: str(tmp_path / "password")}
    assert read_credentials(read_settings(URL, basic)) == BasicAuth("sereno", " pass word ")
    assert read_credentials(read_settings(URL, {API_KEY_FILE: str(tmp_path / "key")})) == ApiKey("YWJj")
    assert read_credentials(read_settings(URL, {API_KEY_FILE: ""})) == NoCredentials()
    shown = [repr(BasicAuth("sereno", "secret")), repr(ApiKey("secret")), repr(read_settings("http://u:secret@a", {}))]
    assert not [text for text in shown if "secret" in text]


@pytest.mark.parametrize(
    ("url", "environment", "message"),
    [
        ("http://a.test,b.test", {}, "several with commas between"),
        ("http://a.test,https://b.test", {}, "one of both for all"),
        ("http://u:p1@a.test,http://u:p2@b.test", {}, "different users or passwords"),
        (URL, {COMPRESSION: "zstd"}, "write gzip or none"),
        (URL, {CA_FILE: "{file}"}, f"{CA_FILE} is set, but the address begins with http://"),
        (URL, {CA_FINGERPRINT: PRINT}, f"{CA_FINGERPRINT} is set, but the address begins with http://"),
        ("https://a.test", {CA_FINGERPRINT: "abc"}, "64 hexadecimal digits"),
        ("https://a.test", {CA_FINGERPRINT: PRINT, CA_FILE: "{file}"}, "leave one of them"),
        ("https://a.test", {CA_FILE: "{file}"}, "no certificate in PEM"),
        (URL, {USERNAME_FILE: "{file}"}, "belong together"),
        (URL, {PASSWORD_FILE: "{file}"}, "belong together"),
        (URL, {USERNAME_FILE: "{file}", PASSWORD_FILE: "{empty}"}, f"{PASSWORD_FILE} names .*, which is empty"),
        (URL, {USERNAME_FILE: "{file}", PASSWORD_FILE: "{gone}"}, f"{PASSWORD_FILE} names .*, which can't be read"),
        (
            URL,
            {USERNAME_FILE: "{file}", PASSWORD_FILE: "{file}", API_KEY_FILE: "{file}"},
            "more than once .*leave one",
        ),
        ("http://u:p@a.test", {API_KEY_FILE: "{file}"}, "more than once .*leave one"),
    ],
)
def test_what_can_not_be_used_is_told_with_its_cure(
    url: str, environment: Mapping[str, str], message: str, tmp_path: Path
) -> None:
    """Wrong values are refused before anything is contacted, and no message holds a secret."""
    places = {"file": tmp_path / "file", "empty": tmp_path / "empty", "gone": tmp_path / "gone"}
    places["file"].write_text("s3cret\n")
    places["empty"].write_text("\n")
    filled = {name: value.format(**places) for name, value in environment.items()}
    with pytest.raises(LogStoreRefused, match=message) as refused:
        Connection(url, filled)
    assert not [secret for secret in ("s3cret", "p1", "u:p") if secret in str(refused.value)]

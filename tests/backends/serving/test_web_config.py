"""Prometheus' web configuration as we read it."""

from pathlib import Path

import pytest
from sereno_backends.serving import WebConfig
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse import parse_as
from sereno_slo.source import read_source

HASH = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"


def told(path: Path, text: str) -> list[str]:
    """The mistakes of a file, as users read them."""
    path.write_text(text, encoding="utf-8")
    source = read_source(path)
    assert not isinstance(source, Diagnostic)
    return [str(each).removeprefix(f"{path}:") for each in parse_as(source, WebConfig).diagnostics]


def test_what_prometheus_takes_is_taken(tmp_path: Path) -> None:
    """A whole file, with every key that has a meaning here."""
    text = f"""\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [ECDHE-RSA-AES128-GCM-SHA256]
  prefer_server_cipher_suites: true
http_server_config:
  http2: true
  headers: {{Strict-Transport-Security: max-age=1, X-Frame-Options: deny}}
basic_auth_users:
  prometheus: {HASH}
"""
    assert told(tmp_path / "web.yml", text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "basic_auth_users: {prometheus: secret}",
            "1:32: error[SLO006]: the password is no bcrypt hash (write what `htpasswd -nBC 10 NAME` prints)",
        ),
        (
            "tls_server_config: {cert_file: a}",
            "1:20: error[SLO005]: tls_server_config has no key_file (write key_file: server.key)",
        ),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}",
            (
                "1:20: error[SLO006]: client_ca_file and client_auth_type belong together (write both, "
                "client_auth_type: RequireAndVerifyClientCert, or neither)"
            ),
        ),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAnyClientCert}",
            (
                "1:66: error[SLO006]: RequireAnyClientCert takes certificates that nobody verified, which this server "
                "does not (write RequireAndVerifyClientCert or VerifyClientCertIfGiven, with client_ca_file)"
            ),
        ),
        (
            "tls_server_config: {cert_file: a, key_file: b, curve_preferences: [X25519]}",
            (
                "1:48: error[SLO004]: curve_preferences is no key of tls_server_config (known keys: cert_file, "
                "key_file, client_auth_type, client_ca_file, min_version, max_version, cipher_suites, "
                "prefer_server_cipher_suites)"
            ),
        ),
        (
            f"basic_auth_users: {{prometheus: {HASH.replace('$10$', '$99$')}}}",
            "1:32: error[SLO006]: the password is no bcrypt hash (write what `htpasswd -nBC 10 NAME` prints)",
        ),
        (
            'http_server_config: {headers: {X-Frame-Options: "deny\\nSet-Cookie: a=b"}}',
            r"1:49: error[SLO006]: 'deny\nSet-Cookie: a=b' can't stand in a header (write one line of ASCII)",
        ),
        (
            'tls_server_config: {cert_file: "a\\0b", key_file: b}',
            r"1:32: error[SLO006]: 'a\x00b' is no path of a file (write where the file is)",
        ),
        (
            "http_server_config: {headers: {X-Powered-By: us}}",
            "1:46: error[SLO006]: X-Powered-By is the text 'X-Powered-By'",
        ),
    ],
)
def test_what_is_not_kept_is_a_mistake(tmp_path: Path, text: str, message: str) -> None:
    """Nothing that protects is ignored."""
    (found,) = told(tmp_path / "web.yml", text + "\n")
    assert found.startswith(message)

"""The small words of a team file; each knows its mistake and the cure, and none shows what may be a secret."""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from sereno_slo.parse.words import mistake

_FILE = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PATH = rf"(/?{_FILE})(/{_FILE})*"
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`~-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
_CHANNEL = r"[#@]?[a-z0-9][a-z0-9._-]*"
_HOST_PORT = r"[A-Za-z0-9.-]+:[0-9]{1,5}|\[[0-9A-Fa-f:]+\]:[0-9]{1,5}"
_VERSION = r"0\.[0-9]{2}"
_OLDEST = "0.25"

_KEYS_THEMSELVES = (
    re.compile(r"[0-9a-fA-F]{32}|R[0-9A-Z]{31}"),  # PagerDuty's integration keys
    re.compile(r"[0-9]{6,}:[A-Za-z0-9_-]{30,}"),  # Telegram's tokens
)


def _file(text: str) -> str:
    is_plain = re.fullmatch(_PATH, text) is not None
    if "://" in text or any(key.fullmatch(text) for key in _KEYS_THEMSELVES):
        message = "this looks like the secret itself, and here stands the name of the file that holds it"
        raise mistake(
            "ALR001", message, "write it into a file, and the file's name here, for example pagerduty_payments"
        )
    if not is_plain or ".." in text:
        # It isn't repeated: it may be the password itself.
        message = "this is no name of a file: letters, digits, dots, hyphens and underscores"
        raise mistake("ALR002", message, "write for example pagerduty_payments, or a whole path")
    return text


def url_problem(text: str) -> str:
    """What is wrong with an address that everybody may read; empty where nothing is."""
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return "can't be read as an address"
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_fine:
        return "is no address of the web"
    if re.search(r"[\s{}<>\"'\\]", text) or not text.isascii() or not text.isprintable():
        return "holds characters that addresses don't have"
    return ""


def _url(text: str) -> str:
    rest = text.partition("://")[2] or text
    is_secret = "hooks.slack.com/" in text or "@" in rest.partition("/")[0]
    if is_secret or re.search(r"[?&](?:token|key|secret|password|api_?key)=", text, re.IGNORECASE):
        raise mistake("ALR001", "this address is a secret by itself", "write it into a file, and its name as url_file")
    problem = url_problem(text)
    if problem:
        raise mistake("ALR002", f"{text[:80]!r} {problem}", "write for example https://heartbeat.example.org/sereno")
    return text


def _address(text: str) -> str:
    if not re.fullmatch(_ADDRESS, text):
        raise mistake("ALR002", f"{text[:80]!r} is no e-mail address", "write for example oncall@example.org")
    return text


def _channel(text: str) -> str:
    if not re.fullmatch(_CHANNEL, text):
        raise mistake("ALR002", f"{text[:80]!r} is no channel", "write for example '#payments', in quotes")
    return text


def _host_port(text: str) -> str:
    if not re.fullmatch(_HOST_PORT, text):
        raise mistake("ALR002", f"{text[:80]!r} is no mail server", "write host:port, for example smtp.example.org:587")
    return text


def _version(value: Any) -> Any:
    """YAML reads 0.30 as a number, and forgets its zero."""
    text = f"{value:.2f}" if isinstance(value, float) else value
    if isinstance(text, str) and (not re.fullmatch(_VERSION, text) or text < _OLDEST):
        raise mistake(
            "ALR006", f"{text[:20]!r} is no version of Alertmanager from {_OLDEST} on", 'write for example "0.26"'
        )
    return text


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


SecretFile = Annotated[str, AfterValidator(_file)]
PlainUrl = Annotated[str, AfterValidator(_url)]
Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[list[Address], BeforeValidator(_as_list), Field(min_length=1)]
Channel = Annotated[str, AfterValidator(_channel)]
HostPort = Annotated[str, AfterValidator(_host_port)]
AlertmanagerVersion = Annotated[str, BeforeValidator(_version)]

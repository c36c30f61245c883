"""Words of the configuration that several exporters use; each knows its mistake and the cure."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from sereno_backends.grammar import FilePath, Grammar, mistake

__all__ = ["FilePath", "Grammar", "Host", "HttpUrl", "Name", "Seconds", "mistake"]

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_MOST_SECONDS = 3_650 * 86_400.0
_SHOWN = 40
_NAME = r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?"
_LONGEST_NAME = 60


def _seconds(written: Any) -> Any:
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        return written
    if not isinstance(written, str):
        raise mistake("SLO014", f"{written} has no unit", f"add one: {written}s")
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", written)
    if found is None:
        raise mistake("SLO014", f"{written!r} is not a duration", "write for example 500ms, 10s, 5m or 1h")
    seconds = float(found[1]) * _SECONDS[found[2]]
    if seconds > _MOST_SECONDS:
        raise mistake("SLO014", f"{written[:_SHOWN]} is longer than ten years", "write a shorter duration")
    return seconds


def _name(text: str) -> str:
    if not re.fullmatch(_NAME, text) or len(text) > _LONGEST_NAME:
        better = re.sub(r"[^a-z0-9_.-]+", "-", text.lower()).strip("-_.")[:_LONGEST_NAME] or "main"
        raise mistake("SLO011", f"{text!r} is no name: names are lower-case, up to 60 characters", f"write {better}")
    return text


def _host(text: str) -> str:
    if "@" in text or "://" in text or not text.isprintable() or not text:
        raise mistake("SLO006", f"{text!r} is no host", "write its name or address; credentials belong into files")
    return text


def _http_url(text: str) -> str:
    found = re.fullmatch(r"https?://([^/?#\s]+)([^?#\s]*)", text)
    if found is None:
        raise mistake("SLO006", f"{text!r} is no address of an HTTP server", "write for example http://127.0.0.1:15672")
    if "@" in found[1]:
        raise mistake(
            "SLO006", "the address has credentials in it", "write them into files: username_file and password_file"
        )
    return text.rstrip("/")


Seconds = Annotated[float, BeforeValidator(_seconds)]
"""A duration with its unit, as Prometheus writes it; seconds in the model."""
Name = Annotated[str, AfterValidator(_name)]
Host = Annotated[str, AfterValidator(_host)]
"""A server's name or address, without credentials."""
HttpUrl = Annotated[str, AfterValidator(_http_url)]

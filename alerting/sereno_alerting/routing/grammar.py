"""The grammar of a file of cases."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from sereno_slo.parse.times import MomentText
from sereno_slo.parse.words import mistake

from sereno_alerting.teams.grammar import version_of_ours

OURS = "sereno_test_"
"""How labels begin that keep the cases of one Alertmanager apart."""
_LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"


class _Mapping(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _labels(labels: Any) -> Any:
    for name in labels if isinstance(labels, dict) else ():
        if not re.fullmatch(_LABEL, name):
            raise mistake("ALR021", f"{name[:60]!r} is no label name", "write letters, digits and underscores")
        if name.startswith(OURS):
            raise mistake("ALR021", f"labels that begin with {OURS} are ours", "write another name")
    if isinstance(labels, dict) and not any(labels.values()):
        raise mistake("ALR021", "an alert has a label", "write for example {alertname: DiskFull, severity: critical}")
    return labels


def _names(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Labels = Annotated[dict[str, str], BeforeValidator(_labels)]
Receivers = Annotated[list[str], BeforeValidator(_names)]


class CaseDocument(_Mapping):
    """One alert, and what becomes of it."""

    name: str = Field(min_length=1, examples=["a page goes to its owner"])
    labels: Labels = Field(examples=["{severity: critical, owner: payments}"])
    given: list[Labels] = Field([], description="Other alerts that fire", examples=[["{severity: critical}"]])
    receivers: Receivers | None = Field(
        None, min_length=1, description="All receivers that its routes lead to", examples=[["payments-page"]]
    )
    inhibited: bool = Field(default=False, description="Whether one of the given alerts inhibits it")
    at: MomentText | None = Field(None, description="When it is told", examples=["2026-11-28T03:00:00+01:00"])
    muted: Annotated[bool | list[str], BeforeValidator(_names)] = Field(
        default=False, description="Whether all receivers are muted at that time, or which", examples=["true"]
    )


class CasesDocument(_Mapping):
    """A file of cases."""

    version: Annotated[str, AfterValidator(version_of_ours)] = Field(examples=["sereno/v1"])
    configuration: str | None = Field(
        None,
        min_length=1,
        description="Alertmanager's configuration, from this file on",
        examples=["../alertmanager/alertmanager.yml"],
    )
    cases: list[CaseDocument] = Field(min_length=1, examples=["a list of cases"])

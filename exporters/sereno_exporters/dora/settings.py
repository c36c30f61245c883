"""What a target of the DORA exporter says: where the events are, and, if wanted, other numbers for the rules."""

from dataclasses import fields
from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from sereno_exporters.dora.policy import DEFAULT_POLICY, DoraPolicy
from sereno_exporters.frame.words import FilePath, Grammar, Seconds, mistake

_LONGEST = timedelta(days=90)
"""The largest window: a rule that reaches further would never decide within one."""


class RulesSettings(Grammar):
    """Numbers of the rules; what isn't said is the default."""

    incident_within: Seconds = Field(
        DEFAULT_POLICY.incident_within.total_seconds(),
        description="An incident that begins so soon after a deployment is put down to it",
        examples=["1h"],
    )
    rollback_within: Seconds = Field(
        DEFAULT_POLICY.rollback_within.total_seconds(),
        description="A deployment that is taken back so soon failed",
        examples=["24h"],
    )
    hotfix_within: Seconds = Field(
        DEFAULT_POLICY.hotfix_within.total_seconds(),
        description="A deployment that an unplanned one follows so soon failed",
        examples=["24h"],
    )
    rework_within: Seconds = Field(
        DEFAULT_POLICY.rework_within.total_seconds(),
        description="A deployment so soon after an incident began, while it is open, is its repair",
        examples=["24h"],
    )

    @model_validator(mode="after")
    def _not_too_long(self) -> Self:
        for field in fields(DoraPolicy):
            seconds = getattr(self, field.name)
            if not 0 < seconds <= _LONGEST.total_seconds():
                raise mistake(
                    "SLO014", f"{field.name} of {seconds:,.0f} s decides nothing", "write one up to 90d, as 24h"
                )
        return self

    def policy(self) -> DoraPolicy:
        """The same as the rules read it."""
        return DoraPolicy(**{field.name: timedelta(seconds=getattr(self, field.name)) for field in fields(DoraPolicy)})


class DoraSettings(Grammar):
    """One store of DevOps events."""

    store: FilePath = Field(description="The file of `sereno collect devops`", examples=["var/devops.sqlite"])
    rules: RulesSettings = Field(
        RulesSettings(), description="Numbers of the rules", examples=["{rollback_within: 12h}"]
    )

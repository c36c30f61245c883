"""Business events: what happened to whom, on its way from the users service to the metrics store."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

LIST = "fitness:events"
"""The Redis list: pushed at the left, so that the oldest is the last."""
DEAD_LIST = "fitness:events:dead"
"""Entries that are no events; somebody has to look at them."""
MESSAGING_SYSTEM = "redis"
"""How telemetry names the broker."""

TrainingType = Literal["run", "ride", "swim", "strength", "yoga"]
TRAINING_TYPES: tuple[TrainingType, ...] = ("run", "ride", "swim", "strength", "yoga")

Kind = Literal["signed-up", "logged-in", "blocked", "unblocked", "training-created"]
KINDS: tuple[Kind, ...] = ("signed-up", "logged-in", "blocked", "unblocked", "training-created")


class Training(BaseModel):
    """What a training was."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: TrainingType
    minutes: Annotated[int, Field(ge=1, le=1440)]


class Event(BaseModel):
    """One event; its id makes storing it twice the same as storing it once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    kind: Kind
    user: Annotated[str, Field(min_length=1, max_length=64)]
    at: AwareDatetime
    training: Training | None = None
    """Of `training-created` only."""

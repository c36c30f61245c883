"""What a target of the exporter `rabbitmq` says in the configuration."""

from pydantic import Field

from sereno_exporters.frame.http import HttpSettings
from sereno_exporters.queues.patterns import Pattern, Patterns


class RabbitmqSettings(HttpSettings):
    """The management API of a broker or a cluster, and which of its queues are watched."""

    vhosts: Patterns = Field(("*",), strict=False, description="Virtual hosts", examples=['["/", "shop*"]'])
    queues: Patterns = Field(("*",), strict=False, description="Queues that are watched", examples=['["orders*"]'])
    without_queues: tuple[Pattern, ...] = Field(
        ("amq.gen-*",),
        strict=False,
        description="Queues that are not: those that a server names come and go with their clients",
        examples=['["amq.gen-*"]'],
    )
    dead_letters: bool = Field(True, description="Whether dead-letter queues are looked for", examples=[True])  # noqa: FBT003
    nodes: bool = Field(True, description="Whether nodes and alarms are asked for (tag monitoring)", examples=[True])  # noqa: FBT003

"""What can be wrong with an event; it becomes a document nevertheless."""

from enum import StrEnum


class Flaw(StrEnum):
    """What was wrong with a line; the record carries it in ECS `tags`, by the names that Logstash gave them."""

    NOT_JSON = "_jsonparsefailure"
    """No JSON object, and no other form that is known: the line itself is the message."""
    TIMESTAMP = "_dateparsefailure"
    """No usable time: the record has the time at which the line was read."""

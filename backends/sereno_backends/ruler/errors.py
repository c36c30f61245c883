"""What can go wrong when a ruler is asked or changed.

RulerError
├── RulerAccessInvalid   address, tenant or certificates can't work; nothing was asked
├── RulerUnreachable     no answer, or not a ruler's answer: nothing is known
└── RulerRefused         it answered that this isn't allowed, or not there
    └── GroupRefused     it doesn't take this group: a limit, or a rule that it can't read
"""


class RulerError(Exception):
    """The ruler could not be asked or said no; the message names the server and the cause, and never a secret."""


class RulerAccessInvalid(RulerError):  # noqa: N818 - reads as what happened
    """What was given to reach the ruler can't work; the message says what to give instead."""


class RulerUnreachable(RulerError):  # noqa: N818 - reads as what happened
    """Nothing is known: no connection, no answer in time, a 5xx, or something else than a ruler answered."""


class RulerRefused(RulerError):  # noqa: N818 - reads as what happened
    """The server said no (who are you, no such path); its own words are in the message."""


class GroupRefused(RulerRefused):
    """The server doesn't take a group (a limit, a rule that it can't read); others may be taken."""

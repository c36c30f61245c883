"""What can go wrong when Prometheus is asked.

PrometheusError
├── PrometheusAddressInvalid   the URL can't be one of a Prometheus; nothing was asked
├── PrometheusUnreachable      no answer, or not a Prometheus's answer: nothing is known
├── PrometheusRefused          it answered that the question is wrong or not allowed
└── PrometheusIncomplete       it answered with a part of the truth only
"""


class PrometheusError(Exception):
    """Prometheus could not be asked or did not give a whole answer; the message names the server and the cause."""


class PrometheusAddressInvalid(PrometheusError):  # noqa: N818 - reads as what happened
    """The address can't be that of a Prometheus; the message says what to write instead."""


class PrometheusUnreachable(PrometheusError):  # noqa: N818 - reads as what happened
    """Nothing is known: no connection, no answer in time, a 5xx, or something else than Prometheus answered."""


class PrometheusRefused(PrometheusError):  # noqa: N818 - reads as what happened
    """The server said no (bad expression, too many samples, no permission); its own words are in the message."""


class PrometheusIncomplete(PrometheusError):  # noqa: N818 - reads as what happened
    """The server answered, but with warnings or with values that aren't numbers: using it would be guessing."""

    def __init__(self, message: str, warnings: tuple[str, ...]) -> None:
        super().__init__(message)
        self.warnings = warnings
        """The server's own words, one each."""

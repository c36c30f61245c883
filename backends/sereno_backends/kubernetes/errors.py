"""What can go wrong when a cluster's API is asked or changed.

KubernetesError
├── AccessInvalid          address, token or certificates can't work; nothing was asked
├── ClusterUnreachable     no answer, or not a cluster's answer: nothing is known
└── ClusterRefused         it answered that this isn't allowed, not there, or not right
"""


class KubernetesError(Exception):
    """The cluster could not be asked or said no; the message names the cause, and never a secret."""


class AccessInvalid(KubernetesError):  # noqa: N818 - reads as what happened
    """What was given to reach the cluster can't work; the message says what to give instead."""


class ClusterUnreachable(KubernetesError):  # noqa: N818 - reads as what happened
    """Nothing is known: no connection, no answer in time, a 5xx, or something else than a cluster answered."""


class ClusterRefused(KubernetesError):  # noqa: N818 - reads as what happened
    """The cluster said no; its own words are in the message."""

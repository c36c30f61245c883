"""How long a source is usually silent, by what it has delivered: nights, weekends, and quiet weeks of small teams."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

LOOKED_AT = timedelta(days=28)
"""Four weekends. Counted back from the newest delivery: a source that went silent keeps the habit that it had."""
LEAST_SPAN = timedelta(days=14)
"""Any two weeks have two weekends in them."""
LEAST_DELIVERIES = 40
"""Of rarer ones silences are so uneven that far longer ones than usual come by chance."""


def usual_silence(heard: Sequence[datetime]) -> timedelta | None:
    """The longest silence but one; None where too little is known.

    Not the longest: an outage, a holiday or a webhook that was gone for a while must not be taken for a habit. Weekends
    are, for there are at least two.

    Args:
        heard: when deliveries were received, in order.
    """
    if len(heard) < LEAST_DELIVERIES or heard[-1] - heard[0] < LEAST_SPAN:
        return None
    return sorted(later - earlier for earlier, later in pairwise(heard))[-2]

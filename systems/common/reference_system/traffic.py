"""How traffic goes through a day."""

import math
from datetime import datetime, timedelta

_DAY = timedelta(days=1)

# One wave for day and night, one for the second peak in the evening; hours of the day. Waves that fit the day a whole
# number of times have no mean, so that of the sum is exactly 1.
_DAY_AND_NIGHT = (0.25, 14.0)
_MIDDAY_AND_MIDNIGHT = (0.07, 12.0)


def relative_traffic(moment: datetime) -> float:
    """Traffic at this time of the day, relative to the day's mean.

    A smooth function of the moment's own clock (convert the time zone before, if the service lives by another): its
    mean over a day is exactly 1, its lowest value 0.75 at 4 o'clock, its highest 1.30 at 13 o'clock.
    """
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    # Both have the same zone, so this is the difference of the clocks: days with a change of time have 24 hours here.
    day_part = (moment - midnight) / _DAY
    return 1.0 + _wave(day_part, *_DAY_AND_NIGHT, times_a_day=1) + _wave(day_part, *_MIDDAY_AND_MIDNIGHT, times_a_day=2)


def _wave(day_part: float, height: float, peak_hour: float, *, times_a_day: int) -> float:
    return height * math.cos(2 * math.pi * times_a_day * (day_part - peak_hour / 24))

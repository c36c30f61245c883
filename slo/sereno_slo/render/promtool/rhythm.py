"""How often a test scrapes and evaluates, and what an `evaluation_delay` does to both."""

import math
from dataclasses import dataclass, replace

from sereno_slo.duration import Duration
from sereno_slo.render.promtool.streams import Series


@dataclass(frozen=True, slots=True)
class Delay:
    """Rules that look `evaluation_delay` into the past see the same traffic at a later evaluation.

    Where the delay is no multiple of the evaluation interval, samples come later, too, so that those of an evaluation
    lie exactly where the delayed rules look.
    """

    of_results: Duration
    of_samples: Duration
    step: Duration
    """Between two values of the input series: the scrape interval, or a part of it."""

    def applied(self, series: Series, scrape_interval: Duration) -> Series:
        """The same scrapes, later."""
        between = (None,) * (round(scrape_interval / self.step) - 1)
        first = (None,) * round(self.of_samples / self.step)
        values = [value for scraped in series.values for value in (scraped, *between)]
        # A staleness marker follows the last scrape as it did before.
        return replace(series, values=(*first, *values))


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The intervals of scrapes and of evaluations; the latter is a multiple of the former."""

    scrapes: Duration
    evaluations: Duration

    def delay(self, evaluation_delay: Duration | None) -> Delay | None:
        """What the delay does to a test with this rhythm."""
        if evaluation_delay is None:
            return None
        of_results = self.evaluations * math.ceil(evaluation_delay / self.evaluations)
        of_samples = of_results.milliseconds - evaluation_delay.milliseconds
        step = math.gcd(self.scrapes.milliseconds, of_samples)
        return Delay(of_results, Duration(of_samples), Duration(step))

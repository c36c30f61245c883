"""Names and numbers of the ecosystem that Sereno keeps, and those that all stages of the compiler share."""

from sereno_slo.duration import Duration

# OpenTelemetry semantic conventions, "Metric: http.server.request.duration": the advised explicit bucket boundaries.
HTTP_DURATION_METRIC = "http_server_request_duration_seconds"
HTTP_DURATION_BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

# Fewer bad events than this in an alert's long window are never an alert: a client that retries makes several at once.
# Chosen, with the next one, on the tuning seeds of benchmarks/alert_quality.
MIN_BAD_EVENTS = 12
# So many of them in the short window: what fails now, not what failed hours ago.
MIN_RECENT_BAD_EVENTS = 3
# Minutes are judged by themselves; nobody retries one.
MIN_BAD_MINUTES = 5

# Windows up to this sum entries of a minute, longer ones roll-ups of five minutes: six hours of minutes are 360
# samples, three days of them would be 4,320 at every evaluation.
LONGEST_SUM_OF_MINUTES = Duration.parse("6h")

# The usual traffic is an average of days, but at most this much of their median: a day of bots is not what is usual.
MOST_OF_MEDIAN = 1.2
# And at most this much of what the last day or the last hour had: traffic that has moved away is not usual, either.
MOST_OF_RECENT = 2

# A full outage that pages nobody for longer than this is found by its users. What makes alerts slow is low traffic:
# a dozen failures (MIN_BAD_EVENTS) of 24 requests an hour take half an hour.
LATEST_PAGE_OF_AN_OUTAGE = Duration.parse("30m")

# A journey judges a step by five minutes where they had so many events, as time slices always have, else by an hour.
MIN_STEP_EVENTS = 5

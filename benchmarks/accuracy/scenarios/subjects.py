"""The specs under test, as users write them."""

from benchmarks.accuracy.scenario import Selectors, Subject

SERVICE, SLO, JOB = "shop", "orders", "shop"
OBJECTIVE_PERCENT = 99.9
_HEAD = f"""\
version: sereno/v1
service: {SERVICE}
owner: benchmark
slos:
  - name: {SLO}
    objective: {OBJECTIVE_PERCENT}
    window: 30d
    indicator:
"""
THRESHOLD_SECONDS = 0.25

BAD_EVENTS = Subject(
    _HEAD
    + f"""\
      ratio:
        metric: http_requests_total
        match: 'job="{JOB}"'
        bad: 'code=~"5.."'
""",
    Selectors(f'http_requests_total{{job="{JOB}"}}', bad=f'http_requests_total{{job="{JOB}",code=~"5.."}}'),
    OBJECTIVE_PERCENT,
)

GOOD_EVENTS = Subject(
    _HEAD
    + f"""\
      ratio:
        metric: http_requests_total
        match: 'job="{JOB}"'
        good: 'code="200"'
""",
    BAD_EVENTS.selectors,
    OBJECTIVE_PERCENT,
)

TWO_METRICS = Subject(
    _HEAD
    + f"""\
      ratio:
        total: 'calls_total{{job="{JOB}"}}'
        bad: 'calls_failed_total{{job="{JOB}"}}'
""",
    Selectors(f'calls_total{{job="{JOB}"}}', bad=f'calls_failed_total{{job="{JOB}"}}'),
    OBJECTIVE_PERCENT,
)

LATENCY = Subject(
    _HEAD
    + f"""\
      latency:
        metric: http_request_duration_seconds
        match: 'job="{JOB}"'
        threshold: 250ms
""",
    Selectors(
        f'http_request_duration_seconds_count{{job="{JOB}"}}',
        fast=f'http_request_duration_seconds_bucket{{job="{JOB}",le="{THRESHOLD_SECONDS}"}}',
    ),
    OBJECTIVE_PERCENT,
)

# No selectors for the peers: neither documents rules for native histograms.
NATIVE_LATENCY = Subject(LATENCY.spec + "        histogram: native\n", None, OBJECTIVE_PERCENT)

_GROUPS = """\
    group_by:
      labels: [route]
      limit: 10
"""
GROUPS = Subject(BAD_EVENTS.spec + _GROUPS, BAD_EVENTS.selectors, OBJECTIVE_PERCENT, group_label="route")

THRESHOLD_MAXIMUM = 900
THRESHOLD = Subject(
    _HEAD
    + f"""\
      threshold:
        metric: etl_table_age_seconds
        match: 'job="{JOB}"'
        max: {THRESHOLD_MAXIMUM}
""",
    None,
    OBJECTIVE_PERCENT,
)

PROBE = Subject(
    _HEAD
    + f"""\
      probe:
        metric: probe_success
        match: 'job="{JOB}"'
""",
    None,
    OBJECTIVE_PERCENT,
)

"""`python -m benchmarks.exporters.peer PORT SERIES`: prometheus_client's own server, with numbers in memory."""

import sys
import time

from prometheus_client import CollectorRegistry, Gauge, start_http_server


def main() -> None:
    """Serve until ended."""
    port, series = int(sys.argv[1]), int(sys.argv[2])
    registry = CollectorRegistry()
    gauge = Gauge("in_memory_value", "A number.", ["item", "state"], registry=registry)
    for number in range(series):
        gauge.labels(f"item-{number}", "open").set(number)
    start_http_server(port, "127.0.0.1", registry)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()

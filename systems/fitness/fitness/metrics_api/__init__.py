"""The metrics service's HTTP side: answers from aggregations over the store of events."""

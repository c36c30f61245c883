"""Nothing is lost and nothing is twice: random faults against `sereno collect logs` and a real Elasticsearch."""

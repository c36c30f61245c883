"""Helpers that tests share: free ports, child processes, a real Prometheus."""

"""What the portal's pages cost with a thousand SLOs, and with fifty people who look: `python -m benchmarks.portal`."""

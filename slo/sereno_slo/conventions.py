"""Names and numbers of the ecosystem that Sereno keeps."""

# OpenTelemetry semantic conventions, "Metric: http.server.request.duration": the advised explicit bucket boundaries.
HTTP_DURATION_METRIC = "http_server_request_duration_seconds"
HTTP_DURATION_BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

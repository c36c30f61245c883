"""What the log collector's durable queue costs, beside a table with a row for each document."""

"""Fetches what the shop has sold, puts it into S3 as it is, and tells transform."""

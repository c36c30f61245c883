"""What a scrape of an exporter costs, beside one that only keeps numbers in memory."""

"""What a scrape costs the process that is watched."""

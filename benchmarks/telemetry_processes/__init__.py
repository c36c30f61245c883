"""What several processes of one service cost: a scrape after many generations of workers, an observation."""

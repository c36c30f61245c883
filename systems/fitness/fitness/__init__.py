"""Fitness: people log in, train and pay; what they do is counted by a consumer that blocks on a Redis list."""

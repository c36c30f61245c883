"""The payments service: pays by a network that belongs to somebody else."""

"""Deliveries through two ingestion nodes of devops-events, many of them twice, while a node is killed."""

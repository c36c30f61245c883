"""Exporter of quotas: what a plan allows, what is used of it, and when it is used up."""

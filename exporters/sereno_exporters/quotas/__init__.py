"""Managed quotas: how much of what is granted is used, and when the period begins again."""

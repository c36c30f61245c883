"""Collectors: from files and webhooks, through stages of one shape, into a log store."""

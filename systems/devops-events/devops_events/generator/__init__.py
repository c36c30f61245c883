"""Fakes development platforms: their webhooks, signed and sometimes sent twice, and a small REST beside them."""

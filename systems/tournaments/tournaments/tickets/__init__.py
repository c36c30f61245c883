"""Tickets: how many are left, who has bought which, and whether the catalogue shows them as sold."""

"""Writes orders into the table, each batch once, however often it is delivered."""

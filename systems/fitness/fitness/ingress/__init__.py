"""The way in: one address, the services behind it."""

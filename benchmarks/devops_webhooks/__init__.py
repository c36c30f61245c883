"""The receiver of DevOps webhooks: how many deliveries a second, and whether a kill loses any."""

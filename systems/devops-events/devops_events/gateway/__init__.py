"""What platforms reach: NGINX in front of the nodes, in turn; without it a small program that does the same."""

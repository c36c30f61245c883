"""Users and their authorization: sign-up, tokens, blocked users."""

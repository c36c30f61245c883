"""The users service: sign-up, log-in, blocking, trainings; each business event leaves by its outbox."""

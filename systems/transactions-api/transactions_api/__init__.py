"""Transactions API: reads from a database, writes through a topic; the first of the systems that Sereno watches."""

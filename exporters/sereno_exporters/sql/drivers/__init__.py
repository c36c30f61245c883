"""One module for each database: how a bounded connection is opened, and what its errors mean."""

"""Figures out of databases: read-only queries, tables' freshness and size, ETL stages, PostgreSQL's own statistics."""

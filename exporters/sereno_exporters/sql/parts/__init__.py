"""What is asked: users' queries, tables, ETL stages, and PostgreSQL about itself. Each returns a snapshot."""

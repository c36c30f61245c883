"""An ETL pipeline: api, extract, transform, load, and the shop's API that it extracts from."""

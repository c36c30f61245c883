"""The API of a shop that isn't ours: it sells, and lets its orders be fetched, so many requests an hour."""

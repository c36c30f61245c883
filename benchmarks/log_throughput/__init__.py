"""How fast lines get from a file into Elasticsearch, at what CPU, how late, and in how much memory."""

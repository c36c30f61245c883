"""What a log line costs until it is a document: parsing, enriching and the words of its message."""

"""Many processes of one service: their figures as one, or pushed by each of them over OTLP."""

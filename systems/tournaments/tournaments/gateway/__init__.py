"""The gateway: HTTP for users, tokens checked, questions to services, answers of reads kept for a moment."""

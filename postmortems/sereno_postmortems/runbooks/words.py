"""Which words of a runbook are placeholders: names of labels, in capitals."""

import re

PLACEHOLDER = re.compile(r"(?<![\w$\\{%])[A-Z][A-Z0-9_]+(?!\w|=|\()")
"""A word in capitals. Not `$NAME`, `${NAME}`, `NAME=…`, which are the shell's variables, and no function `NAME(`."""

# Labels that alerts have, so that a runbook's placeholder is known as one before anybody has said what stands for it.
USUAL_LABELS = frozenset({
    "account", "alertname", "cluster", "consumer", "container", "database", "device", "disk", "exchange",
    "function", "function_name", "group", "host", "instance", "integration", "job", "list", "mountpoint", "namespace",
    "node", "owner", "pipeline", "pod", "port", "queue", "quota", "region", "rule_group", "service", "slo", "source",
    "stage", "stream", "subscription", "target", "topic", "topic_arn", "topic_name", "user", "vhost",
})  # fmt: skip

# Words of SQL, Redis, HTTP and systems that stand in commands in capitals: a label of the same name doesn't change what
# they mean there. GROUP, STREAM and the like are missing on purpose, except where the next word makes them SQL.
_OF_LANGUAGES = frozenset({
    "ACL", "ADD", "ALL", "ALTER", "ANALYZE", "AND", "ANY", "AS", "ASC", "BEGIN", "BETWEEN", "BY", "CALL", "CASE",
    "CAST", "CLIENT", "COMMIT", "CONFIG", "CONNECT", "CONSUMERS", "COPY", "COUNT", "CREATE", "DEL", "DELCONSUMER",
    "DELETE", "DESC", "DESTROY", "DISTINCT", "DROP", "ELSE", "END", "ERROR", "EXISTS", "EXPLAIN", "FALSE", "FATAL",
    "FOR", "FROM", "FULL", "GET", "GRANT", "GROUPS", "HAVING", "HEAD", "IN", "INDEX", "INFO", "INSERT", "INTERVAL",
    "INTO", "IS", "JOIN", "KEYS", "KILL", "LEFT", "LIKE", "LIMIT", "LIST", "LOCKED", "MATCH", "MAXLEN", "MEMORY",
    "NOT", "NULL", "OFFSET", "ON", "OPTIONS", "OR", "ORDER", "PATCH", "POST", "PUT", "REPLICAOF", "RESET",
    "ROLLBACK", "SCAN", "SELECT", "SET", "SHOW", "SKIP", "TABLE", "THEN", "TO", "TRACE", "TRIM", "TRUE", "TTL",
    "TYPE", "UNION", "UPDATE", "USING", "VACUUM", "VALUES", "WARN", "WARNING", "WHEN", "WHERE", "WITH", "XACK",
    "XAUTOCLAIM", "XGROUP", "XINFO", "XPENDING", "XRANGE", "_OTHER",
})  # fmt: skip
_IN_PAIRS = re.compile(r"GROUP\s+BY\b|(?:CREATE|ALTER|DROP)\s+(?:DATABASE|USER|FUNCTION)\b")


def placeholders(text: str, labels: frozenset[str]) -> list[re.Match[str]]:
    """The placeholders of a text, from left to right.

    Args:
        text: Of one place: a quoted text of PromQL, a shell block, an inline code.
        labels: Names of the labels that are known, in capitals.
    """
    taken = {at for pair in _IN_PAIRS.finditer(text) for at in range(*pair.span())}
    return [
        found for found in PLACEHOLDER.finditer(text) if found.start() not in taken and is_placeholder(found[0], labels)
    ]


def is_placeholder(word: str, labels: frozenset[str]) -> bool:
    """Whether a word in capitals stands for a label: one that is known, or one that alerts usually have."""
    return word not in _OF_LANGUAGES and (word in labels or word.lower() in USUAL_LABELS)

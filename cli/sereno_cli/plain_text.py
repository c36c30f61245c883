"""Text from elsewhere (logs, servers) on a terminal."""


def plain(text: str) -> str:
    r"""Such text must not steer the terminal: control signs are shown, not obeyed.

    >>> print(plain("\x1b[2Jgone\n"))
    \x1b[2Jgone\n
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)

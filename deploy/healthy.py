#!/usr/bin/env python3
"""Is an address healthy? For healthchecks of containers: ends with 0 where it answers 2xx, else with 1 and why."""

import base64
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

TIMEOUT_SECONDS = 4
USAGE = "healthy URL [NAME PASSWORD_FILE]"
WRONGLY_ASKED = 2


def main(arguments: Sequence[str]) -> int:
    """0 healthy, 1 not, 2 wrongly asked."""
    if len(arguments) not in (1, 3) or not arguments[0].startswith("http"):
        sys.stderr.write(f"{USAGE}\n")
        return WRONGLY_ASKED
    try:
        request = urllib.request.Request(arguments[0])  # noqa: S310 - http, as was looked at above
        if arguments[1:]:
            password = Path(arguments[2]).read_text(encoding="utf-8").strip()
            token = base64.b64encode(f"{arguments[1]}:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            return 0
    except (OSError, ValueError) as error:  # HTTPError is an OSError, too
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The JSON that our HTTP servers answer."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse


class InertJson(JSONResponse):
    """JSON in which markup is escaped: a browser that takes it for a page finds nothing to run."""

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, status_code, headers={"X-Content-Type-Options": "nosniff", **(headers or {})})

    def render(self, content: Any) -> bytes:
        """`<`, `>` and `&` occur only inside JSON strings, where their escapes mean the same."""
        text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
        return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()

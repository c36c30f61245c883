"""Our own files, served from memory: also while every thread waits for Prometheus."""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str
    tag: str


def files_of(folder: Traversable) -> Callable[[Request], Awaitable[Response]]:
    """Answers for `{name:path}` within the folder, which is read once."""
    files = dict(_read(folder))

    async def served(request: Request) -> Response:
        file = files.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404)
        headers = {"ETag": file.tag, "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    return served


def _read(folder: Traversable, before: str = "") -> Iterator[tuple[str, _File]]:
    for each in folder.iterdir():
        name = f"{before}{each.name}"
        if each.is_dir():
            yield from _read(each, f"{name}/")
        else:
            content = each.read_bytes()
            media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
            yield name, _File(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')

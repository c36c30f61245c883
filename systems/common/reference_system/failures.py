"""Every answer that is a failure leaves one log record with its reason and its trace.

Failures of the service are errors; requests that are wrong in themselves are warnings. Exceptions that nobody handles
need nothing here: the server logs them, and sereno_telemetry gives that record its route and trace.
"""

import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

_logger = logging.getLogger(__name__)

_LOWEST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """How a kind of exception is answered."""

    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


TRY_LATER = Answer(503, "try again later", {"retry-after": "5"})


def log_failures(app: FastAPI, answers: Mapping[type[Exception], Answer]) -> None:
    """Answer and log the failures that handlers raise: those of `answers`, and requests that are wrong."""
    # Handled here, because uvicorn closes the connection after an exception that it has to handle itself: the next
    # request on it would be lost without being counted anywhere but at the client.
    for kind, answer in answers.items():
        app.exception_handler(kind)(_handler(answer))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        _log(request, error.status_code, error, str(error.detail))
        return await http_exception_handler(request, error)

    @app.exception_handler(RequestValidationError)
    async def wrong(request: Request, error: RequestValidationError) -> Response:
        reasons = sorted({f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()})
        _log(request, 422, error, "; ".join(reasons))
        # Not what was sent, as FastAPI does: half characters and NaN can't be told in JSON, and passwords need not be.
        told = [{key: each[key] for key in ("type", "loc", "msg")} for each in error.errors()]
        return JSONResponse({"detail": told}, status_code=422)


def _handler(answer: Answer) -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    async def failed(request: Request, error: Exception) -> Response:
        _log(request, answer.status, error, str(error), with_stack=answer.status >= _LOWEST_SERVER_ERROR)
        return JSONResponse({"detail": answer.detail}, status_code=answer.status, headers=dict(answer.headers))

    return failed


def _log(request: Request, code: int, error: Exception, reason: str, *, with_stack: bool = False) -> None:
    # The template, not the path: messages of one kind are to be counted as one.
    route = getattr(request.scope.get("route"), "path", "(no route)")
    kind = type(error)
    _logger.log(
        logging.ERROR if code >= _LOWEST_SERVER_ERROR else logging.WARNING,
        "%s %s answered %d: %s",
        request.method,
        route,
        code,
        reason,
        exc_info=error if with_stack else None,
        extra={"ecs": {"error.type": f"{kind.__module__}.{kind.__qualname__}", "error.message": reason}},
    )

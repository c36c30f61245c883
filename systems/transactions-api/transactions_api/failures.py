"""Every answer that is a failure leaves one log record with its reason and its trace.

Failures of the service are errors; requests that are wrong in themselves are warnings. Exceptions that nobody handles
need nothing here: the server logs them, and sereno_telemetry gives that record its route and trace.
"""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from transactions_api.disturbance import CardNetworkTimeout
from transactions_api.store import StoreUnavailable
from transactions_api.topic import TopicFull

_logger = logging.getLogger(__name__)

_SERVER_ERROR = 500
_UNAVAILABLE = 503


def log_failures(app: FastAPI) -> None:
    """Answer and log the failures that handlers raise."""

    # Handled here, because uvicorn closes the connection after an exception that it has to handle itself: the next
    # request on it would be lost without being counted anywhere but at the client.
    @app.exception_handler(CardNetworkTimeout)
    async def failed(request: Request, error: Exception) -> Response:
        _log(request, _SERVER_ERROR, error, str(error), with_stack=True)
        return JSONResponse({"detail": "the payment could not be authorized"}, status_code=_SERVER_ERROR)

    @app.exception_handler(StoreUnavailable)
    @app.exception_handler(TopicFull)
    async def unavailable(request: Request, error: Exception) -> Response:
        _log(request, _UNAVAILABLE, error, str(error), with_stack=True)
        return JSONResponse({"detail": "try again later"}, status_code=_UNAVAILABLE, headers={"retry-after": "5"})

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        _log(request, error.status_code, error, str(error.detail))
        return await http_exception_handler(request, error)

    @app.exception_handler(RequestValidationError)
    async def wrong(request: Request, error: RequestValidationError) -> Response:
        reasons = sorted({f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()})
        _log(request, 422, error, "; ".join(reasons))
        return await request_validation_exception_handler(request, error)


def _log(request: Request, code: int, error: Exception, reason: str, *, with_stack: bool = False) -> None:
    # The template, not the path: messages of one kind are to be counted as one.
    route = getattr(request.scope.get("route"), "path", "(no route)")
    kind = type(error)
    _logger.log(
        logging.ERROR if code >= _SERVER_ERROR else logging.WARNING,
        "%s %s answered %d: %s",
        request.method,
        route,
        code,
        reason,
        exc_info=error if with_stack else None,
        extra={"ecs": {"error.type": f"{kind.__module__}.{kind.__qualname__}", "error.message": reason}},
    )

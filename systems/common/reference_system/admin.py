"""Switching faults over HTTP, for people and scripts on the same machine."""

import json
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from starlette.middleware.trustedhost import TrustedHostMiddleware

from reference_system.faults import FaultKind, FaultRefused, Faults, WrongParameters, read_parameters


def create_admin(service: str, faults: Faults) -> FastAPI:
    """The admin API of a program; it must listen on loopback only."""
    app = FastAPI(title=f"{service}: faults", version="1.0.0")
    # A page in somebody's browser must not reach it under a name that resolves to 127.0.0.1.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    @app.get("/faults")
    def all_faults() -> dict[str, Any]:
        return {"faults": [_described(kind, faults) for kind in faults.kinds]}

    @app.get("/faults/{name}")
    def one_fault(name: str) -> dict[str, Any]:
        return _described(_kind(faults, name), faults)

    @app.put("/faults/{name}")
    async def start(name: str, request: Request) -> dict[str, Any]:
        kind = _kind(faults, name)
        settings = read_parameters(kind, _document(await request.body()))
        if isinstance(settings, WrongParameters):
            raise HTTPException(422, "; ".join(settings.mistakes))
        try:
            faults.start(kind, settings)
        except FaultRefused as error:
            raise HTTPException(503, str(error)) from error
        return _described(kind, faults)

    @app.delete("/faults/{name}")
    def stop(name: str) -> dict[str, Any]:
        kind = _kind(faults, name)
        try:
            faults.stop(kind)
        except FaultRefused as error:
            raise HTTPException(503, str(error)) from error
        return _described(kind, faults)

    return app


def _kind(faults: Faults, name: str) -> FaultKind:
    for kind in faults.kinds:
        if kind.name == name:
            return kind
    raise HTTPException(404, f"there is no fault {name!r}; there are: {', '.join(kind.name for kind in faults.kinds)}")


def _document(body: bytes) -> object:
    """The JSON of a request; no body is an empty object, and what is no JSON is None."""
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _described(kind: FaultKind, faults: Faults) -> dict[str, Any]:
    active = faults.active(kind)
    return {
        "name": kind.name,
        "description": kind.description,
        "parameters": {
            parameter.name: {
                "description": parameter.description,
                "default": parameter.default,
                "above": parameter.above,
                "up_to": parameter.up_to,
            }
            for parameter in kind.parameters
        },
        "active": active is not None,
        "settings": dict(active.settings) if active else {},
        "since": active.since.isoformat() if active else None,
    }

"""The demo's own door: all faults by name, for the scripts that visitors call. On loopback only."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from sereno_cli.demo.places import DemoError
from sereno_cli.demo.switching import FaultNotSwitched, Switchboard
from sereno_cli.demo.systems import Fault

_STARTS_SECONDS = 10.0
_POLL_SECONDS = 0.02


def create_control(switchboard: Switchboard) -> FastAPI:
    """The API over a switchboard."""
    app = FastAPI(title="Sereno demo: faults", version="1.0.0")
    # A page in somebody's browser must not reach it under a name that resolves to 127.0.0.1.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/faults")
    def all_faults() -> dict[str, Any]:
        return {
            "faults": [
                {"system": system.name, "fault": fault.name, "on": fault.on, "expects": str(fault.expects)}
                for system in switchboard.systems
                for fault in system.faults
            ]
        }

    @app.put("/faults/{system}/{name}")
    def on(system: str, name: str) -> dict[str, str]:
        return _switched(switchboard, system, name, on=True)

    @app.delete("/faults/{system}/{name}")
    def off(system: str, name: str) -> dict[str, str]:
        return _switched(switchboard, system, name, on=False)

    return app


def _switched(switchboard: Switchboard, system: str, name: str, *, on: bool) -> dict[str, str]:
    fault = _found(switchboard, system, name)
    try:
        (switchboard.on if on else switchboard.off)(fault)
    except FaultNotSwitched as error:
        raise HTTPException(503, str(error)) from error
    return {"fault": name, "is": "on" if on else "off"}


def _found(switchboard: Switchboard, system: str, name: str) -> Fault:
    fault = switchboard.find(system, name)
    if fault is None:
        raise HTTPException(404, f"{system} has no fault {name}; GET /faults tells them all")
    return fault


@contextmanager
def served(switchboard: Switchboard, port: int) -> Iterator[None]:
    """Serve it in a thread until the context ends.

    Raises:
        DemoError: nobody answers at the port.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            create_control(switchboard), host="127.0.0.1", port=port, log_config=None, lifespan="off", access_log=False
        )
    )
    thread = threading.Thread(target=server.run, name="control", daemon=True)
    thread.start()
    deadline = time.monotonic() + _STARTS_SECONDS
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise DemoError(f"the demo's own port {port} can't be served: start it again")
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)

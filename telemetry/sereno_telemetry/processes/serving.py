"""Pushing for as long as an app serves."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from sereno_telemetry.processes.push import prepare_metrics_push

if TYPE_CHECKING:
    from starlette.applications import Starlette


def push_while_serving(app: "Starlette", service: str, registry: CollectorRegistry) -> None:
    """Push `registry`, if the environment says where to, from the first call of `app` until it shuts down.

    Not from now on: servers that load an app before they fork workers would push from a process that serves nothing.
    """
    push = prepare_metrics_push(service, registry)
    if push is None:
        return
    import anyio.to_thread  # noqa: PLC0415 - comes with the app

    build: Callable[[], Any] = app.build_middleware_stack
    lifespan: Callable[[Any], Any] = app.router.lifespan_context

    def build_and_start() -> Any:
        push.start()
        return build()

    @contextlib.asynccontextmanager
    async def lifespan_and_last_push(asgi_app: Any) -> AsyncIterator[Any]:
        push.start()
        async with lifespan(asgi_app) as state:
            yield state
        await anyio.to_thread.run_sync(push.stop)

    app.build_middleware_stack = build_and_start  # type: ignore[method-assign]
    app.router.lifespan_context = lifespan_and_last_push

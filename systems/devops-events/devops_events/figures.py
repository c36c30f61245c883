"""What programs serve that have no API of their own: whether they are there; sereno_telemetry adds their metrics."""

from collections.abc import Mapping

from fastapi import FastAPI


def create_figures(title: str) -> FastAPI:
    """The application, to be instrumented."""
    app = FastAPI(title=title, version="1.0.0")

    @app.get("/health")
    async def health() -> Mapping[str, str]:
        """The process answers; whether it does its work is what its SLOs say."""
        return {"status": "ok"}

    return app

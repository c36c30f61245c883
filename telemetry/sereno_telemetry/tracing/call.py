"""One request on its way through OpenTelemetry's middleware."""

from sereno_telemetry.http.middleware import Message, Send
from sereno_telemetry.metrics.health import TelemetryHealth


class TracedCall:
    """Who raised what, and which message got through to the server."""

    def __init__(self, send: Send, health: TelemetryHealth) -> None:
        self.entered = False
        self.application_error: BaseException | None = None
        self.traced_send: Send = send
        self._send = send
        self._health = health
        self._server_error: BaseException | None = None
        self._delivered: Message | None = None

    async def to_server(self, message: Message) -> None:
        """`send` as the tracing layer calls it."""
        try:
            await self._send(message)
        except BaseException as error:
            self._server_error = error
            raise
        self._delivered = message

    async def from_application(self, message: Message) -> None:
        """`send` as the application calls it."""
        try:
            await self.traced_send(message)
        except Exception as error:
            if error is self._server_error:
                raise
            self._health.note(error, doing="tracing an answer")
            if self._delivered is not message:
                await self._send(message)

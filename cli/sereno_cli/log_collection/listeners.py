"""The ports of `sereno collect logs`: its metrics and OTLP, both protected by `--web-config`."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

from sereno_cli.log_collection.request import InvalidInput, Request, Unreachable, reason, say
from sereno_cli.serving import LOOPBACK_HOSTS, CannotListen

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from sereno_collectors.logs.inputs.otlp import OtlpInput

    from sereno_cli.web_protection import Protection


class WrongWebConfig(InvalidInput):
    """Its mistakes were printed."""

    def show(self, file: object = None) -> None:
        """Print nothing more."""


def protection_of(request: Request) -> "Protection | None":
    """What `--web-config` asks for; what stands on a port that others reach is told.

    Raises:
        WrongWebConfig: it has mistakes.
    """
    if request.web_config is None:
        protection = None
    else:
        # Imported only where it is asked for: it reads YAML with the compiler's parser, which not everyone installs.
        from sereno_cli.web_protection import Protection, WebConfigInvalid

        try:
            protection = Protection(request.web_config)
        except WebConfigInvalid as error:
            raise WrongWebConfig("the web configuration has mistakes") from error
    if request.otlp and request.otlp[0] not in LOOPBACK_HOSTS and (protection is None or not protection.has_users):
        say(f"warning: whoever reaches {request.otlp[0]} can send logs; --web-config asks for a password")
    return protection


def otlp_input(request: Request, address: tuple[str, int], protection: "Protection | None") -> "OtlpInput":
    """The input that listens at the address.

    Raises:
        Unreachable: it can't.
    """
    from sereno_collectors.logs.inputs.otlp import Guard, OtlpInput

    guard = Guard()
    if protection is not None:
        tls = protection.tls
        guard = Guard(None if tls is None else tls.context, protection.passwords().admits)
    host, port = address
    try:
        return OtlpInput(host, port, dataset=request.dataset, guard=guard)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"can't listen on {host}:{port}: {reason(error)}; choose another --otlp") from error


def serve_metrics(
    request: Request, registry: "CollectorRegistry", protection: "Protection | None", cleanup: ExitStack
) -> str:
    """Serve the collector's own metrics until the cleanup; their address."""
    from sereno_cli.background_serving import BackgroundServer, metrics_application

    app = metrics_application(registry)
    tls = None if protection is None else protection.tls
    served = app if protection is None else protection.around(app)
    place = f"{request.metrics_host}:{request.metrics_port}"
    try:
        server = BackgroundServer(served, request.metrics_host, request.metrics_port, command="metrics", tls=tls)
    except (CannotListen, UnicodeError) as error:  # no name of a host can be "a..b"
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        raise Unreachable(
            f"can't serve metrics on {place}: {reason(cause)}; choose another --metrics-port (0: any free one)"
        ) from error
    cleanup.callback(server.close)
    return f"{'http' if tls is None else 'https'}://{request.metrics_host}:{server.port}/metrics"

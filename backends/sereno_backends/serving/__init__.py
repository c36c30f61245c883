"""How our HTTP servers are protected: Prometheus' web configuration (TLS, basic auth), the same file for each."""

from sereno_backends.serving.basic_auth import AUTHENTICATED_USER, BasicAuth
from sereno_backends.serving.own_names import PROBED, Names, OwnNames, is_this_machine, name_asked
from sereno_backends.serving.passwords import Passwords
from sereno_backends.serving.tls import TlsContext, TlsUnusable
from sereno_backends.serving.web_config import WebConfig

__all__ = [
    "AUTHENTICATED_USER",
    "PROBED",
    "BasicAuth",
    "Names",
    "OwnNames",
    "Passwords",
    "TlsContext",
    "TlsUnusable",
    "WebConfig",
    "is_this_machine",
    "name_asked",
]

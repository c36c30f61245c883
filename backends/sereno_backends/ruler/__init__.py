"""The configuration API of the rulers of Mimir and Cortex: rule groups by tenant and namespace.

Sources: https://grafana.com/docs/mimir/latest/references/http-api/ ("Ruler") and
https://cortexmetrics.io/docs/api/ ("Ruler"). Thanos' ruler and vmalert have no such API (docs/engines.md).
"""

from sereno_backends.ruler.client import CORTEX_PATH, MIMIR_PATH, Access, RulerClient
from sereno_backends.ruler.errors import (
    GroupRefused,
    RulerAccessInvalid,
    RulerError,
    RulerRefused,
    RulerUnreachable,
)

__all__ = [
    "CORTEX_PATH",
    "MIMIR_PATH",
    "Access",
    "GroupRefused",
    "RulerAccessInvalid",
    "RulerClient",
    "RulerError",
    "RulerRefused",
    "RulerUnreachable",
]

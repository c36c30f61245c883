"""The little of the Kubernetes API that rules and dashboards need: apply, list by label, remove.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/.
"""

from sereno_backends.kubernetes.client import Access, Kind, KubernetesClient, access_of_this_pod
from sereno_backends.kubernetes.errors import AccessInvalid, ClusterRefused, ClusterUnreachable, KubernetesError

__all__ = [
    "Access",
    "AccessInvalid",
    "ClusterRefused",
    "ClusterUnreachable",
    "Kind",
    "KubernetesClient",
    "KubernetesError",
    "access_of_this_pod",
]

"""The client: one method a request, every failure one of the errors of this package."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from sereno_backends.addresses import AddressInvalid, http_address, is_loopback
from sereno_backends.kubernetes.errors import AccessInvalid, ClusterRefused, ClusterUnreachable

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token, the cluster's certificate and its own namespace."""
FIELD_MANAGER = "sereno"
_LONGEST_WORDS = 400
"""Characters of an answer that go into a message."""
_TIMEOUT_SECONDS = 30.0
# Of a list only names are wanted, not megabytes of rules.
_NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Kind(Enum):
    """The kinds that are written, with their path in the API."""

    CONFIG_MAP = "/api/v1/namespaces/{namespace}/configmaps"
    PROMETHEUS_RULE = "/apis/monitoring.coreos.com/v1/namespaces/{namespace}/prometheusrules"


@dataclass(frozen=True, slots=True)
class Access:
    """Where a cluster's API is, and who asks. The token is never shown."""

    url: str
    token: str = field(repr=False)
    ca_file: str | None = None
    """Certificates to trust instead of the system's."""


def access_of_this_pod(environment: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> tuple[Access, str]:
    """What a pod knows of its cluster: the access, and the pod's namespace.

    Raises:
        AccessInvalid: this is no pod, or its token isn't mounted.
    """
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    if not host:
        raise AccessInvalid("this is no pod of a cluster; give --server and --token-file")
    shown = f"[{host}]" if ":" in host else host
    url = f"https://{shown}:{environment.get('KUBERNETES_SERVICE_PORT', '443')}"
    try:
        token = (folder / "token").read_text("utf-8").strip()
        namespace = (folder / "namespace").read_text("utf-8").strip()
    except OSError as error:
        raise AccessInvalid(f"the pod's token isn't mounted: {error.filename}: {error.strerror}") from error
    return Access(url, token, str(folder / "ca.crt")), namespace


class KubernetesClient:
    """Reads and changes objects of one cluster, synchronously. Use it as a context manager or `close` it.

    Raises `AccessInvalid` at once where `access` can't work.
    """

    def __init__(self, access: Access, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        try:
            address = http_address(access.url, of="cluster", example="https://10.96.0.1:443")
        except AddressInvalid as error:
            raise AccessInvalid(str(error)) from error
        if not access.token or not (access.token.isascii() and access.token.isprintable()):
            raise AccessInvalid("the token is empty or holds characters that no header can")
        self._timeout_seconds = timeout_seconds
        self._name = f"the cluster's API at {address.scheme}://{address.netloc.decode()}"
        self._http = httpx.Client(
            base_url=address,
            timeout=timeout_seconds,
            trust_env=not is_loopback(address.host),
            headers={"Authorization": f"Bearer {access.token}"},
            verify=_certificates(access.ca_file),
        )

    def apply(self, kind: Kind, namespace: str, document: Mapping[str, Any], *, is_dry: bool = False) -> None:
        """Make the object, or change what Sereno owns of it (server-side apply).

        Fields that somebody else owns are never taken over: that is refused, and the answer names the owner.
        """
        name = document["metadata"]["name"]
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"} | ({"dryRun": "All"} if is_dry else {})
        self._ask(
            "PATCH",
            _place(kind, namespace, name),
            query=query,
            body=json.dumps(document),  # JSON is YAML
            content_type="application/apply-patch+yaml",
        )

    def names(self, kind: Kind, namespace: str, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The objects with all of these labels; page by page, as large clusters answer."""
        query = {"labelSelector": ",".join(f"{name}={value}" for name, value in labels.items()), "limit": "500"}
        found: list[str] = []
        while True:
            answer = self._ask("GET", _place(kind, namespace), query=query)
            try:
                found.extend(one["metadata"]["name"] for one in answer["items"])
                more = answer.get("metadata", {}).get("continue")
            except (KeyError, TypeError, AttributeError) as error:
                raise ClusterUnreachable(f"{self._name} answers no list") from error
            if not more:
                return tuple(found)
            query["continue"] = more

    def uid(self, kind: Kind, namespace: str, name: str) -> str:
        """What the cluster calls an object, for those that shall go when it goes."""
        answer = self._ask("GET", _place(kind, namespace, name))
        try:
            return str(answer["metadata"]["uid"])
        except (KeyError, TypeError) as error:
            raise ClusterUnreachable(f"{self._name} answers no object") from error

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        """Remove an object; one that is gone already is no error."""
        self._ask("DELETE", _place(kind, namespace, name), is_gone_well=True)

    def close(self) -> None:
        """Release connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: str | None = None,
        content_type: str = "application/json",
        is_gone_well: bool = False,
    ) -> Any:
        """The answer's document; every answer but a success raises, with the server's own words."""
        headers = {"Content-Type": content_type} if body is not None else {}
        if method == "GET" and query:
            headers["Accept"] = f"{_NAMES_ONLY},application/json"
        try:
            response = self._http.request(method, path, params=query, content=body, headers=headers)
        except httpx.TimeoutException as error:
            raise ClusterUnreachable(f"{self._name} gave no answer in {self._timeout_seconds:g} s") from error
        except httpx.HTTPError as error:
            raise ClusterUnreachable(f"{self._name} can't be reached: {error}") from error
        if is_gone_well and response.status_code == httpx.codes.NOT_FOUND:
            return {}
        if not response.is_success:
            refusal = ClusterRefused if response.is_client_error else ClusterUnreachable
            raise refusal(f"{self._name} answered {response.status_code}: {_words(response)}")
        try:
            return response.json()
        except ValueError as error:
            raise ClusterUnreachable(f"{self._name} answers no JSON: {_words(response)}") from error


def _place(kind: Kind, namespace: str, name: str | None = None) -> str:
    place = kind.value.format(namespace=quote(namespace, safe=""))
    return place if name is None else f"{place}/{quote(name, safe='')}"


def _certificates(ca_file: str | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise AccessInvalid(f"{ca_file} holds no certificates that can be read: {error}") from error


def _words(response: httpx.Response) -> str:
    """What the server said: the message of its Status, or its text."""
    try:
        said = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        said = response.text
    return " ".join(str(said).split())[:_LONGEST_WORDS] or "nothing"

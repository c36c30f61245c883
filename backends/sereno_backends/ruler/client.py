"""The client: one method a request, every failure one of the errors of this package."""

import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import yaml

from sereno_backends.addresses import AddressInvalid, http_address, is_loopback, without_credentials
from sereno_backends.ruler.errors import GroupRefused, RulerAccessInvalid, RulerRefused, RulerUnreachable

MIMIR_PATH = "/prometheus/config/v1/rules"
"""Mimir, Grafana Cloud, and Cortex from 1.0 on with its default -http.prefix."""
CORTEX_PATH = "/api/v1/rules"
"""Cortex."""

TENANT_HEADER = "X-Scope-OrgID"
# https://grafana.com/docs/mimir/latest/configure/about-tenant-ids/; a | would ask for several tenants at once.
_TENANT = re.compile(r"[A-Za-z0-9!\-_.*'()]{1,150}")
_LONGEST_WORDS = 300
"""Characters of an answer that go into a message."""
_TIMEOUT_SECONDS = 30.0
# What a ruler says to a group that it doesn't take; 429 is a limit on requests.
_GROUP_NOT_TAKEN = (400, 413, 422, 429)
# libyaml's reader where PyYAML has it: a tenant's rules are megabytes.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Groups = dict[str, tuple[Mapping[str, Any], ...]]
"""The groups of each namespace, as documents."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where a ruler is, and who asks. Secrets are never shown."""

    url: str
    path: str = MIMIR_PATH
    """The API's path on the server."""
    tenant: str | None = None
    """None where the server has one tenant only, or a gateway knows it from the credentials."""
    token: str | None = field(default=None, repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    """Certificates to trust instead of the system's."""


class RulerClient:
    """Reads and changes the rule groups of one tenant, synchronously. Use it as a context manager or `close` it.

    Raises `RulerAccessInvalid` at once where `access` can't work.
    """

    def __init__(
        self,
        access: Access,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        try:
            address = http_address(access.url, of="ruler", example="https://mimir.example.org")
        except AddressInvalid as error:
            raise RulerAccessInvalid(str(error)) from error
        if access.tenant is not None and not _TENANT.fullmatch(access.tenant):
            raise RulerAccessInvalid(f"{access.tenant!r} is no tenant: letters, digits and !-_.*'(), at most 150")
        self._timeout_seconds = timeout_seconds
        self._path = "/" + access.path.strip("/")
        self._http = httpx.Client(
            base_url=address,
            transport=transport,
            timeout=timeout_seconds,
            trust_env=not is_loopback(address.host),
            headers=_headers(access),
            auth=(access.user, access.password or "") if access.user else None,
            verify=_certificates(access.ca_file),
        )
        self._shown_url = without_credentials(address).rstrip("/")

    @property
    def name(self) -> str:
        """What to call this server in messages; without credentials."""
        return f"the ruler {self._shown_url}"

    def groups(self) -> Groups:
        """All groups of the tenant."""
        response = self._ask("GET")
        # Cortex and Mimir before 2.11 say so where a tenant has none.
        if response.status_code == httpx.codes.NOT_FOUND and "no rule groups found" in response.text:
            return {}
        self._must_succeed(response, RulerRefused)
        try:
            return _groups(yaml.load(response.text, Loader=_Loader))  # noqa: S506 - both are safe loaders
        except (yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
            said = response.text[:_LONGEST_WORDS].strip() or "nothing"
            raise RulerUnreachable(f"{self.name} doesn't answer as a ruler does at {self._path}: {said}") from error

    def save(self, namespace: str, group: str) -> None:
        """Add a group, or replace the one of its name; `group` is its YAML."""
        # With another content type, Mimir takes the body for a form and refuses it.
        response = self._ask("POST", namespace, body=group, content_type="application/yaml")
        self._must_succeed(response, GroupRefused)

    def remove(self, namespace: str, name: str) -> None:
        """Remove a group; one that is gone already is no error."""
        response = self._ask("DELETE", namespace, name)
        if response.status_code != httpx.codes.NOT_FOUND:
            self._must_succeed(response, RulerRefused)

    def close(self) -> None:
        """Release connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, *place: str, body: str = "", content_type: str | None = None) -> httpx.Response:
        path = "/".join((self._path, *(quote(part, safe="") for part in place)))
        headers = {"Content-Type": content_type} if content_type else None
        try:
            return self._http.request(method, path, content=body.encode() or None, headers=headers)
        except httpx.TimeoutException as error:
            raise RulerUnreachable(f"{self.name} gave no answer in {self._timeout_seconds:g} s") from error
        except httpx.HTTPError as error:
            raise RulerUnreachable(f"{self.name} can't be reached: {error}") from error

    def _must_succeed(self, response: httpx.Response, refusal: type[RulerRefused]) -> None:
        """Every answer but a success raises, with the server's own words."""
        if response.is_success:
            return
        message = f"{self.name} answered {response.status_code}: {_words(response)}{self._doubt(response)}"
        if response.status_code in _GROUP_NOT_TAKEN:
            raise refusal(message)
        if response.is_client_error:
            raise RulerRefused(message)
        raise RulerUnreachable(message)

    def _doubt(self, response: httpx.Response) -> str:
        match response.status_code:
            case httpx.codes.NOT_FOUND | httpx.codes.METHOD_NOT_ALLOWED:
                return f" (is there a ruler's API at {self._path}? Cortex: --path {CORTEX_PATH})"
            case httpx.codes.UNAUTHORIZED:
                return " (give --tenant, or credentials: --token-file, or --user and --password-file)"
            case _:
                return ""


def _headers(access: Access) -> dict[str, str]:
    headers = {}
    if access.tenant is not None:
        headers[TENANT_HEADER] = access.tenant
    if access.token is not None:
        if not (access.token.isascii() and access.token.isprintable()):
            raise RulerAccessInvalid("the token holds characters that no header can")
        headers["Authorization"] = f"Bearer {access.token}"
    return headers


def _certificates(ca_file: str | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise RulerAccessInvalid(f"{ca_file} holds no certificates that can be read: {error}") from error


def _words(response: httpx.Response) -> str:
    """What the server said: its text, or the error in Prometheus' envelope."""
    try:
        said = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        said = response.text
    return " ".join(str(said).split())[:_LONGEST_WORDS] or "nothing"


def _groups(document: Any) -> Groups:
    return {namespace: _documents(groups) for namespace, groups in (document or {}).items()}


def _documents(groups: Sequence[Any]) -> tuple[Mapping[str, Any], ...]:
    for group in groups:
        rules = group.get("rules") or []
        if not (isinstance(group["name"], str) and isinstance(rules, list) and all(map(_is_rule, rules))):
            raise TypeError("a group without a name, or with rules that are none")
    return tuple(groups)


def _is_rule(rule: Any) -> bool:
    return isinstance(rule, dict) and isinstance(rule.get("labels") or {}, dict)

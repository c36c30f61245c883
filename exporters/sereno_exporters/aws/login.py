"""A client of CloudWatch: signed with the configured key, or with what AWS' usual chain finds."""

from dataclasses import dataclass
from threading import Lock
from typing import Any

import botocore.exceptions  # type: ignore[import-untyped]
from boto3.session import Session  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]

from sereno_exporters.aws.settings import AwsSettings
from sereno_exporters.aws.transport import Transport
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.trouble import FetchError, Reason

_CHAIN_SECONDS = 3
"""For a connection that botocore makes itself, to find credentials."""


@dataclass(frozen=True, slots=True)
class _Key:
    """A key out of files."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None


class Clients:
    """Makes the target's client, anew when the files of its key have changed. Thread-safe."""

    def __init__(self, target: Target[AwsSettings], transport: Transport) -> None:
        self._target = target
        self._transport = transport
        self._lock = Lock()
        self._made: tuple[_Key | None, Any] | None = None

    def current(self) -> Any:
        """The client.

        Raises:
            FetchError: there are no credentials, or a file that is named can't be read.
        """
        key = self._key()
        with self._lock:
            if self._made is None or self._made[0] != key:
                self._made = key, self._new(key)
            return self._made[1]

    def _key(self) -> _Key | None:
        settings, secret = self._target.settings, self._target.secret
        if settings.access_key_id_file is None or settings.secret_access_key_file is None:
            return None
        token = settings.session_token_file
        return _Key(
            secret(settings.access_key_id_file),
            secret(settings.secret_access_key_file),
            secret(token) if token is not None else None,
        )

    def _new(self, key: _Key | None) -> Any:
        settings = self._target.settings
        config = Config(
            connect_timeout=_CHAIN_SECONDS,
            read_timeout=_CHAIN_SECONDS,
            retries={"total_max_attempts": 1},  # second tries are ours: counted, and within the deadline
            user_agent_extra="sereno-exporter",
        )
        try:
            session = Session(
                profile_name=settings.profile,
                region_name=settings.region,
                aws_access_key_id=key.access_key_id if key else None,
                aws_secret_access_key=key.secret_access_key if key else None,
                aws_session_token=key.session_token if key else None,
            )
            if session.get_credentials() is None:
                cure = "write profile, or access_key_id_file and secret_access_key_file"
                raise FetchError(Reason.REFUSED, f"no credentials are found; {cure}")
            client = session.client("cloudwatch", endpoint_url=settings.endpoint_url, config=config)
        except botocore.exceptions.BotoCoreError as error:
            raise FetchError(Reason.CONFIGURATION, f"no client of CloudWatch can be made: {error}") from error
        client.meta.events.register("before-send.cloudwatch", self._transport)
        return client

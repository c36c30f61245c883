"""Raw files in S3."""

import gzip
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from etl.connections import S3, Connections, ServerUnavailable

PREFIX = "raw/"
_REGION = "eu-west-1"
_TIMEOUT_SECONDS = 3
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404"})

Answer = TypeVar("Answer")


class ObjectsUnavailable(ServerUnavailable):
    """S3 could not do what it was asked."""

    def __init__(self, cause: object) -> None:
        super().__init__(S3, cause)


class RawObjects:
    """The bucket of raw files, gzip'ed; it is made where there is none.

    Credentials come from where AWS' clients look for them; an endpoint that asks for none (moto) gets some anyway.
    """

    def __init__(self, endpoint: str, bucket: str, connections: Connections) -> None:
        self._bucket = bucket
        self._connections = connections
        own = {} if "amazonaws" in endpoint else {"aws_access_key_id": "etl", "aws_secret_access_key": "etl"}
        self._client: Any = boto3.client(
            "s3",
            region_name=_REGION,
            endpoint_url=endpoint,
            config=Config(
                connect_timeout=_TIMEOUT_SECONDS,
                read_timeout=_TIMEOUT_SECONDS,
                retries={"total_max_attempts": 1},  # who calls tries again, and counts it
                max_pool_connections=1,
                s3={"addressing_style": "path"},
            ),
            **own,
        )

    def put(self, key: str, content: bytes) -> None:
        """Write an object. Raises `ObjectsUnavailable`."""
        body = gzip.compress(content, mtime=0)
        try:
            self._asked(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=body))
        except _NotThere:
            self._make_bucket()
            self._asked(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=body))

    def get(self, key: str) -> bytes | None:
        """What an object holds; None: it is gone, or no gzip. Raises `ObjectsUnavailable`."""
        try:
            return gzip.decompress(self._asked(lambda: self._read(key)))
        except (_NotThere, gzip.BadGzipFile, EOFError, zlib.error):
            return None

    def oldest(self, limit: int, before: datetime) -> tuple[str, ...]:
        """Keys of the objects with the lowest names that were written before; keys begin with what grows."""
        try:
            answer = self._asked(
                lambda: self._client.list_objects_v2(Bucket=self._bucket, Prefix=PREFIX, MaxKeys=limit)
            )
        except _NotThere:
            return ()
        found = answer.get("Contents", [])
        return tuple(each["Key"] for each in found if each["LastModified"] < before.astimezone(UTC))

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects. Raises `ObjectsUnavailable`."""
        if keys:
            listed = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            self._asked(lambda: self._client.delete_objects(Bucket=self._bucket, Delete=listed))

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _read(self, key: str) -> bytes:
        body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body

    def _make_bucket(self) -> None:
        where = {"LocationConstraint": _REGION}
        self._asked(lambda: self._client.create_bucket(Bucket=self._bucket, CreateBucketConfiguration=where))

    def _asked(self, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                raise _NotThere from error
            self._connections.failed(S3, error)
            raise ObjectsUnavailable(error) from error
        except BotoCoreError as error:
            self._connections.failed(S3, error)
            raise ObjectsUnavailable(error) from error


class _NotThere(Exception):  # noqa: N818 - reads as what happened
    """There is no such object or bucket."""

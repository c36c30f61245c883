"""Where a Redis is, and how one logs in: words of the configuration that several exporters use."""

from collections.abc import Iterator

from pydantic import Field
from pydantic_core import PydanticCustomError

from sereno_exporters.frame.words import FilePath, Grammar, Host, mistake


class RedisAddress(Grammar):
    """One Redis server; kinds inherit it."""

    host: Host = Field("127.0.0.1", examples=["127.0.0.1"])
    port: int = Field(6379, ge=1, le=65_535, examples=[6379])
    database: int = Field(0, ge=0, le=1_000_000, description="Its number", examples=[0])
    username_file: FilePath | None = Field(None, description="File with the user's name", examples=["redis.user"])
    password_file: FilePath | None = Field(None, description="File with the password", examples=["redis.password"])
    tls: bool = Field(False, description="Whether it is reached by TLS", examples=[True])  # noqa: FBT003
    ca_file: FilePath | None = Field(None, description="Certificate of a private authority", examples=["ca.pem"])

    def troubles_of_address(self) -> Iterator[tuple[tuple[str], PydanticCustomError]]:
        """What does not fit together, each with its key."""
        if self.ca_file is not None and not self.tls:
            yield ("ca_file",), mistake("SLO006", "ca_file is for TLS", "write tls: true")
        if self.username_file is not None and self.password_file is None:
            yield ("username_file",), mistake("SLO006", "a user has a password", "write password_file, too")

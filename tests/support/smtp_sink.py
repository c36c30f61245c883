"""A mail server that keeps what it is sent and asks for a password, as the real ones do."""

import base64
import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass(frozen=True)
class Mail:
    """One accepted message, with the recipients of its envelope and who authenticated as what."""

    recipients: tuple[str, ...]
    message: EmailMessage
    username: str
    password: str

    @property
    def text(self) -> str:
        """The plain text that the reader sees, with one kind of line end."""
        part = self.message.get_body(("plain",))
        if part is None:
            raise AssertionError(f"no text part in {self.message}")
        text: str = part.get_content()
        return text.replace("\r\n", "\n")


@dataclass(frozen=True)
class SmtpSink:
    """The mails so far, in the order in which they came."""

    address: str
    mails: list[Mail] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321, AUTH PLAIN of RFC 4616) as a sending client needs."""

    server: "_Server"

    def handle(self) -> None:
        username = password = ""
        recipients: list[str] = []
        self._say("220 sink")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ", 1)[0].upper()
            if verb == "EHLO":
                self._say("250-sink", "250 AUTH PLAIN")
            elif verb == "AUTH":
                _, username, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
                self._say("235 welcome")
            elif verb == "RCPT":
                recipients.append(line.partition("<")[2].partition(">")[0])
                self._say("250 ok")
            elif verb == "DATA":
                self._say("354 go on")
                message = email.message_from_bytes(self._message(), policy=email.policy.default)
                assert isinstance(message, EmailMessage)
                self.server.mails.append(Mail(tuple(recipients), message, username, password))
                self._say("250 kept")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _message(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)


class _Server(socketserver.ThreadingTCPServer):
    def __init__(self, mails: list[Mail]) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails = mails


@contextmanager
def smtp_sink() -> Iterator[SmtpSink]:
    """Listen on a free port of loopback and accept every mail."""
    mails: list[Mail] = []
    with _Server(mails) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield SmtpSink(address=f"127.0.0.1:{server.server_address[1]}", mails=mails)
        finally:
            server.shutdown()
            thread.join()

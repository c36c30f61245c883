"""Messages whose true kinds are known: forms as services write them, filled with values by a seed.

The forms follow what PostgreSQL, nginx, Kafka, RabbitMQ, Kubernetes, the JVM, Go and Python programs say when something
fails. Names without any mark of a variable (`{bare}`: a role, a queue) are among the values: what looks at one message
alone can't tell them from words.
"""

import random
from collections.abc import Callable
from typing import Final

FORMS: Final = (
    "connection to server at {ip}, port {port} failed: Connection refused",
    "duplicate key value violates unique constraint {quoted}",
    "deadlock detected: process {number} waits for ShareLock on transaction {number}; blocked by process {number}",
    "canceling statement due to statement timeout after {number} ms",
    "remaining connection slots are reserved for superusers",
    "could not open file {quoted}: No such file or directory",
    "checkpoints are occurring too frequently ({number} seconds apart)",
    "password authentication failed for user {quoted}",
    "role {bare} does not exist",
    "upstream timed out (110: Connection timed out) while reading response header, client: {ip}, server: {host}",
    "{number} worker_connections are not enough",
    "open() {quoted} failed (2: No such file or directory), client: {ip}, request: {quoted}",
    "SSL_do_handshake() failed while handshaking with {ip}:{port}",
    "client intended to send too large body: {number} bytes, client: {ip}",
    "[Producer clientId={bare}] Connection to node {number} could not be established",
    "Offset commit failed on partition {topic}-{number} at offset {number}: the coordinator is loading",
    "Group coordinator {host}:{port} is unavailable or invalid",
    "Member {bare}-{uuid} was removed from the group after {number} ms",
    "Closing AMQP connection <0.{number}.0> ({ip}:{port} -> {ip}:{port}): missed heartbeats, timeout: {number}s",
    "queue {bare} in vhost {quoted} reached its limit of {number} messages",
    "Back-off restarting failed container {bare} in pod {pod}",
    "Readiness probe failed: HTTP probe failed with statuscode: {number}",
    "Liveness probe failed: Get {quoted}: context deadline exceeded",
    "Failed to pull image {quoted}: not found",
    "0/{number} nodes are available: {number} Insufficient memory",
    "MountVolume.SetUp failed for volume {quoted}: secret not found",
    "OOMKilled: container {bare} used {number}Mi of {number}Mi",
    "java.lang.OutOfMemoryError: Java heap space",
    "java.net.SocketTimeoutException: Read timed out after {number} ms calling {url}",
    "HikariPool-{number} - Connection is not available, request timed out after {number}ms",
    "Task {uuid} rejected from pool, active threads = {number}, queued tasks = {number}",
    "Cannot deserialize value of type {bare} from String {quoted} at line {number}, column {number}",
    "panic: runtime error: index out of range [{number}] with length {number}",
    "panic: runtime error: invalid memory address or nil pointer dereference, goroutine {number}, addr={hex}",
    "dial tcp {ip}:{port}: i/o timeout",
    "http: TLS handshake error from {ip}:{port}: remote error: tls: bad certificate",
    "x509: certificate has expired or is not yet valid: current time {time} is after {time}",
    "context canceled after {duration}",
    "KeyError: {quoted}",
    "ValueError: invalid literal for int() with base 10: {quoted}",
    "ConnectionResetError: [Errno 104] Connection reset by peer",
    "OSError: [Errno 28] No space left on device: {quoted}",
    "TypeError: unsupported operand type(s) for +: {quoted} and {quoted}",
    "Task exception was never retrieved, future {hex}",
    "Worker (pid:{number}) was sent SIGKILL! Perhaps out of memory?",
    "payment {number} of customer {number} was refused by the bank with code {number}",
    "payment {number} of customer {number} was refused by the fraud check with score {number}",
    "order {id} can't be shipped: {number} of {number} items are missing",
    "user {email} failed to log in from {ip}: wrong password",
    "user {email} failed to log in from {ip}: account is locked until {time}",
    "invoice {id} sent twice, first at {time}",
    "retry {number} of {number} for {url} in {duration}: status {number}",
    "cache miss rate {number}% is above {number}%",
    "lock on {path} is held by process {number} since {time}",
    "cannot write {path}: disk quota exceeded, {number} bytes needed",
    "webhook {url} answered {number}; giving up after {number} attempts",
    "session {hex} expired after {number} minutes",
    "import of {path} stopped at line {number}: column {quoted} is empty",
    "currency {bare} is not supported for merchant {id}",
    "config reloaded from {path} at revision {revision}",
)

_SYLLABLES = ("ka", "lo", "mi", "ter", "ven", "su", "ro", "pa", "ne", "dal")


def messages(seed: int, per_form: int) -> list[tuple[str, str]]:
    """Messages in random order, each with its form."""
    random_ = random.Random(seed)
    made = [(_filled(form, random_), form) for form in FORMS for _ in range(per_form)]
    random_.shuffle(made)
    return made


def _filled(form: str, random_: random.Random) -> str:
    text, found = "", form
    while found:
        before, opening, rest = found.partition("{")
        text += before
        if not opening:
            break
        name, _, found = rest.partition("}")
        text += _VALUES[name](random_)
    return text


def _name(random_: random.Random) -> str:
    return "".join(random_.choices(_SYLLABLES, k=random_.randint(2, 4)))


def _hexadecimal(random_: random.Random, digits: int) -> str:
    return "".join(random_.choices("0123456789abcdef", k=digits))


def _time(random_: random.Random) -> str:
    day, hour = random_.randint(1, 28), random_.randint(0, 23)
    return f"2026-11-{day:02d}T{hour:02d}:{random_.randint(0, 59):02d}:{random_.randint(0, 59):02d}Z"


def _path(random_: random.Random) -> str:
    return f"/{'/'.join(_name(random_) for _ in range(random_.randint(1, 4)))}/{_name(random_)}.csv"


def _ip(random_: random.Random) -> str:
    return ".".join(str(random_.randint(1, 254)) for _ in range(4))


def _pod(random_: random.Random) -> str:
    signs = "bcdfghjklmnpqrstvwxz2456789"
    return f"{_name(random_)}-{''.join(random_.choices(signs, k=9))}-{''.join(random_.choices(signs, k=5))}"


def _uuid(random_: random.Random) -> str:
    return "-".join(_hexadecimal(random_, digits) for digits in (8, 4, 4, 4, 12))


_VALUES: Final[dict[str, Callable[[random.Random], str]]] = {
    "bare": _name,
    "duration": lambda random_: random_.choice(
        (f"{random_.randint(1, 99)}ms", f"{random_.random() * 9:.2f}s", "1m30s")
    ),
    "email": lambda random_: f"{_name(random_)}.{_name(random_)}@{_name(random_)}.example",
    "hex": lambda random_: f"0x{_hexadecimal(random_, 12)}",
    "host": lambda random_: f"{_name(random_)}-{random_.randint(1, 40)}.{_name(random_)}.example",
    "id": lambda random_: "".join(random_.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=10)),
    "ip": _ip,
    "number": lambda random_: str(random_.randint(0, 10 ** random_.randint(1, 9))),
    "path": _path,
    "pod": _pod,
    "port": lambda random_: str(random_.randint(1024, 65535)),
    "quoted": lambda random_: (
        f'"{_name(random_)} {_path(random_)}"' if random_.getrandbits(1) else f"'{_name(random_)}'"
    ),
    "revision": lambda random_: _hexadecimal(random_, 7),
    "time": _time,
    "topic": _name,
    "url": lambda random_: f"https://{_name(random_)}.example/v1{_path(random_)}?page={random_.randint(1, 99)}",
    "uuid": _uuid,
}

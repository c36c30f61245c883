"""What the accounts service answers: `sign_up`, `log_in`."""

import hashlib
import hmac
import secrets

from prometheus_client import CollectorRegistry, Counter
from reference_system.faults import Faults
from reference_system.program import Unavailable

from tournaments.database import Connection, Database
from tournaments.messaging.asking import Question, Reply
from tournaments.service import Parts, Service
from tournaments.settings import ServiceSettings
from tournaments.tokens import User, issue, read_secret

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    name text PRIMARY KEY,
    role text NOT NULL,
    salt bytea NOT NULL,
    hash bytea NOT NULL,
    blocked boolean NOT NULL DEFAULT false
)
"""
# What a demo's two cores can bear; OWASP's number for production is 600,000 (Password Storage Cheat Sheet, PBKDF2).
_ROUNDS = 20_000
_ROLES = ("player", "organizer")
_WRONG = Reply(401, {"detail": "name or password is wrong"})


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)


class Accounts:
    """Users in a database."""

    def __init__(self, database: Database, secret: str, registry: CollectorRegistry) -> None:
        self._database = database
        self._secret = secret
        self._log_ins = Counter("tournaments_log_ins", "Attempts to log in.", ["outcome"], registry=registry)
        for outcome in ("ok", "wrong", "blocked"):
            self._log_ins.labels(outcome)

    def sign_up(self, question: Question) -> Reply:
        """A new user; 409 where the name is somebody's."""
        given = question.arguments
        name, password, role = str(given["name"]), str(given["password"]), str(given.get("role", "player"))
        if role not in _ROLES or not name or not password:
            return Reply(422, {"detail": f"a user has a name, a password and a role of {', '.join(_ROLES)}"})
        salt = secrets.token_bytes(16)
        values = (name, role, salt, _hash(password, salt))

        def insert(connection: Connection) -> int:
            statement = "INSERT INTO users (name, role, salt, hash) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
            return connection.execute(statement, values).rowcount

        is_new = self._database.run(insert) == 1
        return Reply(201, {"name": name}) if is_new else Reply(409, {"detail": "that name is taken"})

    def log_in(self, question: Question) -> Reply:
        """A token; 401 where it isn't them, 403 where they are blocked."""
        name, password = str(question.arguments["name"]), str(question.arguments["password"])
        statement = "SELECT role, salt, hash, blocked FROM users WHERE name = %s"
        found = self._database.run(lambda connection: connection.execute(statement, (name,)).fetchone())
        if found is None or not hmac.compare_digest(_hash(password, found[1]), found[2]):
            self._log_ins.labels("wrong").inc()
            return _WRONG
        if found[3]:
            self._log_ins.labels("blocked").inc()
            return Reply(403, {"detail": "this user is blocked"})
        self._log_ins.labels("ok").inc()
        return Reply(201, {"token": issue(User(name, found[0]), self._secret)})


def _parts(settings: ServiceSettings, database: Database, _: Faults, registry: CollectorRegistry) -> Parts:
    try:
        secret = read_secret(settings.secret_file)
    except OSError as error:
        raise Unavailable(f"the secret {settings.secret_file} can't be read: {error.strerror}") from error
    accounts = Accounts(database, secret, registry)
    return Parts({"sign_up": accounts.sign_up, "log_in": accounts.log_in})


SERVICE = Service("accounts", _SCHEMA, (), _parts)

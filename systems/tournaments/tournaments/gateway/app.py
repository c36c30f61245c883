"""The API that users use."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Path, Query
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter
from pydantic import AfterValidator, BaseModel, Field
from reference_system.disturbance import Disturbance
from reference_system.failures import TRY_LATER, Answer, log_failures

from tournaments.gateway.cache import Cache
from tournaments.messaging.asking import Asking, NoReply, Reply
from tournaments.messaging.link import BrokerGone
from tournaments.tokens import TokenRefused, User, verify

_LIST_SECONDS, _ONE_SECONDS = 2, 5
_LIST = "tournaments"


class SeatingPlanBroken(Exception):  # noqa: N818 - reads as what happened
    """What is broken while the fault `errors` is on."""


_ANSWERS = {
    NoReply: Answer(504, "the service did not answer in time"),
    BrokerGone: TRY_LATER,
    SeatingPlanBroken: Answer(500, "that failed"),
}


def break_seating_plan() -> None:
    """What the fault `errors` does to a request."""
    raise SeatingPlanBroken("the seating plan can't be drawn")


def _storable(text: str) -> str:
    """PostgreSQL's texts have no NUL: a service could only fail."""
    if "\0" in text:
        raise ValueError("NUL can't be in a text")
    return text


def _known(tournament_id: Annotated[str, Path()]) -> str:
    """A tournament's id. Raises HTTPException: none has such an id."""
    if "\0" in tournament_id:
        raise HTTPException(404, "there is no such tournament")
    return tournament_id


Text = Annotated[str, AfterValidator(_storable)]
TournamentId = Annotated[str, Depends(_known)]


class Credentials(BaseModel):
    """Who somebody says they are."""

    name: Text = Field(min_length=1, max_length=100)
    password: Text = Field(min_length=1, max_length=200)


class NewUser(Credentials):
    """Somebody who signs up."""

    role: str = "player"


class NewTournament(BaseModel):
    """A tournament to be."""

    name: Text = Field(min_length=1, max_length=200)
    capacity: int = Field(gt=0, le=100_000)


class Gateway:
    """Tokens, questions and the cache, as the routes use them."""

    def __init__(
        self,
        asking: Asking,
        cache: Cache,
        secret: Callable[[], str],
        within_seconds: float,
        registry: CollectorRegistry,
    ) -> None:
        self._asking = asking
        self._secret = secret
        self._within_seconds = within_seconds
        self.cache = cache
        self._tokens = Counter("tokens_checked", "Tokens that were looked at.", ["outcome"], registry=registry)
        for outcome in ("ok", "missing", "expired", "forged", "malformed"):
            self._tokens.labels(outcome)

    def user(self, authorization: Annotated[str, Header()] = "") -> User:
        """Who asks; 401 where that isn't known."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            self._tokens.labels("missing").inc()
            raise HTTPException(401, "a token is missing", headers={"www-authenticate": "Bearer"})
        try:
            found = verify(token.strip(), self._secret())
        except TokenRefused as error:
            self._tokens.labels(error.reason).inc()
            raise HTTPException(401, str(error), headers={"www-authenticate": "Bearer"}) from error
        self._tokens.labels("ok").inc()
        return found

    def ask(self, service: str, action: str, **arguments: Any) -> Reply:
        """The service's reply. Raises NoReply, BrokerGone."""
        return self._asking.ask(service, action, arguments, self._within_seconds)

    def read(self, key: str, seconds: int, service: str, action: str, **arguments: Any) -> Reply:
        """The same, from the cache where it is kept. Raises NoReply, BrokerGone."""
        kept = self.cache.get(key)
        if kept is not None:
            return Reply(200, kept)
        reply = self.ask(service, action, **arguments)
        if reply.status == 200:  # noqa: PLR2004 - as HTTP has it
            self.cache.put(key, reply.body, seconds)
        return reply


def create_app(gateway: Gateway, disturbance: Disturbance) -> FastAPI:
    """The API."""
    app = FastAPI(title="Tournaments", version="1.0.0")
    log_failures(app, _ANSWERS)
    app.include_router(_people(gateway), dependencies=[Depends(disturbance)])
    app.include_router(_tournaments(gateway), dependencies=[Depends(disturbance)])

    @app.get("/health")
    async def health() -> Mapping[str, str]:
        return {"status": "ok"}

    return app


def _told(reply: Reply) -> JSONResponse:
    if reply.status >= 400:  # noqa: PLR2004 - logged and counted as every failure is
        raise HTTPException(reply.status, str(reply.body.get("detail", "that failed")))
    return JSONResponse(dict(reply.body), status_code=reply.status)


# Plain functions run in a pool of threads: a service may let them wait.
def _people(gateway: Gateway) -> APIRouter:
    router = APIRouter()

    @router.post("/users", status_code=201)
    def sign_up(new: NewUser) -> JSONResponse:
        return _told(gateway.ask("accounts", "sign_up", **new.model_dump()))

    @router.post("/tokens", status_code=201)
    def log_in(who: Credentials) -> JSONResponse:
        return _told(gateway.ask("accounts", "log_in", **who.model_dump()))

    @router.get("/tickets")
    def own_tickets(user: Annotated[User, Depends(gateway.user)]) -> JSONResponse:
        return _told(gateway.ask("tickets", "of_user", owner=user.name))

    return router


def _tournaments(gateway: Gateway) -> APIRouter:
    router = APIRouter(prefix="/tournaments")

    @router.get("")
    def newest(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> JSONResponse:
        return _told(gateway.read(f"{_LIST}:{limit}", _LIST_SECONDS, "catalogue", "newest", limit=limit))

    @router.get("/{tournament_id}")
    def one(tournament_id: TournamentId) -> JSONResponse:
        return _told(gateway.read(f"tournament:{tournament_id}", _ONE_SECONDS, "catalogue", "one", id=tournament_id))

    @router.post("", status_code=201)
    def create(new: NewTournament, user: Annotated[User, Depends(gateway.user)]) -> JSONResponse:
        if user.role != "organizer":
            raise HTTPException(403, "only organizers make tournaments")
        return _told(gateway.ask("catalogue", "create", **new.model_dump()))

    @router.post("/{tournament_id}/tickets", status_code=201)
    def buy(tournament_id: TournamentId, user: Annotated[User, Depends(gateway.user)]) -> JSONResponse:
        reply = gateway.ask("tickets", "buy", tournament=tournament_id, owner=user.name)
        gateway.cache.forget(f"tournament:{tournament_id}")
        return _told(reply)

    return router

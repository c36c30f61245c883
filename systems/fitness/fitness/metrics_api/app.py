"""The API that answers from aggregations, and says which events are stored."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from reference_system.disturbance import Disturbance
from reference_system.failures import TRY_LATER, log_failures

from fitness.database import StoreUnavailable
from fitness.events import Event
from fitness.metrics_store import MetricsStore
from fitness.program import add_health
from fitness.tokens import Bearer

Days = Annotated[int, Query(ge=1, le=366, description="Days, today included; days are UTC's.")]


class DayOfLogIns(BaseModel):
    """Log-ins of one day."""

    day: date
    log_ins: int
    users: int


class DayOfTrainings(BaseModel):
    """Trainings of one type on one day."""

    day: date
    type: str
    trainings: int
    minutes: int


class Blocked(BaseModel):
    """Users that are blocked now."""

    users: int


class Asked(BaseModel):
    """Events of which is asked whether they are stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=1000)]


class Given(BaseModel):
    """Events that come past the queue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: Annotated[list[Event], Field(max_length=1000)]


class New(BaseModel):
    """How many of them weren't stored yet."""

    new: int


class Stored(BaseModel):
    """Those that are, and since when."""

    stored: dict[str, AwareDatetime]


def create_app(store: MetricsStore, bearer: Bearer, disturbance: Disturbance) -> FastAPI:
    """The API over its store; reports need a token, other services of the system don't come by the ingress."""
    app = FastAPI(title="Fitness: metrics", version="1.0.0")
    log_failures(app, {StoreUnavailable: TRY_LATER})
    app.include_router(_reports(store), dependencies=[Depends(disturbance), Depends(bearer)])

    @app.post("/events/stored")
    def stored(asked: Asked) -> Stored:
        return Stored(stored=dict(store.stored(asked.ids)))

    @app.post("/events")
    def store_events(given: Given) -> New:
        return New(new=store.add(given.events))

    add_health(app)
    return app


def _reports(store: MetricsStore) -> APIRouter:
    router = APIRouter(prefix="/reports")

    # Plain functions run in a pool of threads: the database may block.
    @router.get("/log-ins")
    def log_ins(days: Days = 7) -> list[DayOfLogIns]:
        found = store.log_ins(_since(days))
        return [DayOfLogIns(day=each.day, log_ins=each.log_ins, users=each.users) for each in found]

    @router.get("/trainings")
    def trainings(days: Days = 7) -> list[DayOfTrainings]:
        return [
            DayOfTrainings(day=each.day, type=each.type, trainings=each.trainings, minutes=each.minutes)
            for each in store.trainings(_since(days))
        ]

    @router.get("/blocked-users")
    def blocked_users() -> Blocked:
        return Blocked(users=store.blocked_users())

    return router


def _since(days: int) -> datetime:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days - 1)

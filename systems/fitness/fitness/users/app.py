"""The users API."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from reference_system.disturbance import Disturbance
from reference_system.failures import TRY_LATER, log_failures

from fitness.database import StoreUnavailable
from fitness.events import Kind, Training
from fitness.program import add_health
from fitness.tokens import LIFE_SECONDS, Bearer, Claims
from fitness.users.accounts import Account, Accounts, StoredTraining
from fitness.users.business import Business
from fitness.users.passwords import hashed, matches

_NO_TRAINING = "the account is blocked, or gone"


class Credentials(BaseModel):
    """Who somebody says to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]
    password: Annotated[str, Field(min_length=8, max_length=100)]


class SignedUp(BaseModel):
    """Answer to a sign-up."""

    id: str


class Session(BaseModel):
    """Answer to a log-in."""

    token: str
    user: str
    expires_in_seconds: int = LIFE_SECONDS


class Blocking(BaseModel):
    """Whether an account may log in."""

    id: str
    blocked: bool


class TrainingAnswer(BaseModel):
    """A training."""

    id: str
    type: str
    minutes: int
    at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API stands on."""

    accounts: Accounts
    business: Business
    issue: Callable[[Claims], str]
    bearer: Bearer
    disturbance: Disturbance


def create_app(parts: Parts) -> FastAPI:
    """The API over its parts."""
    app = FastAPI(title="Fitness: users", version="1.0.0")
    log_failures(app, {StoreUnavailable: TRY_LATER})
    disturbed = [Depends(parts.disturbance)]
    app.include_router(_accounts(parts), dependencies=disturbed)
    app.include_router(_blocking(parts), dependencies=disturbed)
    app.include_router(_trainings(parts), dependencies=disturbed)
    add_health(app)
    return app


def _accounts(parts: Parts) -> APIRouter:
    router = APIRouter()

    # Plain functions run in a pool of threads: the database may block, and hashes take their time.
    @router.post("/users", status_code=201)
    def sign_up(new: Credentials) -> SignedUp:
        account_id = uuid.uuid4().hex
        event = parts.business.event("signed-up", account_id)
        if not parts.accounts.sign_up(account_id, new.name, hashed(new.password), event):
            raise HTTPException(409, "the name is taken")
        parts.business.has_happened("signed-up")
        return SignedUp(id=account_id)

    @router.post("/sessions", status_code=201)
    def log_in(given: Credentials) -> Session:
        account = _may_log_in(parts, given)
        parts.accounts.log_in(parts.business.event("logged-in", account.id))
        parts.business.has_happened("logged-in")
        return Session(token=parts.issue(Claims(account.id, account.role)), user=account.id)

    return router


def _may_log_in(parts: Parts, given: Credentials) -> Account:
    account = parts.accounts.named(given.name)
    if account is None or not matches(given.password, account.password):
        parts.business.log_in_refused("wrong_password")
        raise HTTPException(401, "name or password is wrong")
    if account.blocked:
        parts.business.log_in_refused("blocked")
        raise HTTPException(403, "the account is blocked")
    return account


def _blocking(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/users/{user_id}/block")

    def change(user_id: str, claims: Claims, *, blocked: bool) -> Blocking:
        if claims.role != "admin":
            raise HTTPException(403, "administrators only")
        account = parts.accounts.with_id(user_id)
        if account is None:
            raise HTTPException(404, "there is no such user")
        if account.role == "admin":
            raise HTTPException(409, "administrators can't be blocked: nobody could let them in again")
        kind: Kind = "blocked" if blocked else "unblocked"
        if parts.accounts.block(user_id, parts.business.event(kind, user_id), blocked=blocked):
            parts.business.has_happened(kind)
        return Blocking(id=user_id, blocked=blocked)

    @router.put("")
    def block(user_id: str, claims: Annotated[Claims, Depends(parts.bearer)]) -> Blocking:
        return change(user_id, claims, blocked=True)

    @router.delete("")
    def unblock(user_id: str, claims: Annotated[Claims, Depends(parts.bearer)]) -> Blocking:
        return change(user_id, claims, blocked=False)

    return router


def _trainings(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/trainings")

    @router.post("", status_code=201)
    def create(training: Training, claims: Annotated[Claims, Depends(parts.bearer)]) -> TrainingAnswer:
        stored = StoredTraining(uuid.uuid4().hex, datetime.now(UTC), training)
        event = parts.business.event("training-created", claims.user, training)
        if not parts.accounts.add_training(claims.user, stored, event):
            raise HTTPException(403, _NO_TRAINING)
        parts.business.has_happened("training-created", training)
        return _answer(stored)

    @router.get("")
    def newest(
        claims: Annotated[Claims, Depends(parts.bearer)], limit: Annotated[int, Query(ge=1, le=200)] = 20
    ) -> list[TrainingAnswer]:
        return [_answer(each) for each in parts.accounts.trainings(claims.user, limit)]

    return router


def _answer(stored: StoredTraining) -> TrainingAnswer:
    return TrainingAnswer(id=stored.id, type=stored.training.type, minutes=stored.training.minutes, at=stored.at)

"""The page, which is a question in its address, and the same for machines."""

import difflib
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from sereno_portal.charts import Chart
from sereno_portal.gateway import History, Replay, Replayed, Source
from sereno_portal.pages.backtest.jobs import Busy, Job, Jobs
from sereno_portal.pages.backtest.views import CHARTS, STEPS, Answer, answer_of, choices, chosen
from sereno_portal.portal import Portal
from sereno_portal.web.access import is_foreign
from sereno_portal.web.described import refusals
from sereno_portal.web.languages import said
from sereno_portal.web.preferences import preferences_of
from sereno_portal.web.rendering import page

USUAL_DAYS = 7
_MOST_DAYS = 30
_MINUTE_SECONDS = 60
_NEAREST = 3

Slo = Annotated[str, Query(max_length=300, description="`service/slo`.")]
Days = Annotated[int, Query(ge=1, le=_MOST_DAYS)]
Objective = Annotated[float, Query(ge=50, le=99.999, description="In percent.")]


class ChartName(StrEnum):
    """What is drawn."""

    BUDGET = "budget"
    ERRORS = "errors"


def router(portal: Portal) -> APIRouter:
    """The page and its JSON."""
    routes = APIRouter()
    history = History(portal.configuration.prometheus)

    def work(question: Replay) -> Replayed:
        end_ms = int(portal.clock().timestamp()) // _MINUTE_SECONDS * _MINUTE_SECONDS * 1000
        return history.replay(question, end_ms)

    jobs = Jobs(work)

    @routes.get("/backtest", include_in_schema=False)
    def backtest_page(
        request: Request,
        slo: Slo = "",
        days: Days = USUAL_DAYS,
        objective: Objective | None = None,
        source: Source = Source.RECORDED,
    ) -> Response:
        question = None if not slo else _question(portal, slo, days=days, objective=objective, source=source)
        # A page of another origin can lead here, but only a button of ours begins what takes minutes.
        job = None if question is None else jobs.find(question) if is_foreign(request) else _begun(jobs, question)
        return page(
            request,
            "backtest.html.j2",
            choices=choices(portal.catalogue),
            slo=slo,
            days=days,
            source=source,
            most_days=_MOST_DAYS,
            steps=STEPS,
            objective=None if question is None else question.objective_percent,
            asked=None if job is None else answer_of(job),
        )

    @routes.post("/api/v1/backtests", status_code=HTTPStatus.ACCEPTED, responses=refusals(403, 429))
    def ask(
        request: Request,
        slo: Slo,
        days: Days = USUAL_DAYS,
        objective: Objective | None = None,
        source: Source = Source.RECORDED,
    ) -> Answer:
        """Begin a backtest, or find the one of the last ten minutes; without an objective with the present one."""
        if is_foreign(request):
            raise HTTPException(HTTPStatus.FORBIDDEN, "web pages of another origin may not post here")
        return answer_of(_begun(jobs, _question(portal, slo, days=days, objective=objective, source=source)))

    @routes.get("/api/v1/backtests/{backtest}")
    def told(backtest: str) -> Answer:
        """How far it is, and what came of it."""
        return answer_of(_known(jobs, backtest))

    @routes.get("/api/v1/backtests/{backtest}/charts/{chart}")
    def drawn(request: Request, backtest: str, chart: ChartName) -> Chart:
        """What came of it, as a picture; its words are in the language of who asks."""
        answer = _known(jobs, backtest).answer
        if answer is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "it isn't done")
        return CHARTS[chart](answer, partial(said, language=preferences_of(request).language))

    return routes


def _question(portal: Portal, name: str, *, days: int, objective: float | None, source: Source) -> Replay:
    catalogue = portal.catalogue
    slo = chosen(catalogue, name)
    if slo is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, _unknown(name, [each.name for each in choices(catalogue)]))
    percent = slo.objective_percent if objective is None else objective
    return Replay(slo, catalogue.settings, days, percent, source)


def _begun(jobs: Jobs, question: Replay) -> Job:
    try:
        return jobs.ask(question)
    except Busy as error:
        raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, str(error)) from error


def _known(jobs: Jobs, name: str) -> Job:
    job = jobs.get(name)
    if job is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, "there is no such backtest, or none any more: they are kept ten minutes"
        )
    return job


def _unknown(name: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=_NEAREST, cutoff=0.4)
    told = f"; do you mean {' or '.join(nearest)}?" if nearest else ""
    return f"there is no SLO {name[:100]!r} that can be replayed{told}"

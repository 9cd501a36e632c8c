"""The routes of the service."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from hmgpu.app.service.basket_desk import BasketDesk
from hmgpu.app.service.bodies import (
    MOST_EXCLUDED,
    MOST_K,
    Customers,
    Explained,
    ForBasket,
    Health,
    Lists,
    Neighbours,
    Proposal,
    Recommended,
    SentBasket,
    Similar,
    Why,
    problems,
)
from hmgpu.app.service.gate import BUG, Gate
from hmgpu.app.service.metrics import Metrics
from hmgpu.app.service.served import Current, Served
from hmgpu.core.errors import BusyError, DataError, HmgpuError
from hmgpu.core.version import VERSION
from hmgpu.pipeline.explain import Reason

K = Annotated[int | None, Query(ge=1, le=MOST_K, description="How many articles; without it all of a list.")]
Exclude = Annotated[list[str], Query(max_length=MOST_EXCLUDED, description="An article that must not be in the list.")]
By = Annotated[str | None, Query(description="The space of vectors; without it the first that knows the article.")]
STATUS = {DataError: 422, BusyError: 503}


def service(current: Current, token: str | None = None) -> ASGIApp:
    """Return the service over the run that is `current`; with a `token`, who has it alone is answered."""
    metrics, desk = Metrics(current.served), BasketDesk()
    current.swapped = metrics.loaded

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        current.start()
        desk.start()
        yield
        current.stop()
        desk.stop()

    app = FastAPI(
        title="hmgpu",
        version=VERSION,
        summary="Lists of articles for customers and baskets, from the current run.",
        lifespan=running,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        responses=problems(401, 422, 500),
    )

    @app.get("/recommendations/{customer:path}", summary="A customer's list")
    async def recommendations(customer: str, k: K = None, exclude: Exclude = []) -> Recommended:  # noqa: B006
        served = current.served
        return _list(served, customer, _length(served, k), frozenset(exclude))

    @app.post("/recommendations", summary="The lists of several customers", responses=problems(413))
    async def lists(asked: Customers) -> Lists:
        served = current.served
        k, exclude = _length(served, asked.k), frozenset(asked.exclude)
        return Lists(run=served.name, recommendations=[_list(served, each, k, exclude) for each in asked.customers])

    @app.post("/basket", summary="The list for purchases", responses=problems(413, 503))
    async def basket(sent: SentBasket) -> ForBasket:
        served = current.served
        if served.baskets is None:
            raise HTTPException(503, served.without_baskets)
        k, asked = _length(served, sent.k), sent.basket()
        served.baskets.check(asked)
        found = await asyncio.wrap_future(desk.ask(served, asked))
        reasons = _reasons(found.reasons[:k])
        unknown = found.unknown_articles
        return ForBasket(run=served.name, articles=found.articles[:k], unknown_articles=unknown, reasons=reasons)

    @app.get("/explain/{customer:path}", summary="Why a customer's list is what it is", responses=problems(503))
    async def explain(customer: str, k: K = None) -> Explained:
        served = current.served
        if served.baskets is None:
            raise HTTPException(503, served.without_baskets)
        length, work = _length(served, k), partial(served.baskets.explain, served.clean(customer))
        reasons = await asyncio.wrap_future(desk.do(work))
        return Explained(run=served.name, customer=customer, reasons=_reasons(reasons[:length]))

    @app.get("/similar/{article:path}", summary="The articles nearest to an article")
    async def similar(article: str, k: K = None, by: By = None) -> Neighbours:
        served = current.served
        space, found = served.spaces.nearest(article, k or served.lists.k, by)
        near = [Similar(article=each, cosine=round(cosine, 6)) for each, cosine in found]
        return Neighbours(run=served.name, article=article, by=space, similar=near)

    @app.get("/health", summary="What is served")
    async def health() -> Health:
        served, problem = current.served, current.problem
        return Health(
            status="ok" if problem is None else "stale",
            run=served.name,
            since=datetime.fromtimestamp(served.since, UTC).isoformat(timespec="seconds"),
            customers=len(served.lists.ids),
            spaces=list(served.spaces.by_name),
            baskets=served.without_baskets or "ok",
            problem=problem,
        )

    @app.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
    async def figures() -> PlainTextResponse:
        return PlainTextResponse(metrics.text())

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        said = "; ".join(_problem(each["loc"], each["msg"]) for each in error.errors()[:3])
        return JSONResponse({"error": f"{said}."}, 422)

    @app.exception_handler(HmgpuError)
    async def refused(_: Request, error: HmgpuError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, STATUS.get(type(error), 503))

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:  # which the gate logs
        return JSONResponse({"error": BUG}, 500)

    @app.exception_handler(HTTPException)
    async def wrong(_: Request, error: HTTPException) -> JSONResponse:
        said = {404: "There is no such address: /openapi.json lists those that there are."}
        return JSONResponse({"error": said.get(error.status_code, str(error.detail))}, error.status_code)

    return Gate(app, metrics, token)


def _list(served: Served, customer: str, k: int, exclude: frozenset[str]) -> Recommended:
    articles, known = served.lists.of(served.clean(customer), k, exclude)
    return Recommended(run=served.name, customer=customer, known=known, articles=articles)


def _reasons(reasons: Sequence[Reason]) -> list[Why]:
    return [
        Why(
            article=each.article_id,
            sentence=each.sentence,
            retrievers=[Proposal(retriever=name, rank=rank, score=by) for name, (rank, by) in each.retrievers.items()],
            contributions={stage: dict(parts) for stage, parts in each.contributions.items()},
        )
        for each in reasons
    ]


def _length(served: Served, k: int | None) -> int:
    longest = served.lists.k
    if k is not None and k > longest:
        raise DataError(f"k is {k}: lists have {longest} articles (lists.k), so it must be 1 to {longest}.")
    return k or longest


def _problem(where: tuple[str | int, ...], message: str) -> str:
    if where == ("body",) or message == "JSON decode error":
        return (
            "The body is not JSON with Content-Type: application/json, or is not an object with the keys that are asked"
        )
    place = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in where[1:]).lstrip(".")
    return f"{place or where[0]}: {message[:1].lower()}{message[1:]}"

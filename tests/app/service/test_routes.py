"""What the service answers, over a hand-made run and over a small real one."""

import json
import re

import polars as pl
import pytest
from fastapi.testclient import TestClient
from kit import files_in
from prometheus_client.parser import text_string_to_metric_families
from small_run import BEST_SELLERS, CPU, listed
from small_world import article_id, customer_id

from hmgpu.app.service.bodies import Customers, SentBasket
from hmgpu.app.service.gate import BODY, read_token
from hmgpu.app.service.routes import service
from hmgpu.app.service.served import Current
from hmgpu.core.errors import ConfigError
from hmgpu.pipeline.open import open_pipeline
from hmgpu.serving.baskets import Baskets

RUN = "2020-09-22-abcdef01"


@pytest.fixture(scope="module")
def real(finished) -> Current:
    """A run of few parts with its data set, so that there are baskets."""
    return Current(open_pipeline(finished, CPU).run.folder)


def test_a_customers_list(client):
    found = client.get(f"/recommendations/{customer_id(3)}?k=4&exclude={listed(3)[1]}")
    assert found.status_code == 200
    articles = [listed(3)[place] for place in (0, 2, 3, 4)]
    assert found.json() == {"run": RUN, "customer": customer_id(3), "known": True, "articles": articles}
    assert client.get("/recommendations/a%2Fb%20c").json() == {
        "run": RUN,
        "customer": "a/b c",
        "known": False,
        "articles": BEST_SELLERS,
    }


def test_lists_come_in_the_order_that_was_asked_for(client):
    asked = [customer_id(7), "nobody", customer_id(1), customer_id(7)]
    found = client.post("/recommendations", json={"customers": asked, "k": 2}).json()
    assert [each["customer"] for each in found["recommendations"]] == asked
    expected = [listed(7)[:2], BEST_SELLERS[:2], listed(1)[:2], listed(7)[:2]]
    assert [each["articles"] for each in found["recommendations"]] == expected


def test_similar_articles(client):
    found = client.get(f"/similar/{article_id(4)}?k=2").json()
    near = [{"article": article_id(each), "cosine": 1.0} for each in (1, 2)]
    assert found == {"run": RUN, "article": article_id(4), "by": "als", "similar": near}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        (
            "GET",
            "/recommendations/x?k=13",
            None,
            422,
            "k is 13: lists have 12 articles (lists.k), so it must be 1 to 12.",
        ),
        ("GET", "/recommendations/x?k=0", None, 422, "k: input should be greater than or equal to 1."),
        ("GET", "/recommendations/x?k=many", None, 422, "k: input should be a valid integer, unable to parse"),
        ("GET", "/nothing", None, 404, "There is no such address"),
        ("DELETE", "/basket", None, 405, "Method Not Allowed"),
        ("POST", "/recommendations", {"customers": []}, 422, "customers: list should have at least 1 item"),
        ("POST", "/recommendations", {"customers": ["a"], "kk": 1}, 422, "kk: extra inputs are not permitted."),
        ("POST", "/recommendations", None, 422, "The body is not JSON"),
        ("POST", "/recommendations", b"{", 422, "The body is not JSON"),
        ("POST", "/recommendations", [], 422, "or is not an object"),
        (
            "POST",
            "/recommendations",
            {"customers": ["a"] * 1001},
            422,
            "customers: list should have at most 1000 items",
        ),
        (
            "POST",
            "/basket",
            {"purchases": [{"article": ""}]},
            422,
            "purchases[0].article: string should have at least 1",
        ),
        ("POST", "/basket", {}, 503, "data.root"),
        ("GET", "/similar/x", None, 422, "article 'x' is not in the run"),
        ("GET", f"/similar/{article_id(1)}?by=x", None, 422, "'x' is not a space of vectors: there are als."),
    ],
)
def test_problems_are_sentences(client, method, path, body, status, says):
    sent = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    found = client.request(method, path, **sent)
    assert found.status_code == status
    assert set(found.json()) == {"error"}
    if status != 503:  # why there are no baskets
        assert says in found.json()["error"]
    assert "Traceback" not in found.text


def test_a_large_body_is_refused_whatever_its_header_says(client):
    large = b" " * (BODY + 1)
    assert client.post("/basket", content=large).status_code == 413
    in_pieces = client.post("/basket", content=iter([large[: BODY // 2]] * 3))
    assert in_pieces.status_code == 413
    assert "larger than 1024 KiB" in in_pieces.json()["error"]


def test_a_bug_is_a_sentence_and_the_service_goes_on(current, monkeypatch, caplog):
    with TestClient(service(current)) as client:
        monkeypatch.setattr("hmgpu.serving.held_lists.HeldLists.of", lambda *_: 1 / 0)
        found = client.get("/recommendations/x")
        assert found.status_code == 500
        assert found.json() == {"error": "Something went wrong in the service: its log has more."}
        assert "ZeroDivisionError" in caplog.text
        assert client.get("/health").status_code == 200


def test_a_token_is_asked_for(current, tmp_path):
    file = tmp_path / "token"
    file.write_text("0123456789abcdef\n")
    with TestClient(service(current, read_token(file))) as client:
        for headers in ({}, {"Authorization": "Bearer 0123456789abcdeF"}, {"Authorization": "0123456789abcdef"}):
            refused = client.get("/recommendations/x", headers=headers)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == "Bearer"
            assert "Authorization: Bearer TOKEN" in refused.json()["error"]
        assert client.get("/metrics").status_code == 401
        assert client.get("/health").status_code == 200
        right = {"Authorization": "Bearer 0123456789abcdef"}
        assert client.get("/recommendations/x", headers=right).status_code == 200


@pytest.mark.parametrize("content", [b"", b"short", b"two words of a token", "ünïcödé-tokens-too".encode()])
def test_what_is_no_token_is_refused(tmp_path, content):
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigError, match="--token-file: "):
        read_token(tmp_path / "token")


def test_figures_are_by_route_not_by_customer(client):
    for customer in range(3):
        client.get(f"/recommendations/{customer_id(customer)}")
    client.get("/nothing")
    figures = {
        (sample.name, sample.labels.get("route"), sample.labels.get("status"), sample.labels.get("run")): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }
    assert figures["hmgpu_requests_total", "/recommendations/{customer:path}", "200", None] == 3
    assert figures["hmgpu_requests_total", "other", "404", None] == 1
    assert figures["hmgpu_run", None, None, RUN] == 1


def test_other_origins_are_not_let_in(client):
    found = client.get("/health", headers={"Origin": "https://elsewhere.example"})
    assert not any(name.startswith("access-control") for name in found.headers)


def test_the_description_has_examples_that_hold(client):
    page = client.get("/openapi.json").json()
    assert set(page["paths"]) == {
        "/recommendations/{customer}",
        "/recommendations",
        "/basket",
        "/similar/{article}",
        "/explain/{customer}",
        "/health",
        "/metrics",
    }
    for model in (Customers, SentBasket):
        for example in page["components"]["schemas"][model.__name__]["examples"]:
            model.model_validate_json(json.dumps(example))
    assert client.get("/docs").status_code == 404


def test_a_basket_over_http_gives_the_batchs_list(real, finished):
    before = files_in(finished.runs)
    baskets = real.served.baskets
    assert isinstance(baskets, Baskets)
    store, lists = baskets.run.context.store, real.served.lists
    history = store.as_of(store.next_week.first_day).transactions.collect()
    buyers = history["customer"].unique().sort().gather_every(97)[:8]
    ids = dict(zip(lists.customers.tolist(), lists.ids, strict=True))
    with TestClient(service(real)) as client:
        assert client.get("/health").json()["baskets"] == "ok"
        for buyer in buyers:
            bought = [
                {
                    "article": lists.article_ids[row["article"]],
                    "day": str(pl.Series([row["day"]]).cast(pl.Date)[0]),
                    "price": row["price"] / 59000,
                    "channel": str(row["channel"] + 1),
                }
                for row in history.filter(pl.col("customer") == buyer).iter_rows(named=True)
            ]
            found = client.post("/basket", json={"customer": ids[buyer], "purchases": bought})
            assert found.status_code == 200, found.text
            assert found.json()["articles"] == client.get(f"/recommendations/{ids[buyer]}").json()["articles"]
        priceless = client.post("/basket", json={"purchases": [{"article": lists.article_ids[0]}]})
        assert priceless.status_code == 422
        assert re.match(r"purchases\[0\] has no price", priceless.json()["error"])
        why = client.get(f"/explain/{ids[buyer]}?k=5").json()
        assert [each["article"] for each in why["reasons"]] == found.json()["articles"][:5]
        assert all(each["sentence"].endswith(".") and each["retrievers"] for each in why["reasons"])
        few = client.post("/basket", json={"k": 3, "exclude": [found.json()["articles"][0]]}).json()
        assert len(few["articles"]) == 3
    assert files_in(finished.runs) == before


def test_lists_without_a_data_set(client):
    assert client.get("/health").json() == {
        "status": "ok",
        "run": RUN,
        "since": client.get("/health").json()["since"],
        "customers": 40,
        "spaces": ["als"],
        "baskets": client.post("/basket", json={}).json()["error"],
        "problem": None,
    }

"""A known customer's purchases, sent as a basket, give the list that the run wrote, whatever learned it."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from hmgpu.core.errors import DataError, RunError
from hmgpu.data.weeks import date_of
from hmgpu.parts.part import Trained
from hmgpu.pipeline.context import StepContext
from hmgpu.serving.baskets import Basket, Baskets, Purchase
from hmgpu.serving.finished_run import FinishedRun
from hmgpu.serving.held_lists import HeldLists
from hmgpu.serving.learned_run import LearnedRun

pytestmark = pytest.mark.filterwarnings("ignore:.*an NVTabular Dataset .* CPU mode")
CUSTOMERS = 24


@pytest.fixture(scope="module")
def baskets(real_run) -> Baskets:
    run = FinishedRun.open(real_run.folder)
    found = Baskets(LearnedRun.open(run), HeldLists.read(run))
    found.warm()
    return found


@pytest.fixture(scope="module")
def sent(baskets, real_run) -> list[Basket]:
    """What some customers bought, those without a purchase among them, as somebody outside would write it down."""
    store, lists = real_run.pipeline.store, baskets.lists
    history = store.as_of(store.next_week.first_day).transactions.collect()
    last = history.group_by("customer").agg(pl.col("day").max()).sort("day", "customer", descending=True)["customer"]
    silent = sorted(set(lists.customers.tolist()) - set(last.to_list()))[:2]
    keys = [*last.head(CUSTOMERS // 2), *last.tail(CUSTOMERS // 2), *silent]
    ids = dict(store.customer_ids().select("customer", "customer_id").collect().iter_rows())
    return [
        Basket(
            [
                Purchase(
                    lists.article_ids[row["article"]],
                    date_of(row["day"]),
                    row["price"] / 59000,
                    str(row["channel"] + 1),
                )
                for row in history.filter(pl.col("customer") == key).iter_rows(named=True)
            ],
            ids[key],
        )
        for key in keys
    ]


def lists_of(baskets: Baskets, sent: list[Basket]) -> list[list[str]]:
    return [answer.articles for answer in baskets.recommend(sent)]


def test_it_is_a_line_with_everything_in_it(baskets):
    context: StepContext = baskets.run.context
    assert any(isinstance(part, Trained) for part in context.retrievers.values())
    assert {"taste", "als", "two_tower", "repurchase"} <= set(context.retrievers)
    assert "encoded" in context.features


def test_a_known_customers_history_gives_the_batchs_list_exactly(baskets, sent):
    expected = [baskets.lists.of(each.customer_id, 12)[0] for each in sent]
    assert lists_of(baskets, sent) == expected
    assert [lists_of(baskets, [each])[0] for each in sent[:: len(sent) // 4]] == expected[:: len(sent) // 4]
    assert len({tuple(each) for each in expected}) > CUSTOMERS // 2


def test_the_order_of_purchases_doesnt_matter(baskets, sent):
    turned = [replace(each, purchases=each.purchases[::-1]) for each in sent]
    assert lists_of(baskets, turned) == lists_of(baskets, sent)


def test_units_are_as_many_purchases(baskets, sent):
    one = sent[0].purchases[0]
    many = Basket([replace(one, units=3)], sent[0].customer_id)
    assert lists_of(baskets, [many]) == lists_of(baskets, [Basket([one] * 3, sent[0].customer_id)])


def test_a_new_customer_gets_a_list_of_their_own_basket(baskets, sent):
    new = replace(sent[0], customer_id=None)
    stranger = replace(sent[0], customer_id="f" * 64)
    nothing = Basket([])
    found = lists_of(baskets, [new, stranger, nothing])
    assert found[0] == found[1] != found[2]
    assert [len(set(each)) for each in found] == [12, 12, 12]
    assert lists_of(baskets, [nothing]) == [found[2]]


def test_a_profile_counts_as_that_of_a_known_customer_does(baskets, sent, real_run):
    store = real_run.pipeline.store
    customers = store.as_of(store.next_week.first_day).customers.collect()
    row = customers.filter(pl.col("customer_id") == sent[0].customer_id).row(0, named=True)
    values = {name: dict(store.values(name).collect().iter_rows()) for name in ("club", "news", "postal_code")}
    told = {
        name: values[name].get(row[name]) if name in values else row[name] for name in row if "customer" not in name
    }
    key, basket = baskets.key(sent[0]), replace(sent[0], customer_id=None, profile=told)
    assert baskets._profile(10**6, basket).drop("customer").equals(baskets._profile(key, sent[0]).drop("customer"))
    with pytest.raises(DataError, match=r"profile\.height is not an attribute .* there are fn, active, club"):
        baskets.check(Basket([], profile={"height": 1}))
    with pytest.raises(DataError, match=r"profile\.age is 'old': give a whole number"):
        baskets.check(Basket([], profile={"age": "old"}))


def test_what_is_bought_later_counts_as_of_the_last_known_day(baskets, sent):
    last = baskets.last_day
    assert last == date_of(baskets.run.history.cutoff - 1)
    dated = [
        Basket([replace(sent[0].purchases[0], day=day)]) for day in (None, last, last + timedelta(3), date(2090, 1, 1))
    ]
    assert len({tuple(each) for each in lists_of(baskets, dated)}) == 1


def test_excluded_articles_leave_the_rest_in_order(baskets, sent):
    whole = lists_of(baskets, sent[:1])[0]
    some = lists_of(baskets, [replace(sent[0], exclude=frozenset(whole[:3]))])[0]
    assert some[:9] == whole[3:]
    assert len(some) == 12
    assert not set(whole[:3]) & set(some)


def test_the_reasons_are_those_of_the_session(baskets, sent, real_run):
    """And the explained list is the list."""
    from hmgpu.pipeline.session import Session

    asked = [sent[0].customer_id, sent[-1].customer_id, "f" * 64]
    every = Session(real_run.pipeline).explain(asked).partition_by("customer_id", as_dict=True)
    for customer in asked:
        expected = every[customer,]
        found = baskets.explain(customer)
        assert [each.article_id for each in found] == baskets.lists.of(customer, 12)[0]
        assert [each.sentence for each in found] == expected["sentence"].to_list()
        for each, contributions in zip(found, expected["contributions"], strict=True):
            flat = {
                (stage, part): value for stage, parts in each.contributions.items() for part, value in parts.items()
            }
            assert flat == pytest.approx({(row["stage"], row["part"]): row["contribution"] for row in contributions})
    answer = baskets.recommend([replace(sent[0], explain=True), sent[1]])
    assert [each.sentence for each in answer[0].reasons] == [
        each.sentence for each in baskets.explain(sent[0].customer_id)
    ]
    assert answer[1].reasons == []


def test_unknown_articles_are_named_and_count_for_nothing(baskets, sent):
    one = sent[0].purchases[0]
    both = Basket([replace(one, article_id="no such"), one])
    answer = baskets.recommend([both])[0]
    assert answer.unknown_articles == ["no such"]
    assert answer.articles == lists_of(baskets, [Basket([one])])[0]


@pytest.mark.parametrize(
    ("purchase", "says"),
    [
        ({"price": None}, r"purchases\[0\] has no price"),
        ({"price": 1e9}, r"purchases\[0\]\.price is 1000000000\.0, which is not a price"),
        ({"channel": "9"}, r"purchases\[0\]\.channel is '9': give one of 1, 2"),
        ({"units": 1001}, "more than 1,000 units"),
    ],
)
def test_a_purchase_that_is_not_one_is_named(baskets, sent, purchase, says):
    with pytest.raises(DataError, match=says):
        baskets.check(Basket([replace(sent[0].purchases[0], **purchase)]))


def test_another_data_set_is_refused(real_run, tmp_path):
    with pytest.raises(DataError, match="There is no data set in"):
        LearnedRun.open(FinishedRun.open(real_run.folder), tmp_path)


def test_a_data_set_that_the_run_did_not_learn_from_is_refused(real_run, monkeypatch):
    monkeypatch.setattr("hmgpu.data.store.Store.digest_before", lambda store, day: "other")
    with pytest.raises(RunError, match=r"is not the one that .* learned from"):
        LearnedRun.open(FinishedRun.open(real_run.folder))

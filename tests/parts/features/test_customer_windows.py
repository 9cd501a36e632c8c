"""What a customer bought in the months before their last shopping day."""

from kit import described

from hmgpu.parts.features.customer_windows import CustomerWindows


def test_windows_end_with_the_customers_last_shopping_day(make_history, engine):
    """The customer shopped last 300 days ago: a window of a week has that day and the six before it."""
    bought = [(300, 1, 10), (300, 1, 10), (306, 1, 11), (307, 1, 10), (307, 1, 12), (1, 2, 10)]
    prices, channels = [100, 200, 400, 800, 1600, 9], [0, 0, 1, 0, 0, 0]
    history = make_history(bought, prices=prices, channels=channels)
    assert described(CustomerWindows(windows=(1, 7)), history, engine, [(1, 99)])[1, 99] == {
        "customer_own_units_1": 2,
        "customer_own_units_7": 3,
        "customer_own_articles_1": 1,
        "customer_own_articles_7": 2,
        "customer_own_days_1": 1,
        "customer_own_days_7": 2,
        "customer_own_spend_1": 300,
        "customer_own_spend_7": 700,
        "customer_spend": 3100,
        "customer_own_channels_1": 1,
        "customer_own_channels_7": 2,
        "customer_channels": 2,
    }


def test_a_customer_who_never_bought_is_unknown(make_history, engine):
    found = described(CustomerWindows(), make_history([(3, 1, 10)]), engine, [(2, 10)])
    assert set(found[2, 10].values()) == {None}


def test_a_retailer_without_prices_and_channels(make_history, engine):
    history = make_history([(3, 1, 10)], present=frozenset())
    found = described(CustomerWindows(windows=(7,)), history, engine, [(1, 10)])[1, 10]
    assert found == {"customer_own_units_7": 1, "customer_own_articles_7": 1, "customer_own_days_7": 1}

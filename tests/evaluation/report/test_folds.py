"""The page of the last weeks."""

from hmgpu.evaluation.report.folds import folds_page


def week(name: str, customers: int, popular: float, ranker: float) -> dict:
    values = {"best_sellers": popular, "own_past": 0.02, "ranker": ranker}
    spans = {method: [value - 0.001, value + 0.001] for method, value in values.items()}
    return {"week": name, "customers": customers, "map_at_12": values, "map_at_12_interval": spans}


def test_every_week_and_all_together_have_a_row():
    folds = [week("2020-08-19", 1_000, 0.007, 0.03), week("2020-08-26", 3_000, 0.008, 0.034)]
    page = folds_page({"folds": folds, "all": week("", 4_000, 0.00775, 0.033), "settings": {"unknown": 1}})
    for said in (
        '>2020-08-19</th><td class="number">1,000</td><td class="number">0.00700\n0.00600 to 0.00800</td>',
        '<tr class="strong"><th scope="row" class="short">all</th><td class="number">4,000</td>',
        "0.03300\n0.03200 to 0.03400",
        'class="band"',
        "ranker: lowest 0.03000 (2020-08-19), highest 0.03400 (2020-08-26)",
        "own past + best sellers",
    ):
        assert said in page, said

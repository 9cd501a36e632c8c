"""The figures of every method, for everybody and by segment."""

from hmgpu.evaluation.report.methods import ages, methods, segments


def test_every_method_has_all_its_figures(evaluated):
    dots, table = methods(evaluated.metrics).blocks
    assert table.headings == ["method", "MAP@12", "NDCG@12", "hit rate@12", "precision@12", "coverage"]
    assert table.rows[-1] == ["ranker", "0.03128", "0.03000", "7.0 %", "0.63 %", "30.0 %"]
    assert table.strong == {"ranker"}
    assert [(row.name, row.text, row.strong) for row in dots.rows] == [
        ("ranker", "0.03128", True),
        ("order", "0.02211", False),
        ("popular", "0.00712", False),
    ]


def test_figures_that_are_missing_have_no_column(evaluated):
    fewer = {name: figures for name, figures in evaluated.metrics.items() if name != "precision_at_12"}
    table = methods(fewer).blocks[1]
    assert table.headings == ["method", "MAP@12", "NDCG@12", "hit rate@12", "coverage"]
    assert {len(row) for row in table.rows} == {5}


def test_intervals_stand_beside_what_they_are_of(evaluated):
    spans = {method: [0.01, 0.05] for method in evaluated.metrics["map_at_12"]}
    table = methods({**evaluated.metrics, "map_at_12_interval": spans}).blocks[1]
    assert table.headings[2] == "95 % interval"
    assert [row[2] for row in table.rows] == ["0.01000 to 0.05000"] * 3


def test_every_segment_has_its_column_and_number_of_customers(evaluated):
    dots, table = segments(evaluated.metrics, evaluated.precisions).blocks
    assert table.headings == ["method", "active (2)", "new (1)"]
    assert table.rows[-1] == ["ranker", "0.03330", "0.00099"]
    assert dots.figures == [("active", 0.0333, (1.0, 1.0)), ("new", 0.00099, (0.0, 0.0))]


def test_every_age_has_its_purchases_means_and_recalls(evaluated):
    assert not ages(evaluated.metrics).blocks  # of a version without them
    found = {"bought": 7, "articles": 3, "customers": 2, "map_at_12": {"popular": 0.01, "order": 0.02, "ranker": 0.03}}
    of_retrievers = {"merged": {"ages": {"never sold": {"recall": 0.25}}}}
    table, heat = ages({**evaluated.metrics, "ages": {"never sold": found}, "retrievers": of_retrievers}).blocks
    assert table.rows == [["never sold", "7", "3", "0.01000", "0.02000", "0.03000"]]
    assert (heat.columns, heat.rows) == (["never sold"], [("merged", [0.25])])

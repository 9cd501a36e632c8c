"""Steps are summed by kind, from the counts in their manifests."""

import json
import os

from hmgpu.benchmark.steps import LEAST, Kind, kind_of, kinds_of


def test_kinds_go_over_weeks_and_shards():
    assert kind_of("2020-09-16/learn/retriever-popular") == "learn retriever-popular"
    assert kind_of("2020-09-16/examples/003") == "examples"
    assert kind_of("2020-09-16/train/two_tower") == "train two_tower"
    assert kind_of("fit") == "fit"


def write(run, at, step, **says):
    folder = run / "steps" / step
    folder.mkdir(parents=True)
    file = folder / "manifest.json"
    file.write_text(json.dumps({"step": step, "counts": {}, **says}))
    os.utime(file, (at, at))


def test_seconds_and_rows_are_summed_and_the_largest_memory_kept(tmp_path):
    write(tmp_path, 3, "2020-09-09/examples/000", seconds=1.5, counts={"rows": 10, "positives": 2}, peak_gib=0.5)
    write(tmp_path, 4, "2020-09-16/examples/000", seconds=2.0, counts={"rows": 5, "positives": 1}, peak_gib=2)
    write(tmp_path, 2, "2020-09-09/learn/feature-x", seconds=0.0, counts={"levels": 3, "bought": 4})
    write(tmp_path, 1, "2020-09-09/encode", seconds=7.25)
    write(tmp_path, 5, "2020-09-16/evaluate", seconds=1.0, counts={"customers": 9})
    (tmp_path / "steps" / "fit").mkdir()
    (tmp_path / "steps" / "fit" / "manifest.json").write_text("{}")  # a library's manifest, not a step's
    assert list(kinds_of(tmp_path).items()) == [
        ("encode", Kind(7.25)),
        ("learn feature-x", Kind(LEAST, 7, "rows")),
        ("examples", Kind(3.5, 15, "rows", 2048)),
        ("evaluate", Kind(1.0, 9, "customers")),
    ]

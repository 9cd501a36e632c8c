"""A season: synthetic data whose last weeks arrive one file after the other, and what can be wrong with such a file."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import yaml

from hmgpu.data.ingest import ingest
from hmgpu.data.synthetic import synthesize
from hmgpu.pipeline.config import Config, load_config

SCALE, WEEKS = 0.002, 8
CONFIG = {
    "engine": "cpu",
    # 140 buyers a week: refitting alone moves MAP@12 by a third. A week has a dozen repeats, a shuffled one three.
    "retrain": {"tolerance": 0.5, "limits": {"repeats": 0.35}},
    "weeks": {"train": 2},
    "negatives": {"recalled": {"n": 20}},
    "retrievers": {
        "repurchase": {"n": 20},
        "popular_department": {"kind": "popular_by", "by": "department", "n": 20},
        "popular": {"n": 30},
    },
    "features": {
        "retriever_scores": {},
        "article_sales": {},
        "customer_habits": {},
        "bought_department": {"kind": "affinity", "by": "department"},
    },
    "ranker": {"kind": "xgboost", "rounds": 40, "patience": 10, "depth": 4, "learning_rate": 0.2},
}


@dataclass(frozen=True)
class Season:
    """A data set up to some week, and the files of the weeks after it."""

    folder: Path
    weeks: list[Path]

    def config(self, *settings: str) -> Config:
        return load_config(self.folder / "config.yaml", list(settings))


def make_season(folder: Path, weeks: int = WEEKS, scale: float = SCALE) -> Season:
    """Generate a season whose last `weeks` weeks are not ingested yet but lie in files, oldest first."""
    raw = folder / "raw"
    synthesize(raw, scale, 1)
    file = next(raw.glob("transactions_train*"))
    sold = pl.read_csv(file, infer_schema=False)
    days = pl.col("t_dat").str.to_date()
    last = sold.select(days.max()).item()
    back = sold.with_columns(back=(last - days).dt.total_days() // 7)
    files = []
    for week in range(weeks - 1, -1, -1):
        part = back.filter(pl.col("back") == week).drop("back")
        files.append(folder / f"week-{weeks - week}.csv")
        part.write_csv(files[-1])
    file.unlink()
    back.filter(pl.col("back") >= weeks).drop("back").write_csv(raw / "transactions_train.csv")
    content = CONFIG | {"data": {"raw": str(raw), "root": str(folder / "data")}, "runs": str(folder / "runs")}
    (folder / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    season = Season(folder, files)
    ingest(season.config().data)
    return season


def copied(season: Season, folder: Path) -> Season:
    """Copy all that belongs to a season, with its runs, to `folder`."""
    shutil.copytree(season.folder, folder, symlinks=True, dirs_exist_ok=True)
    config = (folder / "config.yaml").read_text().replace(str(season.folder), str(folder))
    (folder / "config.yaml").write_text(config)
    return Season(folder, [folder / week.name for week in season.weeks])


def shuffled(week: Path) -> Path:
    """Write the same week with its purchases given to other customers: volume, prices and articles are as they were."""
    rows = pl.read_csv(week, infer_schema=False)
    file = week.with_name(f"shuffled-{week.name}")
    rows.with_columns(pl.col("customer_id").shuffle(seed=1)).write_csv(file)
    return file


def broken(week: Path) -> Path:
    """Write the same week, cut off in the middle of a row as by a broken transfer, and with reversed rows before."""
    file = week.with_name(f"broken-{week.name}")
    lines = week.read_text().splitlines(keepends=True)
    half = len(lines) // 2
    moved = [",".join(reversed(line.strip().split(","))) + "\n" for line in lines[half : half + 20]]
    file.write_text("".join(lines[:half] + moved) + lines[half][:15])
    return file

"""A network that sees pictures finds what looks as customers like it, also what nobody had bought in training."""

from pathlib import Path

import kit
import looks
import numpy as np
import polars as pl
import pytest

from hmgpu.core.engine import Engine
from hmgpu.data.store import History
from hmgpu.parts.models.baskets.baskets import known_articles
from hmgpu.parts.models.images.sampled import write_sampled
from hmgpu.parts.part import PartContext
from hmgpu.parts.retrievers.image_ete import ImageETE

CPU = Engine("cpu", "tests")
LOOKS = ImageETE(
    **kit.TINY,
    dimensions=8,
    epochs=4,
    weeks=4,
    batch=32,
    support=1,
    learning_rate=2e-2,
    image_rate=1e-3,
    last_week="trained",
)
SMALL = LOOKS.model_copy(update={"epochs": 1, "weeks": 3, "dimensions": 4})


def trained(part: ImageETE, history: History, folder: Path, engine: Engine = CPU) -> ImageETE:
    folder.mkdir(exist_ok=True)
    context = PartContext(engine, 1, kit.encoders, None, folder.parent / "cache")
    part.bind(context).train(history, folder, folder / "work")
    return part.bind(PartContext(engine, 1, kit.encoders, folder, folder.parent / "cache"))


def found_of_new(part: ImageETE, folder: Path, shuffled: bool = False, engine: Engine = CPU) -> float:
    """The share of the new articles of a customer's colour that are among as many new ones that the part finds best."""
    before, after, labels = looks.by_colour(looks.draw(folder / "images", shuffled))
    part = trained(part, before, folder / "model", engine).model_copy(update={"n": looks.ARTICLES + looks.NEW})
    every = engine.collect(part.retrieve(kit.learned(part, after, engine), after.customers.select("customer")))
    new = every.filter(pl.col("article") >= looks.ARTICLES).sort("customer", "rank")
    best = new.group_by("customer", maintain_order=True).head(looks.NEW // 4)
    return labels.join(best, on=["customer", "article"]).height / labels.height


@pytest.mark.parametrize("loss", ["bpr", "bce"])
def test_it_learns_looks_and_finds_new_articles_by_them(loss, tmp_path):
    assert found_of_new(LOOKS.model_copy(update={"loss": loss}), tmp_path) > 0.95


def test_from_pictures_of_others_it_learns_nothing_of_new_articles(tmp_path):
    assert found_of_new(LOOKS, tmp_path, shuffled=True) < 0.4  # a quarter by chance


@pytest.mark.gpu
def test_a_gpu_learns_it_too(tmp_path, gpu):
    assert found_of_new(LOOKS, tmp_path, engine=gpu) > 0.95


def test_an_article_without_picture_is_known_by_its_buyers_alone(tmp_path):
    pictures = looks.draw(tmp_path / "images")
    for file in [f"{article:010}" for article in (*range(24), looks.ARTICLES)]:
        (pictures / file[:3] / f"{file}.jpg").unlink()
    before, after, _ = looks.by_colour(pictures)
    part = trained(LOOKS, before, tmp_path / "model")
    vectors = kit.learned(part, after, CPU)["articles"].collect()["article"].to_list()
    assert vectors == [each for each in range(looks.ARTICLES + looks.NEW) if each != looks.ARTICLES]


SAMPLED = {
    "days": 10,
    "weeks": 2,
    "support": 4,
    "category": "department",
    "same_category": 0,
    "bought_by_others": 0,
}
"""What decides which purchases are trained on, and their negatives."""
OTHERS = {
    "image_rate": 1e-2,
    "dimensions": 8,
    "model": "test_efficientnet",
    "trained": 2,
    "pixels": 48,
    "loss": "bce",
    "negatives": 1,
    "unseen": 0.5,
}
LOOP = {"last_week", "batch", "accumulate", "learning_rate", "weight_decay", "refit", "epochs", "patience", "devices"}
"""Tested with the training loop and with other networks; `refit` with the pipeline."""
SERVING = {"n", "on_sale"}  # of which training knows nothing; every retriever's contract tries `n`


def test_every_setting_counts(tmp_path):
    """`weights` are tried below."""
    fields = set(ImageETE.model_fields)
    assert set(SAMPLED) | set(OTHERS) | LOOP | SERVING | {"weights", "alpha"} == fields
    history = looks.few_sold(looks.draw(tmp_path / "images"))
    context = PartContext(CPU, 1, kit.encoders)

    def sampled(name, settings):
        part = ImageETE(**SMALL.model_dump() | settings)
        articles = known_articles(history, part.looks_back, part.support, CPU)
        files = write_sampled(history, articles, part, part.samplers, context, tmp_path / "sampled" / name)
        return [file.read_bytes() for file in files]

    def output(name, settings):
        part = trained(ImageETE(**SMALL.model_dump() | settings), history, tmp_path / name)
        return (part.context.model / "network.npz").read_bytes()

    for settings, what in ((SAMPLED, sampled), (OTHERS, output)):
        before = what("before", {})
        assert [name for name, value in settings.items() if what(name, {name: value}) == before] == []
    assert output("alpha", {"loss": "bce", "alpha": 0.5}) != output("bce", {"loss": "bce"})


def test_the_weights_of_a_file_are_where_it_starts(tmp_path):
    import timm
    import torch

    torch.manual_seed(9)
    other = timm.create_model("test_resnet", num_classes=3)
    torch.save(other.state_dict(), tmp_path / "other.pth")
    timm.models.save_for_hf(other, tmp_path / "folder")
    history = looks.few_sold(looks.draw(tmp_path / "images"))

    def frozen(name, settings):
        part = trained(ImageETE(**SMALL.model_dump() | settings), history, tmp_path / name)
        return np.load(part.context.model / "network.npz")["backbone.frozen.0.weight"]

    first = next(other.parameters()).detach().numpy()
    assert not np.array_equal(frozen("random", {}), first)
    for settings in ({"weights": tmp_path / "other.pth"}, {"model": str(tmp_path / "folder")}):
        assert np.array_equal(frozen("given", settings), first)
        assert ImageETE(**kit.TINY | settings).reads() == (*map(Path, settings.values()),)


def test_settings_that_do_nothing_are_refused():
    with pytest.raises(ValueError, match="alpha does nothing here, it counts with loss: bce"):
        ImageETE(alpha=0.5)
    with pytest.raises(ValueError, match="both 0, so that there are no negatives"):
        ImageETE(same_category=0, bought_by_others=0)

"""What parts share that put customers and articles into one space of vectors."""

import polars as pl

from hmgpu.data.store import History
from hmgpu.features import Feature
from hmgpu.parts import Count, Learned
from hmgpu.retrievers import Retriever


class Space(Retriever, Feature):
    """The nearest articles on sale, and how near every other candidate is.

    `learn` returns `articles` (article, `v…` int16, on_sale int8) among its tables, `learn_customers` returns
    `customers` (customer, `v…` int16); see `topk.quantised`.
    """

    on_sale: Count = 28
    """Only articles sold in this many days before the cutoff are retrieved."""

    def marked(self, vectors: pl.LazyFrame, history: History) -> pl.LazyFrame:
        """`vectors` (article, …) with `on_sale` int8: whether the article may be retrieved."""
        selling = history.on_sale(self.on_sale).with_columns(on_sale=pl.lit(1, dtype=pl.Int8))
        known = vectors.join(selling, on="article", how="left", maintain_order="left")
        return known.with_columns(pl.col("on_sale").fill_null(0))

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        from hmgpu.neural.topk import nearest  # torch takes seconds to load

        engine = self.bench.engine
        asked = engine.collect(learned["customers"].join(customers, on="customer", how="semi"))
        selling = engine.collect(learned["articles"].filter(pl.col("on_sale") == 1))
        return nearest(asked.sort("customer"), selling, self.n, engine).lazy()

    def near(self, learned: Learned, pairs: pl.LazyFrame, name: str) -> pl.LazyFrame:
        """(customer, article, `name` float32: their dot product) of `pairs`; null where one has no vector."""
        from hmgpu.neural.topk import dots

        engine = self.bench.engine
        keys = engine.collect(pairs.select("customer", "article"), fits=True)
        products = dots(keys, engine.collect(learned["customers"]), engine.collect(learned["articles"]), engine)
        return keys.lazy().with_columns(products.alias(name))

"""User-based collaborative filtering: articles that the most similar customers bought lately.

Similarity is the cosine of purchases, in which rare articles weigh more (Breese, Heckerman & Kadie 1998, "Empirical
analysis of predictive algorithms for collaborative filtering"), as in write-ups of the H&M competition. A purchase
counts for its article and for its product, and the more the newer it is.

    bought_by_similar: {kind: user_cf, days: 7}    # what neighbours bought in the last week
    user_cf: {days: 28, half_life: 14}             # and, for less, in the weeks before
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from hmgpu.core.plans import ONE, decayed, fixed_point, top_n
from hmgpu.data.store import History
from hmgpu.parts.part import Count, Learned
from hmgpu.parts.retriever import Candidates, Retriever

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LONG = 1 << 15  # length of a customer's vector of whole numbers, so that a product of two fits into an int32
BASKET = 1 << 10  # weight of a neighbour's purchase of today: times 2^30, it can be summed over 2^23 neighbours
AT_ONCE = 8_000_000  # products of matrix entries computed at once: about a quarter of a GiB
Keys = npt.NDArray[np.int32]


class UserCF(Retriever):
    """Articles that a customer's neighbours, the most similar customers, bought lately.

    Ordered by how similar the neighbours are and how long ago they bought the article.
    """

    days: Count = 28
    """Days before the cutoff: articles that neighbours bought in them are proposed."""
    half_life: Annotated[float, Field(gt=0)] = 14.0
    """Days after which a neighbour's purchase counts half as much."""
    active_days: Count = 7
    """Only customers who bought something in this many days before the cutoff can be neighbours."""
    profile_days: Count = 365
    """Days before the cutoff whose purchases are compared to find similar customers."""
    profile_half_life: Annotated[float, Field(gt=0)] = 25.0
    """Days after which a purchase counts half as much for similarity."""
    latest: Count = 40
    """Latest articles of each customer that are compared; fewer save time."""
    most_buyers: Count = 1000
    """An article or product is not compared if more of the possible neighbours bought it: it says little about
    similarity and costs the most time."""
    neighbours: Count = 200
    """Neighbours of each customer; customers who are exactly as similar as the last of them count too."""
    n: Candidates = 24

    def learn(self, history: History) -> Learned:
        """Return `rarity` (item, rarity), `profiles` (neighbour, item, weight), `bought` (neighbour, article, weight).

        The tables describe only the possible neighbours, about one customer in twenty.
        """
        active = history.of(history.last(self.active_days).select("customer").unique())
        owned = self._owned(active)
        everybody = owned.select(everybody=pl.col("customer").n_unique())
        known = owned.group_by("item").agg(buyers=pl.len()).filter(pl.col("buyers") <= self.most_buyers)
        share = pl.col("everybody").cast(pl.Float64) / pl.col("buyers").cast(pl.Float64)
        rarity = known.join(everybody, how="cross").select("item", rarity=fixed_point((1 + share).log()))
        weight = decayed(history.cutoff, self.half_life, self.days, BASKET)
        bought = active.last(self.days).group_by("article", neighbour="customer").agg(weight=weight.max())
        profiles = self._profiles(owned, rarity).rename({"customer": "neighbour"})
        return {"rarity": rarity, "profiles": profiles, "bought": bought}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """Return `found`: (customer, article, score int64, rank).

        The matrices are multiplied on the CPU whatever the engine, in whole numbers.
        """
        engine = self.context.engine
        items = engine.collect(learned["rarity"].select("item").sort("item"))["item"].to_numpy()
        profiles = engine.collect(learned["profiles"].sort("neighbour", "item"))
        bought = engine.collect(learned["bought"].sort("neighbour", "article"))
        own = engine.collect(self._profiles(self._owned(audience), learned["rarity"]).sort("customer", "item"))
        people = pl.concat([profiles["neighbour"], bought["neighbour"]]).unique().sort().to_numpy()
        customers = own["customer"].unique().sort().to_numpy()
        articles = bought["article"].unique().sort().to_numpy()
        theirs = _matrix(profiles, ("item", items), ("neighbour", people), np.int32)
        baskets = _matrix(bought, ("neighbour", people), ("article", articles), np.int64)
        mine = _matrix(own, ("customer", customers), ("item", items), np.int32)
        found = [_NOBODY]
        for first, last in _chunks(mine, theirs):
            alike = mine[first:last] @ theirs
            asking = np.repeat(customers[first:last], np.diff(alike.indptr))
            alike.data[people[alike.indices] == asking] = 0  # nobody is their own neighbour
            scored = _largest(_largest(alike, self.neighbours).astype(np.int64) @ baskets, self.n)
            asking = np.repeat(customers[first:last], np.diff(scored.indptr))
            found.append(pl.DataFrame({"customer": asking, "article": articles[scored.indices], "score": scored.data}))
        return {"found": top_n(pl.concat(found).lazy(), self.n, by="customer")}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return learned["found"].join(customers, on="customer", how="semi")

    def _owned(self, history: History) -> pl.LazyFrame:
        """Return (customer, item, weight): the latest articles and their products, if any, weighted by age."""
        last = history.last(self.profile_days).group_by("customer", "article").agg(day=pl.col("day").max())
        latest = top_n(last, self.latest, by="customer", score="day")
        weight = decayed(history.cutoff, self.profile_half_life, self.profile_days, ONE)
        owned = latest.select("customer", item=2 * pl.col("article").cast(pl.Int64), weight=weight)
        if not history.has("product"):
            return owned
        products = history.articles.select("article", item=2 * pl.col("product").cast(pl.Int64) + 1).drop_nulls()
        families = latest.join(products, on="article").group_by("customer", "item").agg(weight=weight.max())
        return pl.concat([owned, families])

    def _profiles(self, owned: pl.LazyFrame, rarity: pl.LazyFrame) -> pl.LazyFrame:
        """Return (customer, item, weight int32): vectors of length 1, in steps of 1 / LONG."""
        weight = pl.col("weight") * pl.col("rarity") // ONE + 1
        weighed = owned.join(rarity, on="item").select("customer", "item", weight=weight)
        # A weight is at most 2^20 times a logarithm below 2^5: the squares of 2^13 items fit.
        length = (pl.col("weight") * pl.col("weight")).sum().over("customer").cast(pl.Float64).sqrt()
        return weighed.with_columns(weight=(pl.col("weight").cast(pl.Float64) * LONG / length).round().cast(pl.Int32))

    def reason(self) -> str:
        return "bought by customers who buy what you buy"


_NOBODY = pl.DataFrame(schema={"customer": pl.Int32, "article": pl.Int32, "score": pl.Int64})


def _matrix(table: pl.DataFrame, rows: tuple[str, Keys], columns: tuple[str, Keys], dtype: type) -> "csr_matrix":
    """Return the table's `weight` as a sparse matrix.

    Args:
        table: with one row for each entry.
        rows: the name of the column that holds the row's key, and all its keys, sorted.
        columns: the same for the matrix's columns.
        dtype: of the matrix.
    """
    from scipy.sparse import csr_matrix

    places = [np.searchsorted(keys, table[name].to_numpy()) for name, keys in (rows, columns)]
    return csr_matrix((table["weight"].to_numpy().astype(dtype), places), shape=(len(rows[1]), len(columns[1])))


def _chunks(left: "csr_matrix", right: "csr_matrix") -> list[tuple[int, int]]:
    """Split `left` into parts whose product with `right` takes about AT_ONCE steps; (first row, row after the last)."""
    each = (left != 0).astype(np.int64) @ np.diff(right.indptr)
    ends = np.flatnonzero(np.diff(np.cumsum(each) // AT_ONCE)) + 1
    return list(pairwise([0, *ends.tolist(), left.shape[0]])) if left.shape[0] else []


def _largest(rows: "csr_matrix", k: int) -> "csr_matrix":
    """Keep in each row only the positive entries that are at least as large as its k-th largest."""
    least = np.ones(rows.shape[0], rows.dtype)
    for row, (start, end) in enumerate(pairwise(rows.indptr.tolist())):  # takes a tenth of the time of a sort
        if end - start > k:
            least[row] = max(1, np.partition(rows.data[start:end], -k)[-k])
    rows.data[rows.data < np.repeat(least, np.diff(rows.indptr))] = 0
    rows.eliminate_zeros()
    return rows

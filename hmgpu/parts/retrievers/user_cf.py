"""User-based collaborative filtering: what those bought lately who have bought the same as the customer.

Neighbours by the cosine of their purchases, rare articles weighing more (Breese, Heckerman & Kadie 1998, "Empirical
analysis of predictive algorithms for collaborative filtering"), as write-ups of the H&M competition used them. A
purchase counts for its article and for its product, the more the newer it is.

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

LONG = 1 << 15  # length of a customer's vector of whole numbers: products of two fit into an int32
AT_ONCE = 8_000_000  # products of matrices' entries: about a quarter of a GiB
Keys = npt.NDArray[np.int32]


class UserCF(Retriever):
    """What the customers who are most alike bought of late, by how alike they are and how long ago it was."""

    days: Count = 28
    """How far back what neighbours bought is proposed."""
    half_life: Annotated[float, Field(gt=0)] = 14.0
    """Days in which the weight of a neighbour's purchase halves."""
    active_days: Count = 7
    """Only customers who bought in this many days can be neighbours."""
    profile_days: Count = 365
    """How far back purchases tell who is alike."""
    profile_half_life: Annotated[float, Field(gt=0)] = 25.0
    """Days in which a purchase tells half as much."""
    latest: Count = 40
    """Latest articles of each customer that are compared; bounds the work."""
    most_buyers: Count = 1000
    """An article or product that more of the possible neighbours bought tells little and is not compared; bounds the
    work."""
    neighbours: Count = 200
    """Neighbours of a customer; those who are as near as the last of them count too."""
    n: Candidates = 24

    def learn(self, history: History) -> Learned:
        """`rarity`: (item, rarity), `profiles`: (neighbour, item, weight), `bought`: (neighbour, article, weight).

        Of the possible neighbours alone, who are about one customer in twenty.
        """
        active = history.of(history.last(self.active_days).select("customer").unique())
        owned = self._owned(active)
        everybody = owned.select(everybody=pl.col("customer").n_unique())
        known = owned.group_by("item").agg(buyers=pl.len()).filter(pl.col("buyers") <= self.most_buyers)
        share = pl.col("everybody").cast(pl.Float64) / pl.col("buyers").cast(pl.Float64)
        rarity = known.join(everybody, how="cross").select("item", rarity=fixed_point((1 + share).log()))
        # At most 1,024 a purchase, so that sums fit.
        weight = decayed(history.cutoff - pl.col("day"), self.half_life) * 1024 // ONE + 1
        bought = active.last(self.days).group_by("article", neighbour="customer").agg(weight=weight.max())
        profiles = self._profiles(owned, rarity).rename({"customer": "neighbour"})
        return {"rarity": rarity, "profiles": profiles, "bought": bought}

    def learn_customers(self, learned: Learned, audience: History) -> Learned:
        """`found`: (customer, article, score int64, rank).

        The matrix work is on the CPU whatever the engine, and all in whole numbers.
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
            alike.data[people[alike.indices] == asking] = 0  # nobody is a neighbour of his own
            scored = _largest(_largest(alike, self.neighbours).astype(np.int64) @ baskets, self.n)
            asking = np.repeat(customers[first:last], np.diff(scored.indptr))
            found.append(pl.DataFrame({"customer": asking, "article": articles[scored.indices], "score": scored.data}))
        return {"found": top_n(pl.concat(found).lazy(), self.n, by="customer")}

    def retrieve(self, learned: Learned, customers: pl.LazyFrame) -> pl.LazyFrame:
        return learned["found"].join(customers, on="customer", how="semi")

    def _owned(self, history: History) -> pl.LazyFrame:
        """(customer, item, weight): the latest articles, and, where there are any, their products, weighed by age."""
        last = history.last(self.profile_days).group_by("customer", "article").agg(day=pl.col("day").max())
        latest = top_n(last, self.latest, by="customer", score="day")
        weight = decayed(history.cutoff - pl.col("day"), self.profile_half_life) + 1
        owned = latest.select("customer", item=2 * pl.col("article").cast(pl.Int64), weight=weight)
        if not history.has("product"):
            return owned
        products = history.articles.select("article", item=2 * pl.col("product").cast(pl.Int64) + 1).drop_nulls()
        families = latest.join(products, on="article").group_by("customer", "item").agg(weight=weight.max())
        return pl.concat([owned, families])

    def _profiles(self, owned: pl.LazyFrame, rarity: pl.LazyFrame) -> pl.LazyFrame:
        """(customer, item, weight int32): vectors of length 1, in steps of 1 / LONG."""
        weight = pl.col("weight") * pl.col("rarity") // ONE + 1
        weighed = owned.join(rarity, on="item").select("customer", "item", weight=weight)
        length = (pl.col("weight") * pl.col("weight")).sum().over("customer").cast(pl.Float64).sqrt()
        return weighed.with_columns(weight=(pl.col("weight").cast(pl.Float64) * LONG / length).round().cast(pl.Int32))


_NOBODY = pl.DataFrame(schema={"customer": pl.Int32, "article": pl.Int32, "score": pl.Int64})


def _matrix(table: pl.DataFrame, rows: tuple[str, Keys], columns: tuple[str, Keys], dtype: type) -> "csr_matrix":
    """(rows, columns): the table's `weight`. Rows and columns are named by their table's column and its sorted keys."""
    from scipy.sparse import csr_matrix

    places = [np.searchsorted(keys, table[name].to_numpy()) for name, keys in (rows, columns)]
    return csr_matrix((table["weight"].to_numpy().astype(dtype), places), shape=(len(rows[1]), len(columns[1])))


def _chunks(left: "csr_matrix", right: "csr_matrix") -> list[tuple[int, int]]:
    """First row, and that after the last, of parts of `left` that take about AT_ONCE products with `right`."""
    each = (left != 0).astype(np.int64) @ np.diff(right.indptr)
    ends = np.flatnonzero(np.diff(np.cumsum(each) // AT_ONCE)) + 1
    return list(pairwise([0, *ends.tolist(), left.shape[0]])) if left.shape[0] else []


def _largest(rows: "csr_matrix", k: int) -> "csr_matrix":
    """`rows` with only those positive entries of each that are no smaller than its k-th largest."""
    least = np.ones(rows.shape[0], rows.dtype)
    for row, (start, end) in enumerate(pairwise(rows.indptr.tolist())):  # a tenth of the time that a sort takes
        if end - start > k:
            least[row] = max(1, np.partition(rows.data[start:end], -k)[-k])
    rows.data[rows.data < np.repeat(least, np.diff(rows.indptr))] = 0
    rows.eliminate_zeros()
    return rows

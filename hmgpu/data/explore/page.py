"""`explore.html`: a data set on one page."""

from hmgpu.data.store import Store
from hmgpu.data.weeks import date_of
from hmgpu.engine import Engine
from hmgpu.exploration.articles import articles
from hmgpu.exploration.buyers import buyers
from hmgpu.exploration.lifetimes import lifetimes
from hmgpu.exploration.prices import prices
from hmgpu.exploration.repurchases import repurchases
from hmgpu.exploration.sales import sales
from hmgpu.exploration.seasons import seasons
from hmgpu.exploration.whole import Whole
from hmgpu.report.page import page


def explore(store: Store, engine: Engine) -> str:
    """The page about all that `store` holds."""
    whole = Whole(store, engine)
    sections = [part(whole) for part in (sales, buyers, repurchases, articles, lifetimes, seasons, prices)]
    first, last = date_of(store.manifest.first_day), date_of(store.last_day)
    about = f"All transactions from {first} to {last}. For reading: what a model learns is cut at its own day."
    return page("The data set", about, [section for section in sections if section.blocks])

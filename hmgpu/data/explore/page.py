"""Write `explore.html`, which describes a data set on one page."""

from hmgpu.core.engine import Engine
from hmgpu.core.html.page import page
from hmgpu.data.explore.articles import articles
from hmgpu.data.explore.buyers import buyers
from hmgpu.data.explore.lifetimes import lifetimes
from hmgpu.data.explore.prices import prices
from hmgpu.data.explore.repurchases import repurchases
from hmgpu.data.explore.sales import sales
from hmgpu.data.explore.seasons import seasons
from hmgpu.data.explore.whole import Whole
from hmgpu.data.store import Store
from hmgpu.data.weeks import date_of


def explore(store: Store, engine: Engine) -> str:
    """Return the HTML page that describes everything in `store`."""
    whole = Whole(store, engine)
    sections = [part(whole) for part in (sales, buyers, repurchases, articles, lifetimes, seasons, prices)]
    first, last = date_of(store.manifest.first_day), date_of(store.last_day)
    about = (
        f"All transactions from {first} to {last}. Models see less: each learns from the days before its own cutoff."
    )
    return page("The data set", about, [section for section in sections if section.blocks])

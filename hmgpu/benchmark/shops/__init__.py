"""Generated shops with another rhythm than H&M's: what a method gains there says whom else it serves."""

from typing import Literal

Shop = Literal["giftware", "newcomer"]

"""The reasons for which a row of a raw file goes to quarantine, and what to do about each."""

from hmgpu.data.tables import OLDEST

REASONS: dict[str, str] = {
    "wrong field count": "",
    "not UTF-8": "",
    "not in data.encoding": "",
    "unclosed quote": "",
    "bare carriage return": "",
    "NUL character": "",
    "missing date": "",
    "bad date": "`data.date_format` describes how a day is written",
    "date outside 1970..2099": "",
    "bad launch date": "`data.date_format` describes how a day is written",
    "launch date outside 1970..2099": "",
    "date after data.last_day": "`data.last_day` must not lie before the days of the file: raise it, or leave single "
    "rows out by `data.where`",
    "missing article id": "",
    "missing customer id": "",
    "malformed article id": "`data.article_pattern` describes the ids, and `data.clean_ids` may trim them",
    "malformed customer id": "`data.customer_pattern` describes the ids, and `data.clean_ids` may trim them",
    "duplicate article id": "",
    "duplicate customer id": "",
    "unknown article": "its articles must be in the articles file; for an appended week, in one next to it",
    "unknown customer": "its customers must be in the customers file; for an appended week, in one next to it",
    "missing price": "",
    "price is not a number": "",
    "negative price": "`data.columns.transactions.quantity` names the column that tells returns from purchases",
    "price too large": "a larger `data.price_unit` takes larger prices",
    "missing quantity": "",
    "quantity is not a whole number": "",
    "quantity is 0": "`data.where` can leave such rows out",
    "quantity too large": "",
    "missing channel": "",
    "unknown channel": "`data.channels` lists the channels that may occur",
    "flag is not empty, 0 or 1": "",
    f"age is not a number in 0..{OLDEST}": "",
}
"""The remedy of each reason, as the end of a sentence; empty where the file is what is wrong."""
OTHER = "other"
"""In `data.max_bad_rows`, all reasons that it doesn't name."""

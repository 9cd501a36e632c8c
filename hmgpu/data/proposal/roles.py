"""Recognise columns by their names, in the languages of many shops, and by their values."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence

from hmgpu.data.ingest.guess import date_formats, number_formats
from hmgpu.data.tables import TABLES, TableName

# Parts of names, in small letters without accents; the earlier ones are the surer ones.
WORDS: dict[str, tuple[str, ...]] = {
    "day": ("datum", "date", "_dat", "day", "fecha", "tag", "timestamp", "time", "zeit", "jour", "dato", "data"),
    "customer": ("customer", "client", "kunde", "kund", "klant", "shopper", "buyer", "cliente", "user", "member"),
    "article": (
        "article",
        "artikel",
        "articulo",
        "sku",
        "stockcode",
        "product",
        "produ",
        "item",
        "gtin",
        "ean",
        "style",
    ),
    "quantity": ("quantity", "qty", "menge", "anzahl", "units", "stuck", "quant", "cantidad", "antal", "aantal"),
    "price": ("price", "preis", "prix", "precio", "prezzo", "pris", "amount", "betrag", "umsatz", "revenue", "value"),
    "channel": ("channel", "kanal", "canal", "filiale", "store", "shop", "branch", "outlet", "laden"),
    "name": ("name", "bezeichnung", "title", "titel", "description", "nombre", "nom", "beschreibung", "naam"),
    "product": ("product_code", "model", "style", "produkt"),
    "product_type": ("product_type", "category", "kategorie", "warengruppe", "categorie", "categoria", "type", "typ"),
    "colour": ("colour", "color", "farbe", "couleur", "kleur", "farg"),
    "department": ("department", "abteilung", "departement", "division", "bereich"),
    "section": ("section", "sektion", "segment"),
    "description": ("description", "beschreibung", "detail", "text"),
    "age": ("age", "alter", "edad", "leeftijd", "alder"),
    "postal_code": ("postal", "postcode", "zip", "plz", "codigo_postal", "postnummer"),
    "club": ("club", "tier", "loyalty", "status", "segment"),
    "news": ("news", "subscri"),
}
_IDS = ("id", "nr", "no", "nummer", "number", "num", "code", "key", "schlussel")
_NOT_IDS = ("name", "mail", "phone", "telefon", "city", "ort", "street", "strasse", "country", "land", "type", "group")
KEYS: tuple[str, ...] = ("customer", "article")
ORDER: dict[TableName, tuple[str, ...]] = {
    "transactions": ("day", "customer", "article", "quantity", "price", "channel"),
    "articles": ("article", "product", "product_type", "colour", "department", "section", "name", "description"),
    "customers": ("customer", "age", "postal_code", "club", "news"),
}
FEW = 20  # different values of what is taken for a channel, in the sample

Values = Sequence[str | None]


def recognise(table: TableName, columns: Mapping[str, Values], ids: Iterable[str] = ()) -> dict[str, str]:
    """Return the name of the file's column for each of the contract's columns that is recognised.

    Args:
        columns: the first values of each column.
        ids: names by which the transactions call customers and articles, which other tables may use, too.
    """
    own = {column.name: column.raw for column in TABLES[table]}
    found = dict[str, str]()
    for role in ORDER[table]:
        marks = {
            name: _likeness(role, name, own.get(role, ""), ids)
            for name, values in columns.items()
            if name not in found.values() and fits(role, values)
        }
        best = max(marks, key=lambda name: marks[name], default=None)
        if best is not None and marks[best] > 0:
            found[role] = best
    return found


def fits(role: str, values: Values) -> bool:
    """Whether a column with these values can have the role."""
    given = [value for value in values if value]
    return bool(given) and (role not in _CHECKS or _CHECKS[role](given))


def _likeness(role: str, name: str, own: str, ids: Iterable[str]) -> float:
    """How well a name says that its column has the role; 0 for not at all."""
    if name == own:
        return 100
    plain = _plain(name)
    joined = plain.replace("_", "")
    rank = next((rank for rank, word in enumerate(WORDS[role]) if word in plain or word in joined), None)
    if rank is None:
        return 0
    mark = 20.0 - rank
    if role in KEYS:
        ends = plain.split("_")
        is_id = any(end in _IDS for end in ends) or plain.endswith(_IDS)
        mark += 10 * is_id + 20 * (name in ids) - 18 * any(word in plain for word in _NOT_IDS)
    return max(mark - len(plain) / 100, 0)  # of two alike, the shorter


def _plain(name: str) -> str:
    """Small letters without accents, words with an underscore between them."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    ascii_ = unicodedata.normalize("NFKD", spaced.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", ascii_.lower()).strip("_")


def _is_number(values: Sequence[str]) -> bool:
    return bool(number_formats(values))


def _is_whole(values: Sequence[str]) -> bool:
    return all(re.fullmatch(r"-?\d+(?:[.,]0+)?", value) for value in values)


_CHECKS: dict[str, Callable[[Sequence[str]], bool]] = {
    "day": lambda values: bool(date_formats(values)),
    "customer": lambda values: not _is_day(values),
    "article": lambda values: not _is_day(values),
    "quantity": _is_whole,
    "price": _is_number,
    "channel": lambda values: len(set(values)) <= FEW,
    "age": lambda values: _is_number(values) and max(len(value) for value in values) <= len("100.00"),
}


def _is_day(values: Sequence[str]) -> bool:
    """Whether these are days rather than ids: eight digits may be either."""
    return bool(date_formats(values)) and not all(value.isdigit() for value in values)

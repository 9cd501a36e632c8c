"""Columns are recognised by their names and by what stands in them."""

import pytest

from hmgpu.data.proposal.roles import recognise

SHOPS = {
    "H&M": (
        {
            "t_dat": "2020-09-22",
            "customer_id": "00af",
            "article_id": "0108775015",
            "price": "0.0169",
            "sales_channel_id": "2",
        },
        {
            "day": "t_dat",
            "customer": "customer_id",
            "article": "article_id",
            "price": "price",
            "channel": "sales_channel_id",
        },
    ),
    "a German shop": (
        {
            "Bon-Nr": "100000",
            "Datum": "29.01.2020 17:22",
            "Kunde": "K-00103",
            "Kundenname": "Meyer",
            "Artikelnummer": "685/36 S",
            "Artikelbezeichnung": "Mantel",
            "Menge": "2",
            "Einzelpreis": "3.089,70",
            "Filiale": "Netz",
        },
        {
            "day": "Datum",
            "customer": "Kunde",
            "article": "Artikelnummer",
            "quantity": "Menge",
            "price": "Einzelpreis",
            "channel": "Filiale",
        },
    ),
    "a public export of invoices": (
        {
            "InvoiceNo": "536365",
            "StockCode": "85123A",
            "Description": "WHITE HANGING HEART",
            "Quantity": "6",
            "InvoiceDate": "12/1/2010 8:26",
            "UnitPrice": "2.55",
            "CustomerID": "17850",
            "Country": "United Kingdom",
        },
        {
            "day": "InvoiceDate",
            "customer": "CustomerID",
            "article": "StockCode",
            "quantity": "Quantity",
            "price": "UnitPrice",
        },
    ),
    "events of a web shop": (
        {"event_time": "2019-10-01 00:00:00 UTC", "user_id": "541312140", "product_id": "44600062", "price": "35.79"},
        {"customer": "user_id", "article": "product_id", "price": "price"},  # the day has a zone's name
    ),
}


@pytest.mark.parametrize("shop", SHOPS)
def test_purchases(shop):
    columns, expected = SHOPS[shop]
    assert recognise("transactions", {name: [value, None] for name, value in columns.items()}) == expected


def test_articles_by_the_name_that_the_purchases_have_for_them():
    columns = {
        "Nummer": ["1", "2"],
        "Artikel": ["Mantel", "Hose"],
        "Warengruppe": ["Mäntel", "Hosen"],
        "Farbe": ["rot", "blau"],
    }
    assert recognise("articles", columns)["article"] == "Artikel"
    by_purchases = recognise("articles", columns | {"Artikelnr": ["1", "2"]}, ids=["Artikelnr"])
    assert by_purchases == {"article": "Artikelnr", "product_type": "Warengruppe", "colour": "Farbe"}


def test_what_stands_in_a_column_counts():
    assert recognise("transactions", {"date": ["soon"], "price": ["dear"], "quantity": ["0.5"]}) == {}
    assert "channel" not in recognise("transactions", {"store": [str(number) for number in range(21)]})
    assert recognise("customers", {"client": ["a"], "age": ["1977-01-01"]}) == {"customer": "client"}
    assert recognise("transactions", {"customer": [None, ""]}) == {}

"""What `esasrec` has run by the Python of RecTools' environment, which has neither hmgpu nor Polars."""

import json
import sys
from pathlib import Path

BOUGHT, CUSTOMERS, ON_SALE = "bought.csv", "customers.csv", "on_sale.csv"
SETTINGS, FOUND = "settings.json", "found.csv"
LONGEST = 50  # purchases of a customer that are looked at


def main(folder: Path) -> None:
    """Fit SASRec on `bought` (customer, article, day) and write `found` (customer, article, rank) into `folder`."""
    import pandas as pd
    from pytorch_lightning import seed_everything
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel
    from rectools.models.nn.transformers.ligr import LiGRLayers

    settings = json.loads((folder / SETTINGS).read_text())
    bought, customers, on_sale = (pd.read_csv(folder / name) for name in (BOUGHT, CUSTOMERS, ON_SALE))
    bought = bought.rename(columns={"customer": Columns.User, "article": Columns.Item})
    bought[Columns.Datetime] = pd.to_datetime(bought.pop("day"), unit="D")
    bought[Columns.Weight] = 1.0
    dataset = Dataset.construct(bought)
    seed_everything(settings["seed"])
    model = SASRecModel(
        n_factors=settings["factors"],
        epochs=settings["epochs"],
        session_max_len=LONGEST,
        loss="sampled_softmax",
        n_negatives=settings["negatives"],
        transformer_layers_type=LiGRLayers,
        deterministic=True,
    )
    model.fit(dataset)
    found = model.recommend(
        users=customers["customer"].to_numpy(),
        dataset=dataset,
        k=settings["places"],
        filter_viewed=False,  # people buy articles again
        items_to_recommend=on_sale["article"].to_numpy(),
        on_unsupported_targets="ignore",
    )
    found = found.rename(columns={Columns.User: "customer", Columns.Item: "article", Columns.Rank: "rank"})
    found[["customer", "article", "rank"]].to_csv(folder / FOUND, index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

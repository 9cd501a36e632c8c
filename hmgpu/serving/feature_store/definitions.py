"""Write what Feast reads: the settings of its stores, and Python that defines entities and feature views."""

import json
from collections.abc import Iterable

from hmgpu.data.weeks import DAYS
from hmgpu.serving.feature_store.tables import TIME, View

SETTINGS = """\
# Written once by `hmgpu export --feast`; yours to change.
project: hmgpu
provider: local
registry: registry.db
entity_key_serialization_version: 3
offline_store: {type: duckdb}  # reads the files in data/; `file` drops pairs that share a customer or an article
online_store: {type: sqlite, path: online_store.db}
# In its place, after pip install 'feast[redis]':
# online_store: {type: redis, connection_string: "localhost:6379"}
"""

HEAD = f'''\
"""Entities and feature views for Feast; `hmgpu export --feast` writes this file again, so change it elsewhere."""

from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.data_format import ParquetFormat
from feast.types import Bool, Float32, Float64, Int32, Int64, String

DATA = Path(__file__).resolve().parent / "data"  # apply again where the folder was moved
WEEK = timedelta(days={DAYS})  # what was learned before a week holds for the week
customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)
article = Entity(name="article", join_keys=["article_id"], value_type=ValueType.STRING)
'''

VIEW = """
view_{name} = FeatureView(
    name="{name}",
    description={says},
    entities=[{entity}],
    ttl=WEEK,
    schema=[
        Field(name="{entity}_id", dtype=String),
{fields}
    ],
    source=FileSource(
        name="{name}", path=str(DATA / "{name}"), file_format=ParquetFormat(), timestamp_field="{time}"
    ),
)
"""


def definitions(views: Iterable[View]) -> str:
    """Return the Python that defines `views`, and the feature service `hmgpu` of all of them."""
    text, names = HEAD, list[str]()
    for view in views:
        fields = "\n".join(
            f"        Field(name={json.dumps(name)}, dtype={kind})," for name, kind in view.columns.items()
        )
        text += VIEW.format(name=view.name, says=json.dumps(view.says), entity=view.entity, fields=fields, time=TIME)
        names.append(f"view_{view.name}")
    return f'{text}\nall_features = FeatureService(name="hmgpu", features=[{", ".join(names)}])\n'

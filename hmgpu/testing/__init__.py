"""The contracts that hmgpu's own parts must keep, for yours: subclass one in a test and say which part it is about.

    from hmgpu.testing import RetrieverContract

    class TestMine(RetrieverContract):
        part = Mine(n=20)

pytest then checks shape and dtypes, ties, limits, that no customer's result depends on another's, that neither the
order of rows nor the future changes a byte, that absent columns are coped with, and, where RAPIDS is installed, that
every plan runs on a GPU. A fixture `part` may give the part too, or a parametrization of the class.

The data is synthetic and is generated once a session, in a few seconds. `make_history` builds a History by hand.
"""

import pytest

_CONTRACTS = ("part", "retriever", "feature", "negative_sampler", "ranker")
pytest.register_assert_rewrite("hmgpu.testing.settings", *(f"hmgpu.testing.{name}_contract" for name in _CONTRACTS))

from hmgpu.testing.asking import bound, digests, learned, plans_of  # noqa: E402 (asserts are rewritten at import)
from hmgpu.testing.contract_data import ContractData, contract_data  # noqa: E402
from hmgpu.testing.feature_contract import FeatureContract  # noqa: E402
from hmgpu.testing.histories import CUTOFF, EVERY_COLUMN, make_history  # noqa: E402
from hmgpu.testing.negative_sampler_contract import NegativeSamplerContract  # noqa: E402
from hmgpu.testing.ranker_contract import RankerContract  # noqa: E402
from hmgpu.testing.retriever_contract import RetrieverContract  # noqa: E402
from hmgpu.testing.settings import check_settings  # noqa: E402
from hmgpu.testing.translation import collapses, collapses_of, untranslated  # noqa: E402

__all__ = [
    "CUTOFF",
    "EVERY_COLUMN",
    "ContractData",
    "FeatureContract",
    "NegativeSamplerContract",
    "RankerContract",
    "RetrieverContract",
    "bound",
    "check_settings",
    "collapses",
    "collapses_of",
    "contract_data",
    "digests",
    "learned",
    "make_history",
    "plans_of",
    "untranslated",
]

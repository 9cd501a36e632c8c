"""Candidates with features are compared between all contenders."""

import polars as pl
import pytest

from hmgpu.benchmark.agreement import DisagreementError
from hmgpu.benchmark.feature_agreement import FeatureAgreement


def test_engines_are_compared_with_each_other_too():
    table = pl.DataFrame({"customer": [1], "article": [1], "x": [1.0]})
    near, far = (table.with_columns(x=pl.lit(value)) for value in (1.00009, 0.99992))
    agreement = FeatureAgreement()
    agreement.check("it", {"CPU": near, "GPU": table, "pandas": table.to_pandas()})
    assert agreement.apart == pytest.approx({"CPU and pandas": 9e-5, "CPU and GPU": 9e-5})
    with pytest.raises(DisagreementError, match="it: CPU and GPU: column 'x'"):
        FeatureAgreement().check("it", {"CPU": near, "GPU": far, "pandas": table.to_pandas()})

"""While Lightning is loaded, packages that hmgpu needs none of are not found, and others are as always."""

import pytest

imports = pytest.importorskip("lightning_utilities.core.imports", reason="Lightning is not installed here")
from hmgpu.parts.models.training.load_lightning import UNUSED, taken_for_missing  # noqa: E402 (needs Lightning)


def found(package: str) -> set[bool]:
    """What each way to ask for a package says."""
    asked = (imports.RequirementCache(package), imports.RequirementCache(f"{package}>=0.0.1"))
    return {*map(bool, asked), imports.package_available(package), imports.module_available(package)}


@pytest.mark.parametrize("package", sorted(UNUSED))
def test_what_is_not_needed_is_taken_for_missing_for_so_long(package):
    before = found(package)
    with taken_for_missing():
        assert found(package) == {False}
        assert found("torch") == {True}
    assert found(package) == before

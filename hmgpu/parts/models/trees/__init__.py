"""Gradient-boosted trees: XGBoost, fed from examples on disk and fitted by one process or by several."""

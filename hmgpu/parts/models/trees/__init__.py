"""Gradient-boosted trees: how XGBoost is fed and fitted, by one process or by several."""

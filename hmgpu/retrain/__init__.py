"""The weekly retrain: check a new week of data, train on it, judge the new run, and promote it if it is better."""

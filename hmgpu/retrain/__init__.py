"""The weekly retrain: a week more of data, checked; a run on it, judged; and the better run made the current one."""

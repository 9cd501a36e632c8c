"""From raw files to a Store, and the History that every part receives."""

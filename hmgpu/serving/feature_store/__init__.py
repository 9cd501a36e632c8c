"""A Feast repository over what features learn of each article and each customer, week by week."""

"""A page that describes a data set: sales, customers, repurchases, articles, lifetimes, seasons and prices.

It covers all of the data, including the last weeks. What models learn comes from a History, never from here.
"""

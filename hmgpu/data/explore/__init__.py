"""What a data set holds, to read: sales, customers, articles, prices, seasons.

It describes all of the data, its last weeks too. What models learn comes from a History, never from here.
"""

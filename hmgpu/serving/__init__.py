"""What a finished run serves without its data set: lists by customer id, and everything learned in open formats."""

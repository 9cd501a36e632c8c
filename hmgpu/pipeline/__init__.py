"""The pipeline from a data set to twelve articles for every customer, one step a file."""

"""Networks that know customers by what they bought lately, in no order."""

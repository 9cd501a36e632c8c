"""The two years that the synthetic world covers: those of the public data."""

import datetime

FIRST_DATE = datetime.date(2018, 9, 20)
"""A Thursday. Weeks run Wednesday to Tuesday, so the first one lacks its first day."""
MISSING = 1
"""Days that the first week lacks."""
WEEKS = 105
DAYS = 7 * WEEKS - MISSING

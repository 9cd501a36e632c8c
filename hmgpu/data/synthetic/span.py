"""The two years that the synthetic data covers, the same as in the public data."""

import datetime

FIRST_DATE = datetime.date(2018, 9, 20)
"""A Thursday. Weeks run Wednesday to Tuesday, so the first one lacks its first day."""
MISSING = 1
"""Number of days that the first week lacks."""
WEEKS = 105
DAYS = 7 * WEEKS - MISSING

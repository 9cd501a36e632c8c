"""Whether a web service answers at all: asked before a library that would try for minutes."""

import urllib.error
import urllib.request
from http.client import HTTPException

LIMIT = 10  # seconds


def answers(url: str, limit: float = LIMIT) -> bool:
    """Whether anything, an error included, comes back from the http(s) address `url` within `limit` seconds."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=limit):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError, HTTPException):
        return False

"""Notify a program and a webhook of how a retrain ended."""

import json
import logging
import os
import subprocess
import urllib.request
from http.client import HTTPException

from hmgpu.core.reach import LIMIT
from hmgpu.pipeline.retrain_settings import Notify
from hmgpu.retrain.record import Record

log = logging.getLogger(__name__)

PATIENCE = 30  # seconds that a program may take


def notify(receivers: Notify, record: Record) -> None:
    """Send `record` as JSON to the program and the webhook of `receivers`; failures are only logged."""
    content = json.dumps(record.as_json()).encode()
    if receivers.command:
        program = receivers.command[0]
        try:
            subprocess.run(receivers.command, input=content, timeout=PATIENCE, check=True, stdout=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            log.warning("retrain.notify.command: %s did not end within %g s and was stopped.", program, PATIENCE)
        except subprocess.CalledProcessError as error:
            log.warning("retrain.notify.command: %s ended with status %d.", program, error.returncode)
        except OSError as error:
            log.warning("retrain.notify.command: %s can't be run (%s).", program, error.strerror)
    if receivers.webhook_variable:
        _post(receivers.webhook_variable, content)


def _post(variable: str, content: bytes) -> None:
    url = os.environ.get(variable, "")
    # Only web addresses: `file:` and the like would be read instead.
    if not url.startswith(("https://", "http://")):
        log.warning("%s holds no http(s) address: no webhook was called.", variable)
        return
    try:
        request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=LIMIT):
            pass
    except (OSError, ValueError, HTTPException) as error:
        # The address is a secret, and errors may quote it.
        status = getattr(error, "code", None)
        what = f"answered with HTTP {status}" if status else f"did not answer within {LIMIT} s or can't be reached"
        log.warning("the webhook in %s failed: it %s.", variable, what)

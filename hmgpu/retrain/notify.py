"""Notify a program and a webhook of how a retrain ended."""

import json
import logging
import os
import subprocess
import urllib.request

from hmgpu.pipeline.retrain_settings import Notify
from hmgpu.retrain.record import Record

log = logging.getLogger(__name__)

PATIENCE = 30  # seconds


def notify(receivers: Notify, record: Record) -> None:
    """Send `record` as JSON to the program and the webhook of `receivers`; failures are only logged."""
    content = json.dumps(record.as_json()).encode()
    if receivers.command:
        try:
            subprocess.run(receivers.command, input=content, timeout=PATIENCE, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError) as error:
            log.warning("retrain.notify.command: %s", error)
    if receivers.webhook_variable:
        url = os.environ.get(receivers.webhook_variable, "")
        # Only web addresses: `file:` and the like would be read instead.
        if not url.startswith(("https://", "http://")):
            log.warning("%s holds no http(s) address: no webhook was called", receivers.webhook_variable)
            return
        request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):
                pass
        except (OSError, ValueError) as error:
            # The address is a secret, and errors may quote it.
            log.warning("the webhook in %s failed: %s", receivers.webhook_variable, type(error).__name__)

"""Telling how a retrain ended: a program, and a webhook."""

import json
import logging
import os
import subprocess
import urllib.request

from hmgpu.pipeline.retrain_settings import Notify
from hmgpu.retrain.record import Record

log = logging.getLogger(__name__)

PATIENCE = 30  # seconds


def tell(notify: Notify, record: Record) -> None:
    """Hands `record` as JSON to the program and the webhook of `notify`. Whatever goes wrong is logged and no more."""
    content = json.dumps(record.as_json()).encode()
    if notify.command:
        try:
            subprocess.run(notify.command, input=content, timeout=PATIENCE, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError) as error:
            log.warning("retrain.notify.command: %s", error)
    if notify.webhook_variable:
        url = os.environ.get(notify.webhook_variable, "")
        # Only the web: `file:` and the like would be read, not told.
        if not url.startswith(("https://", "http://")):
            log.warning("%s holds no http(s) address: nobody was told through it", notify.webhook_variable)
            return
        request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):
                pass
        except (OSError, ValueError) as error:
            # The address is a secret, and errors may quote it.
            log.warning("the webhook in %s failed: %s", notify.webhook_variable, type(error).__name__)

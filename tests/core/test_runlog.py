"""The log of a run: JSON lines whose time has a zone, and fields of their own."""

import datetime
import json
import logging

from hmgpu.core.runlog import FIELDS, log_file


def test_a_line_has_its_fields_and_a_time_with_a_zone(tmp_path) -> None:
    log = logging.getLogger("hmgpu.tests")
    with log_file(tmp_path / "run" / "log.jsonl"):
        log.warning("%s: done", "fit", extra={FIELDS: {"step": "fit", "seconds": 1.5, "rows": 3}})
    (line,) = map(json.loads, (tmp_path / "run" / "log.jsonl").read_text().splitlines())
    at = datetime.datetime.fromisoformat(line.pop("time"))
    assert at.utcoffset() == datetime.timedelta(0)
    assert abs(datetime.datetime.now(datetime.UTC) - at) < datetime.timedelta(minutes=1)
    assert line == {
        "level": "WARNING",
        "from": "hmgpu.tests",
        "message": "fit: done",
        "step": "fit",
        "seconds": 1.5,
        "rows": 3,
    }

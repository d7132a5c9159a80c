"""Every spelling of a time that the real samples and portals have, from the file to ``occurred_at``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from landed import Desk, audit

AFTERNOON: Final = "2021-05-18 21:13:33+00"
FROM_API: Final[dict[str, str | None]] = {
    "2021-05-18T21:13:33": AFTERNOON,
    "2021-05-18T21:13:33Z": AFTERNOON,
    "2021-05-18T21:13:33.12Z": "2021-05-18 21:13:33.12+00",
    "2021-05-18T21:13:33.1234567Z": "2021-05-18 21:13:33.123456+00",
    "2021-05-18T21:13:33.123456789": "2021-05-18 21:13:33.123456+00",
    "2021-05-18T21:13:33+00:00": AFTERNOON,
    "2021-05-18T23:13:33+02:00": AFTERNOON,
    "2021-05-18 21:13:33 ": AFTERNOON,
    "5/18/2021 9:13:33 PM": AFTERNOON,
    "/Date(1621372413000)/": AFTERNOON,
    "yesterday": None,
    "0001-01-01T00:00:00Z": None,
}
FROM_PORTAL: Final[dict[str, str | None]] = {
    "2021-05-18T21:13:33Z": AFTERNOON,
    "5/18/2021, 9:13:33 PM": AFTERNOON,
    "5/18/2021, 9:13:33.123 PM": "2021-05-18 21:13:33.123+00",
    "18.5.2021, 21:13:33": AFTERNOON,
    "18.05.2021 21:13:33,1234567": "2021-05-18 21:13:33.123456+00",
    "18-5-2021 21:13:33": AFTERNOON,
    "18/05/2021, 21:13:33": AFTERNOON,
    "5/6/2021, 21:13:33": None,
    "": None,
}


def test_times_of_apis(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    lines = [json.dumps(audit(f"a{n}", when)) for n, when in enumerate(FROM_API)]
    lines[0] = lines[0].replace("/", "\\/")
    landed = desk.bring("ual.json", "\n".join(lines).replace('"/Date', '"\\/Date').replace(')/"', ')\\/"'))
    rows = dict(desk.ask("SELECT record_id, occurred_at::VARCHAR FROM landed_records"))
    assert {when: rows[f"a{n}"] for n, when in enumerate(FROM_API)} == FROM_API
    assert landed.bad_times == 2


def test_times_of_portals(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    header = '"TimeGenerated [UTC]";RequestId;RequestUri;RequestMethod;Type\n'
    rows = [f'"{when}";r{n};/v1.0/me;GET;MicrosoftGraphActivityLogs\n' for n, when in enumerate(FROM_PORTAL)]
    landed = desk.bring("query_data.csv", header + "".join(rows))
    found = dict(desk.ask("SELECT event_id, occurred_at::VARCHAR FROM landed_calls"))
    assert {when: found[f"r{n}"] for n, when in enumerate(FROM_PORTAL)} == FROM_PORTAL
    assert landed.bad_times == 1  # what is not there is not badly written

"""The sizes beyond which input is refused or set aside; one place, so that they can be reviewed together.

Must never hold anything but constants.
"""

from __future__ import annotations

from typing import Final

MIB: Final = 2**20

MAX_RECORD_BYTES: Final = 16 * MIB
"""Longest record taken in: what DuckDB's reader of newline-delimited JSON accepts by default."""

MAX_DEPTH: Final = 256
"""Deepest nesting taken in. Real records stay below 20; Python's own parser gives up near 1,000."""

WINDOW_BYTES: Final = MAX_RECORD_BYTES + MIB
"""How far ahead a document is looked at: the longest record, and what may stand around it. Twice that is in memory."""

BATCH_BYTES: Final = 4 * MIB
"""How much of an array is split at once by compiled code; a document no longer than this is split whole."""

MAX_QUARANTINED: Final = 2_000_000
"""Most records of one file that are set aside one by one; a file with more of them is no log."""

MAX_INFLATED_BYTES: Final = 64 * 2**30
"""Largest size to which one compressed file may grow."""

MAX_INFLATE_RATIO: Final = 250
"""Highest ratio of decompressed to compressed bytes; log files reach 10 to 60, a bomb about 1,000."""

INFLATE_RATIO_FREE_BYTES: Final = 64 * MIB
"""Below this size the ratio is not looked at: a few thousand equal records compress very well."""

MAX_MEMBERS: Final = 2_000_000
"""Most pieces in which one file may be compressed: each costs time, however little it holds."""

MAX_ARCHIVE_MEMBERS: Final = 100_000
"""Most files in one archive."""

MAX_DIRECTORY_BYTES: Final = 16 * MIB
"""Longest directory of an archive; it is read at once."""

MAX_NAME_CHARACTERS: Final = 1000
"""Longest name of a file in an archive."""

HEAD_BYTES: Final = MIB
"""How much of a file is looked at to recognise it."""

HEAD_LINES: Final = 50
"""How many lines of the head are parsed to recognise it."""

PEEK_RECORDS: Final = 200
"""How many records are looked at before a kind must have been recognised."""

PEEK_BYTES: Final = 32 * MIB
"""How much of such records is kept in memory meanwhile."""

MAX_CSV_ROW_LINES: Final = 5000
"""Physical lines that one row of a CSV export may span before its opening quote is taken for a stray one."""

EXCERPT_BYTES: Final = 200
"""How much of a quarantined record is shown."""

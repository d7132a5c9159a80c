"""Ctrl-C, and a stop by the service manager, always obeyed: also while a statement runs and Python gets no turn.

Ending hard is allowed: a kill at any moment leaves a store that the next run completes.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from typing import Final

from m365audit.cli.streams import say

EXIT_CODE: Final = 130
WORDS: Final = "interrupted; what was landed is safe, run the same command again"
GRACE: Final = 3.0
"""Seconds that the work has to stop by itself; a second Ctrl-C ends it at once."""


def obey() -> None:
    """Watch for Ctrl-C and SIGTERM from a thread of its own; Ctrl-C stays ignored where it is (background jobs)."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(heard,), name="ctrl-c", daemon=True).start()


def _watch(heard: int) -> None:
    while os.read(heard, 1)[0] not in {signal.SIGINT, signal.SIGTERM}:
        pass
    select.select([heard], [], [], GRACE)
    say(WORDS)
    os._exit(EXIT_CODE)

"""The demo's world: a small Microsoft 365 with known wrongs, written as exports or served live.

What is served lies in modules of its own (``live_world``, ``synthetic``, ``service``): their libraries are loaded by
whoever serves, not by whoever writes exports. Must never judge anything itself.
"""

from __future__ import annotations

from m365audit.simulator.truth import ExpectedFinding, Truth, VerdictCount
from m365audit.simulator.world import SEED, World, write_world

__all__ = ["SEED", "ExpectedFinding", "Truth", "VerdictCount", "World", "write_world"]

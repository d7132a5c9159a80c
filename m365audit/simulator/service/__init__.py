"""A small Microsoft 365 on loopback over TLS. Must never be reached by the product: the demo and the tests use it."""

from __future__ import annotations

from m365audit.simulator.service.clock import SimulatedClock
from m365audit.simulator.service.faults import FOR_EVER, KINDS, Fault, FaultPlan
from m365audit.simulator.service.random_plans import random_plan
from m365audit.simulator.service.request_log import Logged, RequestLog, writes
from m365audit.simulator.service.running import Simulator, running

__all__ = [
    "FOR_EVER",
    "KINDS",
    "Fault",
    "FaultPlan",
    "Logged",
    "RequestLog",
    "SimulatedClock",
    "Simulator",
    "random_plan",
    "running",
    "writes",
]

"""The fault proxy: between an operator and a real apiserver, it does what networks, crashes and lagging caches do."""

from tests.faults.proxy.call import Call
from tests.faults.proxy.crash import Crash, Cut, WritePoint
from tests.faults.proxy.errors import Errors, Fault
from tests.faults.proxy.server import FaultProxy
from tests.faults.proxy.store import StoreProxy
from tests.faults.proxy.watches import Gap, Watches

__all__ = ["Call", "Crash", "Cut", "Errors", "Fault", "FaultProxy", "Gap", "StoreProxy", "Watches", "WritePoint"]

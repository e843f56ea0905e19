"""The frame every emulator stands on: state, contract, faults and server."""

from sandbox.emulator.app import KEY_HEADER, emulator
from sandbox.emulator.contract import ContractLog, ContractMiddleware, Dialect, Violation
from sandbox.emulator.faults import Fault, FaultKind, FaultMiddleware, FaultSwitch
from sandbox.emulator.operation import Problem
from sandbox.emulator.schema import Contract
from sandbox.emulator.serve import ServiceServer, running
from sandbox.emulator.store import Document, Store

__all__ = [
    "KEY_HEADER",
    "Contract",
    "ContractLog",
    "ContractMiddleware",
    "Dialect",
    "Document",
    "Fault",
    "FaultKind",
    "FaultMiddleware",
    "FaultSwitch",
    "Problem",
    "ServiceServer",
    "Store",
    "Violation",
    "emulator",
    "running",
]

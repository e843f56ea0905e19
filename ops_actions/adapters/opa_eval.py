"""OPA as one process per question: what a check in CI wants, where nothing else is running."""

from __future__ import annotations

import json
import re
import subprocess
from threading import Lock
from typing import TYPE_CHECKING, Final

from ops_actions.decision.bundle import CAPABILITIES, TEST_SUFFIX
from ops_actions.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path

    from ops_actions.canonical import Json

QUERY: Final = "data.ops.main.decisions"
FROM_VERSION: Final = (1, 4)
BELOW_VERSION: Final = (2, 0)

FORBIDDEN: Final = frozenset(
    {
        "http.send",
        "io.jwt.decode_verify",
        "io.jwt.encode_sign",
        "io.jwt.encode_sign_raw",
        "json.match_schema",
        "json.verify_schema",
        "net.lookup_ip_addr",
        "opa.runtime",
        "providers.aws.sign_req",
        "rand.intn",
        "time.now_ns",
        "uuid.rfc4122",
    }
)
"""Built-in functions that reach out of the input: the same input must give the same decision."""

# A question lives for milliseconds: Go need not collect its garbage before it fills the limit.
_ENVIRONMENT: Final = {"GOGC": "off", "GOMEMLIMIT": "512MiB"}
_VERSION: Final = re.compile(rb"^Version: (\d+)\.(\d+)", re.MULTILINE)
_VERSION_TIMEOUT: Final = 10.0  # seconds
_NEXT: Final = "run `scripts/setup`, then `coh doctor`"


class OpaEval:
    """Asks ``opa eval``; the input goes in by a pipe, nothing is written to disk.

    The program gets none of our environment, only the built-in functions that the bundle's
    capabilities.json lists, and a deadline. An error of a built-in function fails the question
    instead of making a rule undefined. Safe to share between threads.

    Args:
        binary: the program, version 1.4 or later below 2.
    """

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._checked = False
        self._lock = Lock()

    def decide(self, bundle: Path, document: Json, timeout: float) -> Json:
        """Evaluate ``data.ops.main.decisions``, see `PolicyEngine.decide`.

        Raises:
            OutsideError: ``engine.missing``, ``engine.version``, ``engine.capabilities``,
                ``engine.late``, ``engine.failed`` or ``engine.garbled``.
        """
        _refuse_reaching_out(bundle / CAPABILITIES)
        question = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
        with self._lock:
            version = None if self._checked else self._start("version")
        # The version is asked beside the question, so that asking costs no time of its own.
        try:
            answer = self._run(self._arguments(bundle, timeout), question, timeout)
            if version is not None:
                _check_version(version)
                self._checked = True
        finally:
            if version is not None:
                version.kill()
                version.communicate()
        return _value(answer)

    def _arguments(self, bundle: Path, timeout: float) -> list[str]:
        return [
            "eval",
            "--bundle",
            str(bundle),
            "--ignore",
            f"*{TEST_SUFFIX}",
            "--capabilities",
            str(bundle / CAPABILITIES),
            "--strict-builtin-errors",
            "--timeout",
            f"{timeout:.3f}s",
            "--format",
            "json",
            "--stdin-input",
            QUERY,
        ]

    def _run(self, arguments: list[str], question: bytes, timeout: float) -> bytes:
        try:
            done = subprocess.run(
                [str(self._binary), *arguments],
                input=question,
                capture_output=True,
                check=False,
                env=_ENVIRONMENT,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            fact = f"opa gave no answer within {timeout:g} s and was ended"
            raise OutsideError("engine.late", fact, _NEXT) from error
        except OSError as error:
            raise self._missing(error) from error
        if done.returncode:
            fact = f"opa ended with {done.returncode}: {_reasons(done.stdout)}"
            raise OutsideError("engine.failed", fact, _NEXT)
        return done.stdout

    def _start(self, argument: str) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [str(self._binary), argument],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
            )
        except OSError as error:
            raise self._missing(error) from error

    def _missing(self, error: OSError) -> OutsideError:
        fact = f"{self._binary.name} can't be run: {error.strerror}"
        return OutsideError("engine.missing", fact, _NEXT)


def _check_version(process: subprocess.Popen[bytes]) -> None:
    try:
        said, _ = process.communicate(timeout=_VERSION_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise OutsideError("engine.late", "opa did not say its version", _NEXT) from error
    found = _VERSION.search(said)
    if found is None:
        raise OutsideError("engine.version", "opa did not say its version", _NEXT)
    version = (int(found[1]), int(found[2]))
    if not FROM_VERSION <= version < BELOW_VERSION:
        fact = f"opa is {version[0]}.{version[1]}, needed is 1.4 or later, below 2"
        raise OutsideError("engine.version", fact, _NEXT)


def _refuse_reaching_out(capabilities: Path) -> None:
    try:
        listed = json.loads(capabilities.read_bytes())
        names = {builtin["name"] for builtin in listed["builtins"]}
        hosts = listed["allow_net"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        fact = f"the policies' {CAPABILITIES} can't be read"
        raise OutsideError("engine.capabilities", fact, _NEXT) from error
    if names & FORBIDDEN or hosts != []:
        fact = f"the policies' {CAPABILITIES} allows more than the input"
        raise OutsideError("engine.capabilities", fact, _NEXT)


def _value(answer: bytes) -> Json:
    """Return the value of the query; ``{}`` without a result is undefined."""
    try:
        document = json.loads(answer)
    except ValueError as error:
        raise OutsideError("engine.garbled", "opa's answer is no JSON", _NEXT) from error
    match document:
        case {"errors": _}:
            raise OutsideError("engine.failed", f"opa says {_reasons(answer)}", _NEXT)
        case {"result": [{"expressions": [{"value": value}]}]}:
            result: Json = value
            return result
        case {} if not document:
            return None
        case _:
            raise OutsideError("engine.garbled", "opa's answer has no single value", _NEXT)


def _reasons(answer: bytes) -> str:
    """Return kind and place of OPA's errors; their text may quote values of the input."""
    try:
        errors = json.loads(answer)["errors"]
        said = [
            f"{error.get('code', 'error')} at {error['location']['file'].rpartition('/')[2]}"
            f":{error['location']['row']}"
            if "location" in error
            else str(error.get("code", "an error"))
            for error in errors
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return "an error without a place"
    return "; ".join(said[:5]) or "an error without a place"

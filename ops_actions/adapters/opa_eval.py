"""OPA as one process per question: what a check in CI wants, where nothing else is running."""

from __future__ import annotations

import json
import re
import subprocess
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from ops_actions.decision.bundle import CAPABILITIES, FOLDER, TEST_SUFFIX
from ops_actions.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Mapping
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
_UNUSABLE: Final = 2  # how opa ends when it has understood what it shall do and says why it can't
_CANCELLED: Final = "eval_cancel_error"
_LOADING: Final = re.compile(r"(\S+):(\d+): (rego_\w+)|load failed on (\S+?):? ")
_NEXT: Final = "run `scripts/setup`, then `coh doctor`"


class OpaEval:
    """Asks ``opa eval``; the input goes in by a pipe, nothing is written to disk.

    The program gets none of our environment, only the built-in functions that the bundle's
    capabilities.json lists, and a deadline. The policies are compiled in strict mode, and an error
    of a built-in function fails the question instead of making a rule undefined. Safe to share
    between threads.

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
            OutsideError: ``engine.capabilities`` or ``engine.policies`` when the bundle can't be
                used; ``engine.missing``, ``engine.version``, ``engine.late``, ``engine.failed``
                or ``engine.garbled`` when the engine can't.
        """
        _refuse_reaching_out(bundle / CAPABILITIES)
        question = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
        with self._lock:
            version = None if self._checked else self._start("version")
        # The version is asked beside the question, so that asking costs no time of its own.
        try:
            answer = self._run(bundle, question, timeout)
            if version is not None:
                _check_version(version)
                self._checked = True
        finally:
            if version is not None:
                version.kill()
                version.communicate()
        return _value(answer, bundle)

    def _arguments(self, bundle: Path, timeout: float) -> list[str]:
        return [
            "eval",
            "--bundle",
            str(bundle),
            "--ignore",
            f"*{TEST_SUFFIX}",
            "--capabilities",
            str(bundle / CAPABILITIES),
            "--strict",
            "--strict-builtin-errors",
            "--timeout",
            f"{timeout:.3f}s",
            "--format",
            "json",
            "--stdin-input",
            QUERY,
        ]

    def _run(self, bundle: Path, question: bytes, timeout: float) -> bytes:
        try:
            done = subprocess.run(
                [str(self._binary), *self._arguments(bundle, timeout)],
                input=question,
                capture_output=True,
                check=False,
                env=_ENVIRONMENT,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise _late(timeout) from error
        except OSError as error:
            raise self._missing(error) from error
        if done.returncode:
            raise _failure(done, bundle, timeout)
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


def _late(timeout: float) -> OutsideError:
    fact = f"opa gave no answer within {timeout:g} s and was ended"
    return OutsideError("engine.late", fact, _NEXT)


def _failure(
    done: subprocess.CompletedProcess[bytes], bundle: Path, timeout: float
) -> OutsideError:
    """Tell policies that can't be used from an engine that can't: only the latter may pass by."""
    if done.returncode == 1 and b'"--capabilities" flag' in done.stderr:
        fact = f"opa can't read the policies' {CAPABILITIES}"
        return OutsideError("engine.capabilities", fact, _NEXT)
    errors = _errors(done.stdout)
    if any(error.get("code") == _CANCELLED for error in errors):
        return _late(timeout)
    fact = f"opa ended with {done.returncode}: {_reasons(errors, bundle)}"
    said_why = errors and done.returncode == _UNUSABLE
    return OutsideError("engine.policies" if said_why else "engine.failed", fact, _NEXT)


def _value(answer: bytes, bundle: Path) -> Json:
    """Return the value of the query; ``{}`` without a result is undefined."""
    try:
        document = json.loads(answer)
    except ValueError as error:
        raise OutsideError("engine.garbled", "opa's answer is no JSON", _NEXT) from error
    match document:
        case {"errors": _}:
            fact = f"opa says {_reasons(_errors(answer), bundle)}"
            raise OutsideError("engine.failed", fact, _NEXT)
        case {"result": [{"expressions": [{"value": value}]}]}:
            result: Json = value
            return result
        case {} if not document:
            return None
        case _:
            raise OutsideError("engine.garbled", "opa's answer has no single value", _NEXT)


def _errors(answer: bytes) -> list[dict[str, Any]]:
    """Return OPA's own errors; none when it was ended before it could say any."""
    try:
        errors = json.loads(answer)["errors"]
    except (ValueError, TypeError, KeyError):
        return []
    found = errors if isinstance(errors, list) else []
    return [error for error in found if isinstance(error, dict)]


def _reasons(errors: list[dict[str, Any]], bundle: Path) -> str:
    """Return kind and place of OPA's errors; their text may quote values of the input."""
    return "; ".join(_reason(error, bundle) for error in errors[:5]) or "an error without a place"


def _reason(error: Mapping[str, Any], bundle: Path) -> str:
    kind = str(error.get("code", "an error"))
    match error:
        case {"location": {"file": str(file), "row": int(row)}}:
            return f"{kind} at {_within(bundle, file)}:{row}"
    loading = _LOADING.search(str(error.get("message", "")))
    if loading is None:
        return kind
    file, row_text, code, unread = loading.groups()
    if unread:
        return f"{_within(bundle, unread)} can't be read"
    return f"{code} at {_within(bundle, file)}:{row_text}"


def _within(bundle: Path, file: str) -> str:
    """Name a file from the repository's root; where the engine found it says nothing to anybody."""
    return f"{FOLDER}/{file.removeprefix(str(bundle)).lstrip('/')}"

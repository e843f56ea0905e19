"""OPA as a server somewhere else, asked through `opa-python-client`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opa_client.opa import OpaClient

from ops_actions.decision.bundle import policy_digest, read_bundle
from ops_actions.errors import BadRequestError, OutsideError

if TYPE_CHECKING:
    from pathlib import Path

    from ops_actions.canonical import Json

_PACKAGE: Final = "ops.main"
_RULE: Final = "decisions"
_PORTS: Final = {"http": 80, "https": 443}
_NEXT: Final = "check the OPA server and its bundle, then run `coh doctor`"


class OpaServer:
    """Asks the REST API of an OPA server that holds the same policies.

    Which policies those are is not taken on trust: the server's bundle must carry the policy digest
    as its revision (``opa build --revision``), and each answer says which revision gave it
    (https://www.openpolicyagent.org/docs/latest/rest-api/#provenance).

    Args:
        url: ``http[s]://host[:port]`` and nothing more; a secret has no place in it.
        token: bearer token, None when the server asks for none.

    Raises:
        BadRequestError: ``engine.url``, the URL has another shape.
    """

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self._scheme, self._host, self._port = _split(url)
        self._token = token

    def decide(self, bundle: Path, document: Json, timeout: float) -> Json:
        """Evaluate ``data.ops.main.decisions``, see `PolicyEngine.decide`.

        Raises:
            OutsideError: ``engine.failed``, ``engine.late``, ``engine.garbled``, or
                ``engine.other_policies`` when the server holds other policies than the bundle.
        """
        began = time.monotonic()
        answer = self._ask(document, timeout)
        if time.monotonic() - began > timeout:
            fact = f"the OPA server took longer than {timeout:g} s"
            raise OutsideError("engine.late", fact, _NEXT)
        if not isinstance(answer, dict):
            raise OutsideError("engine.garbled", "the OPA server's answer is no object", _NEXT)
        _check_revision(answer.get("provenance"), policy_digest(read_bundle(bundle)))
        # The client gives an undefined result as an answer without one; that is a no further up.
        result: Json = answer.get("result")
        return result

    def _ask(self, document: Json, timeout: float) -> object:
        client = OpaClient(
            host=self._host,
            port=self._port,
            ssl=self._scheme == "https",
            token=self._token,
            retries=0,
            timeout=timeout,
        )
        try:
            answer: object = client.query_rule(
                input_data=document,
                package_path=_PACKAGE,
                rule_name=_RULE,
                query_params={"strict-builtin-errors": "true", "provenance": "true"},
            )
        except ValueError as error:
            raise OutsideError(
                "engine.garbled", "the OPA server's answer is no JSON", _NEXT
            ) from error
        except OSError as error:  # the base of every exception of requests
            fact = f"the OPA server gave no answer: {type(error).__name__}"
            raise OutsideError("engine.failed", fact, _NEXT) from error
        finally:
            client.close_connection()
        return answer


def _check_revision(provenance: object, expected: str) -> None:
    """Refuse an answer that other policies than the expected ones may have given."""
    match provenance:
        case {"bundles": dict() as bundles} if bundles:
            revisions = [
                bundle.get("revision") if isinstance(bundle, dict) else None
                for bundle in bundles.values()
            ]
        case _:
            revisions = []
    if revisions != [expected]:
        fact = f"the OPA server's only bundle should have revision {expected}, it has not"
        raise OutsideError("engine.other_policies", fact, _NEXT)


def _split(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    bare = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in _PORTS or not parts.hostname or not bare or parts.path not in {"", "/"}:
        raise BadRequestError(
            "engine.url",
            "the OPA server's URL is not of the form http[s]://host[:port]",
            "write the URL without path, user or query; a token goes into its own setting",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, host, port if port is not None else _PORTS[parts.scheme]

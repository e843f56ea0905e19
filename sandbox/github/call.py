"""One request to the emulator and its answer, independent of the web framework."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.github.errors import ApiError, invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sandbox.github.auth import Actor
    from sandbox.github.hub import Hub
    from sandbox.github.models import Account, Pull

Json = dict[str, Any]
PAGE_SIZE = 30
LARGEST_PAGE = 100


@dataclass(frozen=True)
class Links:
    """Where the emulator answers, to build the addresses in its answers."""

    root: str

    @property
    def api(self) -> str:
        """The address of the REST API, as GitHub Enterprise has it."""
        return f"{self.root}/api/v3"

    def repository(self, full_name: str) -> str:
        """The API address of a repository."""
        return f"{self.api}/repos/{full_name}"


@dataclass(frozen=True)
class Reply:
    """An answer; ``body`` None sends no content, bytes go out as they are."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One authenticated request."""

    hub: Hub
    actor: Actor
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    links: Links
    accept: str
    url: str

    @property
    def repository(self) -> str:
        """The full name of the addressed repository, spelt as it was registered."""
        return self.hub.full_name(f"{self.path['owner']}/{self.path['repo']}")

    @property
    def fields(self) -> Json:
        """The body as an object; an absent body is an empty one."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise ApiError(400, "Body should be a JSON object")
        return self.body

    def number(self, name: str) -> int:
        """Return a path part that must be a number."""
        try:
            return int(self.path[name])
        except ValueError:
            raise not_found() from None

    def pull(self) -> Pull:
        """Return the addressed pull request."""
        number = self.number("number")
        found = self.hub.state.pulls.get(number) if self.repository == self.hub.name else None
        if found is None:
            raise not_found()
        return found

    def account(self) -> Account:
        """Return the account of the caller."""
        account = self.hub.state.account(self.actor.login)
        if account is None:
            raise not_found()
        return account

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text of the body; without a default it is required."""
        value = self.fields.get(name, default)
        if not isinstance(value, str):
            missing = "missing_field" if value is None else "invalid"
            raise invalid(f"{name} must be a text", name=name, code=missing)
        return value

    def optional(self, name: str) -> str | None:
        """Return a text of the body, or None when absent or null."""
        return None if self.fields.get(name) is None else self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean of the body."""
        value = self.fields.get(name, default)
        if not isinstance(value, bool):
            raise invalid(f"{name} must be true or false", name=name, code="invalid")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of texts of the body, empty when absent."""
        value = self.fields.get(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(f"{name} must be a list of texts", name=name, code="invalid")
        return list(value)

    def window(self) -> tuple[int, int]:
        """Return page number and page size, as asked for and within GitHub's limits."""
        try:
            page = int(self.query.get("page", "1"))
            size = int(self.query.get("per_page", str(PAGE_SIZE)))
        except ValueError:
            page, size = 1, PAGE_SIZE
        return max(page, 1), min(max(size, 1), LARGEST_PAGE)

    def page(self, items: Sequence[Any], show: Callable[[Any], Any]) -> Reply:
        """Answer with one page of a list and the Link header that leads to the others."""
        return Reply(200, [show(item) for item in self.slice(items)], self.link_header(len(items)))

    def slice(self, items: Sequence[Any]) -> Sequence[Any]:
        """Return the items of the page asked for."""
        page, size = self.window()
        return items[(page - 1) * size : page * size]

    def link_header(self, total: int) -> dict[str, str]:
        """Return the Link header for a list of ``total`` items; empty when one page holds all."""
        page, size = self.window()
        last = max((total + size - 1) // size, 1)
        targets = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [name for name in ("prev", "first") if page > 1]
        wanted += [name for name in ("next", "last") if page < last]
        links = [f'<{self._page_url(targets[name])}>; rel="{name}"' for name in wanted]
        return {"Link": ", ".join(links)} if links else {}

    def _page_url(self, page: int) -> str:
        return f"{self.url}?{urlencode({**self.query, 'page': str(page)})}"


@dataclass(frozen=True)
class Endpoint:
    """One method of one path.

    Args:
        method: HTTP method.
        path: path below the API's address, in Starlette's notation.
        handler: what answers it.
        needs: token scopes of which one must be held; none for any valid token.
        forks: whether forks answer it too, and not only the repository itself.
    """

    method: str
    path: str
    handler: Callable[[Call], Reply]
    needs: tuple[str, ...] = ()
    forks: bool = False

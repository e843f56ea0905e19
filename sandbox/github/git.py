"""Git plumbing over one bare repository: objects, trees, commits, references.

Everything goes through the real ``git`` program, so that object names, merges and renames are what
git itself computes. References move only by compare-and-swap.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from functools import lru_cache
from typing import TYPE_CHECKING

from sandbox.github.gitobjects import TREE_MODE, GitError, parse_commit, tree_entry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from sandbox.github.gitobjects import Commit, Signature, TreeChange, TreeEntry

ZERO = "0" * 40
"""The object name that stands for "does not exist" in reference updates."""
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree without entries; git knows it without storing it."""
SHA = re.compile(r"[0-9a-f]{40}")
CACHED_OBJECTS = 4096


class RefMovedError(GitError):
    """A reference was not where the caller expected it; nothing changed."""


class Git:
    """One bare repository on disk.

    Args:
        directory: the bare repository.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # Objects never change, so what follows from their names alone is asked only once.
        self.commit = lru_cache(maxsize=CACHED_OBJECTS)(self._commit)
        self.is_ancestor = lru_cache(maxsize=CACHED_OBJECTS)(self._is_ancestor)
        self.merge_base = lru_cache(maxsize=CACHED_OBJECTS)(self._merge_base)
        self.merge_tree = lru_cache(maxsize=CACHED_OBJECTS)(self._merge_tree)
        self.commits_between = lru_cache(maxsize=CACHED_OBJECTS)(self._commits_between)
        self._listed: dict[str, tuple[object, dict[str, str]]] = {}

    @classmethod
    def create(cls, directory: Path, *, default_branch: str = "main") -> Git:
        """Make an empty bare repository, or open the one that is there."""
        git = cls(directory)
        if not (directory / "HEAD").exists():
            directory.mkdir(parents=True, exist_ok=True)
            git.run("init", "--quiet", "--bare", f"--initial-branch={default_branch}", ".")
        return git

    def run(
        self, *arguments: str, data: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> bytes:
        """Run one git command in the repository and return its standard output.

        Raises:
            GitError: the command ended with another exit code than 0.
        """
        code, output, error = self.attempt(*arguments, data=data, variables=variables)
        if code != 0:
            raise GitError(f"git {arguments[0]}: {error.strip()}")
        return output

    def attempt(
        self, *arguments: str, data: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, str]:
        """Run one git command and return exit code, standard output and standard error."""
        # The machine's own git settings must not change what a repository answers.
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_DIR": ".",
            **(variables or {}),
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.directory,
            env=environment,
            input=data,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")

    # Objects

    def object_type(self, sha: str) -> str | None:
        """Return blob, tree, commit or tag; None when there is no such object."""
        return self.object_types([sha])[sha]

    def object_types(self, names: Collection[str]) -> dict[str, str | None]:
        """Return blob, tree, commit or tag for each full object name; None for an unknown one."""
        kinds: dict[str, str | None] = dict.fromkeys(names)
        asked = [name for name in kinds if SHA.fullmatch(name)]
        if asked:
            lines = "\n".join(asked).encode()
            arguments = ("cat-file", "--batch-check=%(objecttype)")
            answers = self.run(*arguments, data=lines).decode().splitlines()
            found = zip(asked, answers, strict=True)
            kinds |= {name: None if " " in kind else kind for name, kind in found}
        return kinds

    def write_blob(self, content: bytes) -> str:
        """Store bytes and return their object name."""
        return self.run("hash-object", "-w", "--stdin", data=content).decode().strip()

    def blob(self, sha: str) -> bytes:
        """Return the bytes of a blob."""
        return self.run("cat-file", "blob", sha)

    def tree(self, treeish: str, path: str = "", *, recursive: bool = False) -> list[TreeEntry]:
        """List a tree, or the directory at ``path`` in it; names are relative to that."""
        name = f"{treeish}:{path}" if path else treeish
        flags = ["-r", "-t"] if recursive else []
        listing = self.run("ls-tree", "-z", "-l", *flags, name)
        return [tree_entry(line) for line in listing.decode().split("\0") if line]

    def entry(self, treeish: str, path: str) -> TreeEntry | None:
        """Return the entry at a path, or None."""
        listing = self.run("ls-tree", "-z", "-l", treeish, "--", path.strip("/"))
        lines = [line for line in listing.decode().split("\0") if line]
        return tree_entry(lines[0]) if lines else None

    def write_tree(self, base: str | None, changes: Sequence[TreeChange]) -> str:
        """Return the tree made of ``base`` (None: empty) with the changes applied.

        Raises:
            GitError: a path is malformed or an object does not exist.
        """
        with tempfile.TemporaryDirectory() as folder:
            variables = {"GIT_INDEX_FILE": os.path.join(folder, "index")}  # noqa: PTH118 - env text
            self.run("read-tree", base or "--empty", variables=variables)
            lines = "".join(line for change in changes for line in self._index_lines(base, change))
            index_info = ("update-index", "-z", "--index-info")
            code, _, error = self.attempt(*index_info, data=lines.encode(), variables=variables)
            # Git only warns of a path such as ../x and goes on without it.
            if code != 0 or error:
                raise GitError(f"git update-index: {error.strip()}")
            return self.run("write-tree", variables=variables).decode().strip()

    def _index_lines(self, base: str | None, change: TreeChange) -> Iterator[str]:
        """Say one change in the input of update-index: a directory is the files below it."""
        if change.sha is None or change.mode == TREE_MODE:
            held = () if base is None else self._below(base, change.path)
            yield from (f"0 {ZERO}\t{entry.path}\0" for entry in held)
        if change.sha is not None and change.mode == TREE_MODE:
            for entry in self.tree(change.sha, recursive=True):
                if entry.mode != TREE_MODE:
                    yield f"{entry.mode} {entry.sha}\t{change.path}/{entry.path}\0"
        elif change.sha is not None:
            yield f"{change.mode} {change.sha}\t{change.path}\0"

    def _below(self, treeish: str, path: str) -> list[TreeEntry]:
        listing = self.run("ls-tree", "-z", "-l", "-r", treeish, "--", path)
        return [tree_entry(line) for line in listing.decode().split("\0") if line]

    def write_commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        author: Signature,
        committer: Signature,
    ) -> str:
        """Store a commit whose message is kept byte for byte, and return its name."""
        headers = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        headers += [f"author {author.line()}", f"committer {committer.line()}"]
        body = "\n".join(headers) + "\n\n" + message
        arguments = ("hash-object", "-t", "commit", "-w", "--stdin")
        return self.run(*arguments, data=body.encode()).decode().strip()

    def _commit(self, sha: str) -> Commit:
        return parse_commit(sha, self.run("cat-file", "commit", sha).decode())

    # References

    def resolve(self, name: str) -> str | None:
        """Return the commit behind a branch, tag, full reference or object name, or None."""
        if not name or name.startswith("-") or any(part in name for part in ("..", "@{", "^", "~")):
            return None
        for candidate in (name, f"refs/heads/{name}"):
            code, output, _ = self.attempt(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}"
            )
            if code == 0:
                return output.decode().strip()
        return None

    def refs(self, prefix: str) -> dict[str, str]:
        """Return every reference below a prefix such as ``refs/heads`` with its object name."""
        state = self._refs_state(prefix)
        held = self._listed.get(prefix)
        if held is not None and state is not None and held[0] == state:
            return dict(held[1])
        listing = self.run("for-each-ref", "--format=%(refname) %(objectname)", prefix).decode()
        pairs = (line.partition(" ") for line in listing.splitlines())
        found = {name: sha for name, _, sha in pairs}
        self._listed[prefix] = (state, found)
        return dict(found)

    def valid_ref(self, ref: str) -> bool:
        """Tell whether git accepts the name of a full reference."""
        return self.attempt("check-ref-format", ref)[0] == 0

    def move(self, ref: str, *, new: str, old: str) -> None:
        """Move a reference from ``old`` to ``new``; ZERO creates or deletes.

        Raises:
            RefMovedError: the reference is not at ``old``; nothing changed.
            GitError: git refuses the name.
        """
        arguments = ["-d", ref, old] if new == ZERO else [ref, new, old]
        code, _, error = self.attempt("update-ref", *arguments)
        if code == 0:
            return
        now = self.refs(ref).get(ref, ZERO)
        kind = RefMovedError if now != old else GitError
        raise kind(f"{ref} is at {now}, expected {old}: {error.strip()}")

    # Relations

    def _is_ancestor(self, old: str, new: str) -> bool:
        """Tell whether ``new`` contains ``old``."""
        return self._verdict("merge-base", "--is-ancestor", old, new) is not None

    def _merge_base(self, one: str, two: str) -> str | None:
        """Return the best common ancestor, or None for unrelated histories."""
        output = self._verdict("merge-base", one, two)
        return None if output is None else output.split("\n")[0].strip()

    def _commits_between(self, base: str, head: str) -> tuple[str, ...]:
        """Return the commits of ``head`` that ``base`` lacks, oldest first."""
        arguments = ("rev-list", "--topo-order", "--reverse", f"{base}..{head}")
        return tuple(self.run(*arguments).decode().split())

    def log(self, head: str, *, path: str = "", limit: int = 1000) -> list[str]:
        """Return the newest ``limit`` commits reachable from ``head``, newest first."""
        paths = ["--", path] if path else []
        return self.run("rev-list", f"--max-count={limit}", head, *paths).decode().split()

    def _merge_tree(self, base: str, head: str) -> str | None:
        """Return the tree of a merge of two commits, or None when they conflict."""
        code, output, error = self.attempt("merge-tree", "--write-tree", base, head)
        tree = output.decode(errors="replace").split("\n")[0].strip()
        # Both a conflict and an unknown commit end with 1, but only a conflict names a tree.
        if code not in {0, 1} or not SHA.fullmatch(tree):
            raise GitError(f"git merge-tree: {error.strip()}")
        return tree if code == 0 else None

    def fetch(self, source: Path, sha: str) -> None:
        """Copy a commit and its history from another repository on this machine."""
        self.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(source), sha)

    def _verdict(self, *arguments: str) -> str | None:
        """Return the output of a command that ends with 1 to say no, None for that no."""
        code, output, error = self.attempt(*arguments)
        if code not in {0, 1}:
            raise GitError(f"git {arguments[0]}: {error.strip()}")
        return output.decode() if code == 0 else None

    def _refs_state(self, prefix: str) -> object | None:
        """Return what changes whenever a reference below the prefix does; None while one moves."""
        try:
            loose = {str(path): path.read_bytes() for path in _files(self.directory / prefix)}
            packed = self.directory / "packed-refs"
            about = packed.stat() if packed.exists() else None
        except OSError:
            return None
        return loose, about and (about.st_ino, about.st_mtime_ns, about.st_size)


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (found for found in path.rglob("*") if found.is_file())
    elif path.exists():
        yield path

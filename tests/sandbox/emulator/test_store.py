from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.emulator import Store

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "deep" / "state.sqlite")
    yield made
    made.close()


def test_a_document_comes_back_as_it_was_put(store: Store) -> None:
    document = {"name": "ops ✓", "nested": {"list": [1, None, True]}}
    store.put("things", 7, document)
    assert store.get("things", "7") == document
    assert store.get("things", 8) is None
    assert store.get("others", 7) is None


def test_changing_a_document_changes_nothing_until_it_is_put(store: Store) -> None:
    store.put("things", 1, {"tags": []})
    found = store.get("things", 1)
    assert found is not None
    found["tags"].append("x")
    assert store.get("things", 1) == {"tags": []}


def test_documents_keep_the_order_of_their_first_put(store: Store) -> None:
    for key in ("b", "a", "c"):
        store.put("things", key, {"key": key})
    store.put("things", "b", {"key": "b2"})
    assert [one["key"] for one in store.all("things")] == ["b2", "a", "c"]


def test_everything_survives_a_restart_and_numbers_are_never_given_twice(tmp_path: Path) -> None:
    first = Store(tmp_path / "state.sqlite")
    numbers = [first.next_id("things"), first.next_id("things"), first.next_id("others")]
    first.put("things", numbers[1], {"here": True})
    first.delete("things", numbers[1])
    first.put("things", "kept", {"here": True})
    first.close()
    second = Store(tmp_path / "state.sqlite")
    assert numbers == [1, 2, 1]
    assert second.next_id("things") == 3
    assert second.all("things") == [{"here": True}]
    second.close()


def test_a_failed_transaction_leaves_nothing_also_when_nested(store: Store) -> None:
    store.put("things", "old", {"v": 1})

    def fail() -> None:
        with store.transaction():
            store.put("things", "old", {"v": 2})
            with store.transaction():
                store.put("things", "new", {"v": 3})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.all("things") == [{"v": 1}]
    store.put("things", "after", {"v": 4})
    assert store.get("things", "after") == {"v": 4}


def test_threads_share_a_store(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: store.next_id("things"), range(200)))
    assert sorted(numbers) == list(range(1, 201))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "delete"]), st.sampled_from("abc"), st.integers()),
        max_size=20,
    )
)
def test_it_behaves_as_an_ordered_dictionary(steps: list[tuple[str, str, int]]) -> None:
    with TemporaryDirectory() as folder:
        store, model = Store(Path(folder) / "state.sqlite"), dict[str, int]()
        for verb, key, value in steps:
            if verb == "put":
                store.put("things", key, {"value": value})
                model[key] = value
            else:
                assert store.delete("things", key) == (model.pop(key, None) is not None)
        assert [one["value"] for one in store.all("things")] == list(model.values())
        store.close()

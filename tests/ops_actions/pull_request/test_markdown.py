"""Foreign text in GitHub Markdown stays text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ops_actions.pull_request.markdown import code, fit, inert, one_line, prose


@given(st.text(alphabet=st.sampled_from("`@#<>&|*_[]()\\\n\r\t $!~:/aw.-é\u202e"), max_size=60))
def test_code_spans_close_where_they_should(text: str) -> None:
    span = code(text)
    assert span.startswith("`")
    assert span.endswith("`")
    assert "`" not in span[1:-1]
    assert len(span) >= 3
    assert span.isprintable()


@given(st.text(max_size=80))
def test_prose_holds_no_live_markdown(text: str) -> None:
    shown = prose(text)
    assert "<" not in shown
    assert ">" not in shown
    assert "\n" not in shown
    bare = shown.replace("\\\\", "")
    for mark in "`*_[]|~$":
        assert bare.count(mark) == bare.count(f"\\{mark}")
    for mark in "@#":
        assert shown.count(mark) == shown.count(f"{mark}\u2060")


@given(st.text(min_size=200, max_size=2_000), st.integers(1, 150))
def test_one_line_keeps_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line.isprintable()


def test_inert_text_reads_as_before() -> None:
    assert inert("Fixes #12 for @mara", 50).replace("\u2060", "") == "Fixes #12 for @mara"
    assert "#12" not in inert("Fixes #12", 50)


@given(st.lists(st.text(max_size=30)), st.integers(0, 200))
def test_fit_keeps_the_leading_blocks_within_the_budget(blocks: list[str], budget: int) -> None:
    kept = fit(blocks, budget)
    assert kept == blocks[: len(kept)]
    assert sum(len(block) + 1 for block in kept) <= budget
    if len(kept) < len(blocks):
        assert sum(len(block) + 1 for block in blocks[: len(kept) + 1]) > budget

from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.removals import Removals, ink


def test_ink_is_what_is_not_white_space() -> None:
    assert ink(" a\n b\u00a0c\u3000") == 3


@given(st.text(st.sampled_from("a é\t\n\u00a0\u0085\u2028\u3000\x1c語\u200b\u00ad")) | st.text())
def test_ink_is_what_splitting_at_white_space_leaves(text: str) -> None:
    assert ink(text) == len("".join(text.split()))
    assert ink(text * (100_000 // max(1, len(text)) + 1)) == (100_000 // max(1, len(text)) + 1) * ink(text)


def test_an_account_counts_by_reason_and_keeps_the_first_sample() -> None:
    removals = Removals()
    removals.add("page number", "[Pg 1]")
    removals.add("page number", "[Pg 22]", count=2)
    removals.add("nothing", "", count=0)
    removals.add("footer", "word " * 100)
    first, second = removals.records()
    assert first == {"reason": "page number", "count": 3, "characters": 11, "sample": "[Pg 1]"}
    assert (second["characters"], len(second["sample"]), second["sample"][-1]) == (400, 120, "…")

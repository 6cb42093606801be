import difflib

from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.titles import _key, _LinesByKey

KEYS = st.lists(st.text(st.sampled_from("abcde é"), max_size=12), max_size=30)


@given(KEYS, st.text(st.sampled_from("abcde é"), min_size=1, max_size=12), st.integers(-1, 30))
def test_an_entry_is_found_where_comparing_it_with_all_keys_finds_it(keys: list[str], entry: str, after: int) -> None:
    later = list(enumerate(keys))[after + 1 :]
    alike = [key for _, key in later if abs(len(key) - len(entry)) <= 0.2 * len(entry) + 2]
    [said] = (
        [entry] if entry in [key for _, key in later] else difflib.get_close_matches(entry, alike, 1, 0.8) or [None]
    )
    expected = next((line for line, key in later if key == said), None)
    assert _LinesByKey((key, line) for line, key in enumerate(keys)).find(entry, after) == expected


def test_a_key_is_the_title_without_its_number_and_page() -> None:
    lines = ("Chapter IV.  Émile's Way ..... 12", "4. émile's way", "  ÉMILE'S WAY . . . xii", "Émile’s way?")
    assert {_key(line) for line in lines} == {"emile s way"}
    assert _key("A Room with Civil") == "a room with civil"

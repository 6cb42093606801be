"""A map of the frequent words: vectors laid out in the plane by t-SNE, with their names."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from openTSNE import TSNE

from nextchapter.report.figures import FAINT, INK, MUTED, WIDTH_INCHES
from nextchapter.report.labels import DOT_POINTS, LABEL_POINTS, place_labels

PERPLEXITY = 15
"""Neighbours that t-SNE keeps near, in effect."""
SEED = 1
"""On one thread the layout repeats itself."""


def lay_out(vectors: np.ndarray) -> np.ndarray:
    """Return a place in the plane for each vector, by t-SNE (van der Maaten and Hinton, 2008) on cosines.

    Args:
        vectors: at least five, float32 [word dimension].

    Returns:
        Coordinates between 0 and 1 [word 2].
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 4)
    # On vectors of length 1 the Euclidean distance orders as the cosine does.
    layout = TSNE(
        perplexity=perplexity, metric="euclidean", neighbors="exact", negative_gradient_method="bh",
        initialization="pca", n_jobs=1, random_state=SEED, n_iter=400,
    )  # fmt: skip
    places = np.asarray(layout.fit(unit.astype(np.float64)))
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray((places - low) / np.maximum(high - low, 1e-12))


def draw_map(vectors: np.ndarray, texts: Sequence[str], title: str) -> Figure:
    """Draw the map of some words, the most frequent first; with fewer than five there is none to draw."""
    figure = Figure(figsize=(WIDTH_INCHES, WIDTH_INCHES + 0.5))
    axes = figure.add_axes((0.02, 0.06, 0.96, 0.87))
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(FAINT)
    width, height = 0.96 * 72 * WIDTH_INCHES, 0.87 * 72 * (WIDTH_INCHES + 0.5)
    axes.set(xlim=(0, width), ylim=(0, height))
    if len(vectors) < 5:
        axes.text(width / 2, height / 2, "Too few words have a vector.", ha="center", color=MUTED)
        return figure
    places = 0.03 + 0.94 * lay_out(vectors)
    axes.plot(*(places * (width, height)).T, linestyle="", marker="o", markersize=1.5, color=FAINT)
    labels = place_labels(places, texts, width, height)
    for word, box in labels:
        x, y = places[word] * (width, height)
        axes.plot(x, y, marker="o", markersize=2 * DOT_POINTS, color="#0072B2")
        centre = ((box.left + box.right) / 2, (box.bottom + box.top) / 2)
        axes.text(*centre, texts[word], fontsize=LABEL_POINTS, ha="center", va="center", color=INK)
    note = (
        f"The {len(texts)} most frequent words; {len(labels)} of them have room for their name. t-SNE of the cosines."
    )
    figure.text(0.02, 0.025, note, fontsize=8.5, color=MUTED)
    return figure

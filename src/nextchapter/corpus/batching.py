"""Things of different sizes in batches of about one size."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")


def batch_by_size(things: Iterable[Thing], size_of: Callable[[Thing], int], size: int) -> Iterator[list[Thing]]:
    """Yield things in order, in lists that are closed as soon as they hold at least `size`; the last may hold less."""
    batch: list[Thing] = []
    held = 0
    for thing in things:
        batch.append(thing)
        held += size_of(thing)
        if held >= size:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch

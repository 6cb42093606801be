"""Searches: one run at each point of a grid, or at points drawn by chance, over any keys of a run."""

import hashlib
import itertools
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from nextchapter.spec.base import Name, Positive, Spec

POINTS_MAX = 10_000
"""More runs than this are a slip of the pen: a grid grows by a factor with each of its keys."""
BUDGETS = ("max_steps", "max_tokens", "max_epochs", "max_seconds")
"""The keys of `training` that end it; a total budget takes their place."""
_DIGITS = 4  # of a drawn number: enough to tell two draws apart, few enough to be read and typed again
_IN_A_SEARCH = re.compile(r"runs\.(?P<search>[^.]+)\.(?P<point>[0-9-]+)(\.|: )(?P<rest>.*)", re.DOTALL)

KeyPath = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
"""A key of a run by its path, such as `tokenizer` or `training.learning_rate`."""


class DrawSpec(Spec):
    """What the values of a key are drawn from; one of the four must be given."""

    uniform: tuple[float, float] | None = None
    """Lowest and highest number, all between them equally likely."""
    log_uniform: tuple[float, float] | None = None
    """Lowest and highest number, both above 0; all orders of magnitude between them equally likely."""
    integers: tuple[int, int] | None = None
    """Lowest and highest whole number, both of them among those drawn."""
    choice: Annotated[tuple[Any, ...], Field(min_length=1)] | None = None
    """The values themselves."""

    @model_validator(mode="after")
    def _is_one_of_four(self) -> "DrawSpec":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            raise ValueError(f"found {found}; allowed: one of {', '.join(type(self).model_fields)}")
        return self

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> "DrawSpec":
        for name in ("uniform", "log_uniform", "integers"):
            bounds = getattr(self, name)
            if bounds is not None and not bounds[0] < bounds[1]:
                raise ValueError(f"{name}: found {list(bounds)}; the first must be below the second")
        if self.log_uniform is not None and self.log_uniform[0] <= 0:
            raise ValueError(f"log_uniform: found {list(self.log_uniform)}; both must be above 0")
        return self

    @property
    def scale(self) -> Literal["log", "linear"] | None:
        """What an axis of these numbers should be; None for a choice."""
        return None if self.choice is not None else "log" if self.log_uniform is not None else "linear"

    def value_at(self, share: float) -> Any:
        """Return the value below which a share of the distribution lies, numbers rounded to be read.

        Args:
            share: from 0 to 1, itself excluded.
        """
        if self.uniform is not None:
            low, high = self.uniform
            return _rounded(low + share * (high - low), low, high)
        if self.log_uniform is not None:
            low, high = self.log_uniform
            return _rounded(low * math.pow(high / low, share), low, high)
        if self.integers is not None:
            least, most = self.integers
            return least + math.floor(share * (most - least + 1))
        choice = self.choice or ()
        return choice[math.floor(share * len(choice))]


class SearchSpec(Spec):
    """Many runs that differ in the values of some keys: each point of `grid`, each of `draws` from `random`, or both.

    The runs are called `SEARCH.2-3`, after the places of their values in the lists of the grid (its keys in the order
    of the alphabet), and `SEARCH.007`, after the number of the draw. A value or a draw that is added at the end leaves
    the names, and the finished runs, as they are.
    """

    base: Name | None = None
    """The entry of `runs` whose other values all runs of the search have; it is trained itself as well."""
    run: dict[str, Any] | None = None
    """The same, written here with the keys of an entry of `runs`; one of `base` and `run` must be given."""
    grid: dict[KeyPath, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(default={})
    """Lists of values by the key of the run that they are for, such as `model.hidden`: each is tried with each."""
    random: dict[KeyPath, DrawSpec] = Field(default={})
    """What values are drawn from, by key. With a grid beside it, each draw is tried at each point of the grid."""
    draws: Positive | None = None
    """How many times to draw; must be given with `random`."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """A draw follows from this, the names of search and key, and its number alone."""
    max_seconds: Annotated[float, Field(gt=0)] | None = None
    """Seconds of training for the whole search, shared out evenly among its runs, seeds included. With this or
    `max_tokens`, a run's own max_steps, max_tokens, max_epochs and max_seconds do not count; its `patience` does."""
    max_tokens: Positive | None = None
    """Training tokens for the whole search, shared out likewise. A larger search needs a larger total if its finished
    runs are to stay as they are."""

    @model_validator(mode="after")
    def _has_one_base(self) -> "SearchSpec":
        if (self.base is None) == (self.run is None):
            found = "neither" if self.base is None else "both"
            raise ValueError(f"found {found} of base and run; one of them must be given")
        return self

    @model_validator(mode="after")
    def _looks_for_something(self) -> "SearchSpec":
        if not self.grid and not self.random:
            raise ValueError("found neither grid nor random; at least one must be given")
        if bool(self.random) != (self.draws is not None):
            raise ValueError(f"draws: found {self.draws}; it must be given with random, and only then")
        twice = sorted(set(self.grid) & set(self.random))
        if twice:
            raise ValueError(f"random.{twice[0]}: found in grid as well; a key may be in one of them")
        if self.size > POINTS_MAX:
            raise ValueError(f"found {self.size:,} runs; at most {POINTS_MAX:,}")
        return self

    @model_validator(mode="after")
    def _budget_is_no_field(self) -> "SearchSpec":
        searched = [key for key in BUDGETS if f"training.{key}" in self.fields]
        if searched and (self.max_seconds, self.max_tokens) != (None, None):
            where = f"{'grid' if f'training.{searched[0]}' in self.grid else 'random'}.training.{searched[0]}"
            raise ValueError(f"{where}: found beside a total budget; without max_seconds and max_tokens it is allowed")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """The keys that are searched: those of the grid, then those drawn, each in the order of the alphabet."""
        return (*sorted(self.grid), *sorted(self.random))

    @property
    def size(self) -> int:
        """The number of points; each is a run, or one a seed."""
        return math.prod(len(values) for values in self.grid.values()) * (self.draws or 1)

    def points(self, search: str) -> dict[str, dict[str, Any]]:
        """Return the values of each point by the key they are for, under the name of its run.

        Args:
            search: the name of the search.
        """
        grid = sorted(self.grid.items())
        found: dict[str, dict[str, Any]] = {}
        for draw in range(1, (self.draws or 1) + 1):
            drawn = {key: spec.value_at(_share(self.seed, search, draw, key)) for key, spec in self.random.items()}
            for places in itertools.product(*(range(len(values)) for _, values in grid)):
                chosen = {key: values[place] for (key, values), place in zip(grid, places, strict=True)}
                numbers = [str(place + 1) for place in places] + [f"{draw:03d}"] * bool(self.random)
                found[f"{search}.{'-'.join(numbers)}"] = {**chosen, **dict(sorted(drawn.items()))}
        return found

    def budget(self, runs: int) -> dict[str, float | None]:
        """Return what takes the place of a run's own budgets; nothing where the search has none.

        Raises:
            ValueError: a run would get nothing; the message begins with the key.
        """
        if self.max_seconds is None and self.max_tokens is None:
            return {}
        seconds = None if self.max_seconds is None else round(self.max_seconds / runs, 3)
        tokens = None if self.max_tokens is None else self.max_tokens // runs
        for key, share in (("max_seconds", seconds), ("max_tokens", tokens)):
            if share == 0:
                raise ValueError(f"{key}: found {getattr(self, key)} for {runs:,} runs; each must get some")
        return {**dict.fromkeys(BUDGETS), "max_seconds": seconds, "max_tokens": tokens}


def point_at_search(message: str, config: Mapping[str, Any]) -> str:
    """Return a message on a run of a search with the path of what the user wrote, the search; others as they are.

    Args:
        message: begins with the path of a key, `runs.SEARCH.POINT.model.hidden: ...` for one.
        config: the configuration as it stands in the file.
    """
    found = _IN_A_SEARCH.fullmatch(message)
    if not found or found["search"] not in (config.get("searches") or {}):
        return message
    search, rest = found["search"], found["rest"]
    for way in ("grid", "random"):
        for key in config["searches"][search].get(way) or {}:
            if rest.startswith((f"{key}:", f"{key}.")):
                return f"searches.{search}.{way}.{rest}"
    return f"searches.{search}: in its run {search}.{found['point']}, {rest}"


def _share(seed: int, search: str, draw: int, key: str) -> float:
    """Return a number from 0 to 1, itself excluded, that follows from the arguments: 53 bits of their SHA-256."""
    told = hashlib.sha256(f"{seed}\n{search}\n{draw}\n{key}".encode()).digest()
    return (int.from_bytes(told[:8]) >> 11) * 2.0**-53


def _rounded(value: float, low: float, high: float) -> float:
    """Return a number with few digits, so that machines whose powers differ in the last one draw the same."""
    return min(max(float(f"{value:.{_DIGITS}g}"), low), high)

"""Which runs a run is made of: the names in a specification, resolved to runs with their seeds.

`lstm.s1` is that run. `lstm` is the run of the same seed as the one that names it, or the only one there is; a name
that is neither is not clear, and refused.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nextchapter.spec.study import RunSpec


def resolve_members(runs: Mapping[str, "RunSpec"]) -> dict[str, tuple[str, ...]]:
    """Return for each run, `{name}.s{seed}`, those that it is made of, in order; none for most.

    Args:
        runs: the runs of a study by name, without seeds.

    Raises:
        ValueError: a member does not exist, is not clear, is named twice, does not suit, or is made of the run itself;
            the message begins with the path of its key.
    """
    members = {f"{name}.s{seed}": _members_of(runs, name, seed) for name, run in runs.items() for seed in run.seeds}
    for run, parts in members.items():
        for key, member in parts.items():
            way = _way(members, member, run)
            if way:
                raise ValueError(f"{key}: a run can't be made of itself: {' of '.join([run, *way])}")
    return {run: tuple(parts.values()) for run, parts in members.items()}


def follow_tokenizers(runs: Mapping[str, "RunSpec"], members: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the tokenizer of each run by name: its own, or that of all its members.

    Args:
        runs: the runs of a study by name, without seeds.
        members: as `resolve_members` returns them.

    Raises:
        ValueError: a run has none, or a member has another; the message begins with the path of the key.
    """
    tokenizers: dict[str, str] = {}

    def tokenizer_of(name: str) -> str:
        if name not in tokenizers:
            run, own = runs[name], runs[name].tokenizer
            theirs = {member: tokenizer_of(_base(member)) for member in members[f"{name}.s{run.seeds[0]}"]}
            tokenizers[name] = own or next(iter(theirs.values()), "")
            for key, (member, tokenizer) in zip(run.model.made_of, theirs.items(), strict=True):
                if tokenizer != tokenizers[name]:
                    where, needed = f"runs.{name}.model.{key}: found {member!r}", tokenizers[name]
                    raise ValueError(f"{where}, whose tokenizer is {tokenizer!r}; all must have {needed!r}")
            if not tokenizers[name]:
                raise ValueError(f"runs.{name}.tokenizer: missing; it must be given")
        return tokenizers[name]

    return {name: tokenizer_of(name) for name in runs}


def _members_of(runs: Mapping[str, "RunSpec"], name: str, seed: int) -> dict[str, str]:
    """Return the members of one run by the paths of the keys that name them."""
    found: dict[str, str] = {}
    for key, wanted in runs[name].model.made_of.items():
        path = f"runs.{name}.model.{key}"
        member = _find(runs, path, wanted, seed)
        if member in found.values():
            raise ValueError(f"{path}: found {wanted!r}; {member} is a member already")
        objection = runs[name].model.objection_to(runs[_base(member)].model)
        if objection:
            raise ValueError(f"{path}: found {wanted!r}, {objection}")
        found[path] = member
    return found


def _find(runs: Mapping[str, "RunSpec"], path: str, wanted: str, seed: int) -> str:
    """Return the one run that a name means in a run of this seed."""
    base, _, number = wanted.partition(".s")
    if base not in runs:
        raise ValueError(f"{path}: found {wanted!r}; allowed: {', '.join(runs)}")
    seeds = runs[base].seeds
    allowed = ", ".join(f"{base}.s{one}" for one in seeds)
    if number:
        if int(number) not in seeds:
            raise ValueError(f"{path}: found {wanted!r}; allowed: {allowed}")
        return f"{base}.s{int(number)}"
    if seed not in seeds and len(seeds) > 1:
        raise ValueError(f"{path}: found {wanted!r}, of which there is no run with seed {seed}; allowed: {allowed}")
    return f"{base}.s{seed if seed in seeds else seeds[0]}"


def _way(members: Mapping[str, Mapping[str, str]], start: str, end: str, seen: tuple[str, ...] = ()) -> list[str]:
    """Return the runs from one to another along their members, empty where there is no way."""
    if start == end:
        return [start]
    for member in members[start].values() if start not in seen else ():
        way = _way(members, member, end, (*seen, start))
        if way:
            return [start, *way]
    return []


def _base(run: str) -> str:
    """Return the name of a run without its seed."""
    return run.rpartition(".s")[0]

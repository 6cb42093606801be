"""One iteration of EM against hmmlearn's CategoricalHMM, and what ours costs as states grow.

Both sides do the same E-step and M-step, from the same tables, on the same sequences, in turn, in one process; hmmlearn
in the faster of its implementations, `scaling`, and in double precision, as it computes in no other. The ratio is of
the medians, and the tables that both arrive at are compared.
"""

import argparse
import logging
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from hmmlearn.hmm import CategoricalHMM

from nextchapter.models.hidden_markov import Tables, count_emissions, forward_backward, normalise
from nextchapter.models.hmm_cloned import HmmCloned, HmmClonedSpec
from nextchapter.tokens.stream import TokenStream
from nextchapter.training.devices import prepare_torch

VOCABULARY, SEQUENCE = 2000, 100
TURNS = {64: 7, 256: 3}


def draw_tokens(count: int) -> torch.Tensor:
    """Return sequences of tokens that are as unevenly frequent as words (Zipf), int64 [sequence time]."""
    shares = 1 / np.arange(1, VOCABULARY + 1)
    drawn = np.random.default_rng(0).choice(VOCABULARY, size=count, p=shares / shares.sum())
    return torch.from_numpy(drawn).view(-1, SEQUENCE)


def draw_tables(states: int, dtype: torch.dtype) -> Tables:
    generator = torch.Generator().manual_seed(0)
    start, transition, emission = (
        normalise(torch.rand(shape, generator=generator, dtype=dtype))
        for shape in ((states,), (states, states), (states, VOCABULARY))
    )
    return Tables(start, transition, emission.T.contiguous())


def em_iteration(tables: Tables, tokens: torch.Tensor) -> Tables:
    kept = torch.ones_like(tokens, dtype=torch.bool)
    start = tables.start.expand(len(tokens), -1)
    smoothed = forward_backward(start, tables.transition, tables.emission, tokens, kept)
    emissions = count_emissions(smoothed.posterior, tokens, kept, VOCABULARY)
    start = normalise(smoothed.posterior[:, 0].sum(dim=0))
    return Tables(start, normalise(smoothed.transitions), normalise(emissions.T).T.contiguous())


def peer_iteration(tables: Tables, tokens: torch.Tensor) -> CategoricalHMM:
    peer = CategoricalHMM(len(tables.start), n_features=VOCABULARY, n_iter=1, init_params="", implementation="scaling")
    peer.startprob_, peer.transmat_ = tables.start.numpy(), tables.transition.numpy()
    peer.emissionprob_ = tables.emission.T.numpy()
    return peer.fit(tokens.reshape(-1, 1).numpy(), [SEQUENCE] * len(tokens))


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of one call: other work on the machine does not count."""
    started = time.process_time()
    work()
    return time.process_time() - started


def race(states: int, count: int) -> None:
    """Print the median time of an iteration of each side, and the ratio."""
    tokens, double, single = draw_tokens(count), draw_tables(states, torch.float64), draw_tables(states, torch.float32)
    times: dict[str, list[float]] = {"float32": [], "float64": [], "hmmlearn": []}
    em_iteration(single, tokens)  # warms up
    for _ in range(TURNS[states]):
        times["hmmlearn"].append(seconds(lambda: peer_iteration(double, tokens)))
        times["float32"].append(seconds(lambda: em_iteration(single, tokens)))
        times["float64"].append(seconds(lambda: em_iteration(double, tokens)))
    ours, theirs = em_iteration(double, tokens), peer_iteration(double, tokens)
    apart = max(
        float((ours.transition - torch.from_numpy(theirs.transmat_)).abs().max()),
        float((ours.emission.T - torch.from_numpy(theirs.emissionprob_)).abs().max()),
    )
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"{states:>5} states, {count:,} tokens: hmmlearn {medians.pop('hmmlearn'):.3f} s", end="")
    for precision, median in medians.items():
        print(
            f", ours in {precision} {median:.3f} s (ratio {statistics.median(times['hmmlearn']) / median:.0f})", end=""
        )
    print(f"; the tables differ by at most {apart:.0e}", flush=True)


def dense_cost(states: int, count: int) -> float:
    """Return seconds a thousand tokens of an EM iteration of the dense model."""
    tables, tokens = draw_tables(states, torch.float32), draw_tokens(count)
    return seconds(lambda: em_iteration(tables, tokens)) / count * 1000


def cloned_vocabulary(states: int) -> int:
    """Return a vocabulary of which each token has two clones at least, on average."""
    return min(VOCABULARY, states // 2)


def cloned_cost(states: int, count: int) -> float:
    """Return the same of the cloned model; it learns in batches of 64 sequences, of fewer tokens if states are few."""
    vocabulary = cloned_vocabulary(states)
    tokens = draw_tokens(count) % vocabulary
    model = HmmCloned(vocabulary, HmmClonedSpec(states=states))
    model.prepare(TokenStream(tokens.flatten().numpy(), np.array([0, count])), 0)

    def learn() -> None:
        for batch in tokens.split(64):
            model.learn(batch[:, :-1], batch[:, 1:], model.initial_state(len(batch)))

    learn()
    return seconds(learn) / count * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=20_000)
    arguments = parser.parse_args()
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)  # it warns that there is little data
    prepare_torch(arguments.threads)
    print(
        f"EM iteration, {VOCABULARY} tokens in the vocabulary, {arguments.threads} thread(s), torch {torch.__version__}"
    )
    for states in TURNS:
        race(states, arguments.tokens)
    print("processor seconds per 1,000 tokens of an EM iteration of ours, single precision")
    for states in (64, 128, 256, 512, 1024, 2048, 4096, 8192):
        count = max(1000, min(20_000, 20_000 * 1024 // states // 4))
        dense = dense_cost(states, count - count % SEQUENCE)
        cloned = f"{cloned_cost(states, 12_800):8.4f} s with {cloned_vocabulary(states)} tokens"
        print(f"{states:>5} states: dense {dense:8.4f} s, cloned {cloned}", flush=True)


if __name__ == "__main__":
    main()

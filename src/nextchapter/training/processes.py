"""Several processes that train one run together, each on its share of the streams of a step.

All of them hold the same weights and come to the same decisions: losses are summed over all, a stop that one was asked
for stops all, and what only one can know, such as the validation loss or the clock, the first tells the others. The
gradients are summed by torch's DistributedDataParallel. A single process is its own first, and tells nobody anything.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from nextchapter.models.protocol import State, map_state

LONGEST_WAIT = timedelta(days=7)
"""What the others wait for the first while it validates; a process that dies is noticed at once without it."""


class Processes:
    """This process among those that train a run."""

    def __init__(self, rank: int = 0, count: int = 1, device: torch.device | None = None) -> None:
        """Be one of `count` processes; the group they talk in is open if there are several.

        Args:
            rank: which of them, from 0.
            count: how many there are.
            device: where numbers must lie to be sent.
        """
        self.rank, self.count, self._device = rank, count, device

    @property
    def is_first(self) -> bool:
        """Whether this is the process that validates, and writes logs and checkpoints."""
        return self.rank == 0

    def parallel(self, module: nn.Module) -> nn.Module:
        """Return the module; where there are several processes, its gradients are those of their mean loss."""
        if self.count == 1:
            return module
        # A learned initial state and the rare clusters of an adaptive softmax have no gradient at some steps.
        return DistributedDataParallel(module, find_unused_parameters=True)

    @staticmethod
    def kept_apart(module: nn.Module) -> AbstractContextManager[None]:
        """Return a context in which the gradients of a `parallel` module are added up, but not yet sent."""
        return module.no_sync() if isinstance(module, DistributedDataParallel) else nullcontext()

    def sum(self, value: float) -> float:
        """Return the sum of what all processes give."""
        return value if self.count == 1 else self.sum_tensor(self._sent(value)).item()

    def sum_tensor(self, value: Tensor) -> Tensor:
        """Return the sum of what all processes give, in its place."""
        if self.count > 1:
            distributed.all_reduce(value)
        return value

    def any(self, *answers: bool) -> tuple[bool, ...]:
        """Return for each question whether one of the processes says yes."""
        if self.count == 1:
            return answers
        votes = self._sent(*map(float, answers))
        distributed.all_reduce(votes, distributed.ReduceOp.MAX)
        return tuple(vote > 0 for vote in votes.tolist())

    def from_first(self, find: Callable[[], float]) -> float:
        """Return what the first process finds; the others only wait for it."""
        if self.count == 1:
            return find()
        value = self._sent(find() if self.is_first else 0.0)
        distributed.broadcast(value, src=0)
        return value.item()

    def own_rows(self, value: State) -> State:
        """Return this process's share of what has a row a stream, the first ones a row more where they do not divide.

        A process for which there is none takes the first row, to keep step; its targets are to be ignored.
        """
        count, rank = self.count, self.rank
        return map_state(lambda rows: rows.tensor_split(count)[rank] if rank < len(rows) else rows[:1], value)

    def has_rows(self, rows: int) -> bool:
        """Return whether one of so many rows is this process's."""
        return self.rank < rows

    def gather_rows(self, value: State, rows: int) -> State:
        """Return all rows of what `own_rows` shared out, on the CPU; on the first process alone, elsewhere None."""
        own = map_state(Tensor.detach, value)
        whole = own if self.count == 1 else map_state(lambda tensor: self._gathered(tensor, rows), own)
        return map_state(Tensor.cpu, whole) if self.is_first else None

    def _gathered(self, own: Tensor, rows: int) -> Tensor:
        """Return the rows of all processes, in their order; each sends as many, the last ones a row that is no one's.

        As numbers and not as objects, which torch would pickle: whoever reaches the port could send such as run code.
        """
        sizes = [len(share) for share in torch.arange(rows).tensor_split(self.count)]
        sent = torch.cat([own, own[:1].expand(sizes[0] - len(own), *own.shape[1:])]).to(device=self._device)
        shares = [torch.empty_like(sent) for _ in sizes]
        distributed.all_gather(shares, sent)
        return torch.cat([share[:size] for share, size in zip(shares, sizes, strict=True)])

    def _sent(self, *values: float) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self._device)


@contextmanager
def join_processes(device: torch.device) -> Iterator[Processes]:
    """Meet the other processes that torchrun started, and leave them at the end: over NCCL on CUDA, else over gloo."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", _loopback())
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=LONGEST_WAIT)
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size(), device)
    finally:
        distributed.destroy_process_group()


def _loopback() -> str:
    """Return the name of the network interface that leads nowhere but to this machine: `lo` or `lo0`."""
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))

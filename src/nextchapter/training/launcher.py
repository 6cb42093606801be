"""The start of several processes on this machine, by what stands behind the command torchrun."""

import logging
import os
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
LONGEST_STOP_S = 600
"""What processes that were asked to stop are waited for: their step, a validation, the checkpoint."""


class ProcessDiedError(RuntimeError):
    """One of the processes ended before its time; the others were stopped."""


class StoppedError(RuntimeError):
    """SIGINT or SIGTERM came and was handed on; all processes have ended."""


def run_in_processes(count: int, work: Callable[..., Any], *arguments: Any) -> Any:
    """Run `work(*arguments)` in so many new processes at once; return what the first of them returned.

    None of them is left when this returns or raises.

    Args:
        count: how many.
        work: a function of a module, which the processes import.
        arguments: what can be pickled.

    Raises:
        ProcessDiedError: one was killed or raised an error.
        StoppedError: this process was asked to stop.
    """
    with tempfile.TemporaryDirectory() as folder, _as_before():
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            run_id=uuid.uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",  # a free port
            local_addr="localhost",
            max_restarts=0,
            signals_to_handle=",".join(number.name for number in STOP_SIGNALS),
            shutdown_timeout=LONGEST_STOP_S,
            logs_specs=DefaultLogsSpecs(log_dir=folder),
        )
        try:
            return elastic_launch(config, work)(*arguments)[0]
        except SignalException as error:
            raise StoppedError(f"stopped by {error.sigval.name}") from error
        except ChildFailedError as error:
            rank, failure = error.get_first_failure()
            raise ProcessDiedError(f"process {rank} of {count} died: {_told_by(failure)}") from error


def _told_by(failure: Any) -> str:
    """Return what a process that failed has to say: the message of its error, or the signal that killed it."""
    told = failure.message
    return str(told["message"] if isinstance(told, dict) else told)


@contextmanager
def _as_before() -> Iterator[None]:
    """Put back the signal handlers that the launcher replaces; what it logs is told by the errors that it raises."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # the processes warn where all parameters have a gradient
    logger = logging.getLogger("torch.distributed.elastic")
    silence, handlers = logging.NullHandler(), {number: signal.getsignal(number) for number in STOP_SIGNALS}
    logger.addHandler(silence)
    logger.propagate = False
    try:
        yield
    finally:
        logger.propagate = True
        logger.removeHandler(silence)
        for number, handler in handlers.items():
            signal.signal(number, handler)

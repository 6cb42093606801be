"""Where a model is computed, and the settings of torch that a run depends on."""

import ctypes
from typing import Literal

import torch

from nextchapter.spec.base import SpecError

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _LARGEST_KEPT_BYTES = -1, -3, 2**31 - 1
"""Of mallopt(3)."""


def choose_device(wanted: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the device to use.

    Raises:
        SpecError: `cuda` is asked for and there is none.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SpecError("training.device: found 'cuda', but torch sees no CUDA device here; use 'auto' or 'cpu'")
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)


def take_own_device(wanted: Literal["auto", "cpu", "cuda"], processes: int, local_rank: int) -> torch.device:
    """Return the device of one of several processes on this machine, each of which has a CUDA device for itself.

    Raises:
        SpecError: there are fewer CUDA devices than processes.
    """
    device = choose_device(wanted)
    if device.type == "cuda":
        if processes > torch.cuda.device_count():
            found = f"training.processes: found {processes}, but torch sees {torch.cuda.device_count()} CUDA devices"
            raise SpecError(f"{found}; there must be one for each process, or training.device must be cpu")
        torch.cuda.set_device(local_rank)
    return device


def check_precision(precision: Literal["float32", "bfloat16"], device: torch.device) -> None:
    """Refuse bfloat16 where it would be slower than float32.

    Raises:
        SpecError: it is asked for on the CPU.
    """
    if precision == "bfloat16" and device.type != "cuda":
        found = f"training.precision: found 'bfloat16' on the device {device.type!r}, where it is slower than float32"
        raise SpecError(f"{found}; use float32 or a CUDA device")


def prepare_torch(threads: int) -> None:
    """Set what speed and repeatability depend on: the threads, and subnormal numbers flushed to zero."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # a softmax full of subnormals is eleven times slower
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Let the C library keep large blocks that are freed, where it can.

    Else the logits of a large vocabulary are given back to the kernel at each step, and come again a page at a time.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # no glibc
    for option in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
        set_option(option, _LARGEST_KEPT_BYTES)

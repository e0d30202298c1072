"""Runs batches on all cores: one thread per batch, with one BLAS thread each.

OpenBLAS's own threads wait by spinning; if other work shares the cores, they can make a product a
hundred times slower. Batches are independent, so threads above NumPy avoid that at no cost.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

Item = TypeVar("Item")
Out = TypeVar("Out")

MAX_WORKERS = 16  # each holds a batch of maps, so this bounds the memory on large machines


def workers() -> int:
    """Number of threads: the cores of this process, limited by ``OMP_NUM_THREADS``."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    asked = os.environ.get("OMP_NUM_THREADS", "")
    limit = int(asked) if asked.isdecimal() and int(asked) else MAX_WORKERS
    return max(1, min(cores or 1, limit, MAX_WORKERS))


def map_batches(function: Callable[[Item], Out], items: Iterable[Item]) -> Iterator[Out]:
    """Results of ``function`` for all items, in order, as soon as each is done."""
    items = list(items)
    with one_blas_thread():
        if min(len(items), workers()) == 1:
            yield from map(function, items)
            return
        with ThreadPoolExecutor(workers()) as pool:
            yield from pool.map(function, items)


@functools.cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[Any]:
    """Context in which NumPy's BLAS uses one thread per operation."""
    try:
        limit: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    except ImportError:
        return nullcontext()  # slower on a busy machine, with the same results
    return limit

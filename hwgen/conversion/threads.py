"""Threads of a conversion: whole batches on each, so that no sum depends on their number.

A library that splits one sum among threads adds in another order for each number of them. With one
thread per operation the order is fixed, and batches, which are independent, share the cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch

from hwgen.golden.threads import one_blas_thread, workers

Item = TypeVar("Item")
Out = TypeVar("Out")

_workers: ContextVar[int] = ContextVar("_workers", default=1)


@contextmanager
def one_thread_per_operation() -> Iterator[None]:
    """Let PyTorch and NumPy use one thread per operation, and :func:`map_batches` all the others.

    Their number is that of PyTorch before, limited as golden's (:mod:`hwgen.golden.threads`).
    """
    before = torch.get_num_threads()
    token = _workers.set(min(before, workers()))
    torch.set_num_threads(1)
    try:
        with one_blas_thread():
            yield
    finally:
        torch.set_num_threads(before)
        _workers.reset(token)


def map_batches(function: Callable[[Item], Out], items: Iterable[Item]) -> list[Out]:
    """Results of ``function`` for all items, in order."""
    items = list(items)
    threads = min(_workers.get(), len(items))
    if threads <= 1:
        return [function(item) for item in items]
    gradients = torch.is_grad_enabled()  # of this thread

    def run(item: Item) -> Out:
        with torch.set_grad_enabled(gradients):
            return function(item)

    # PyTorch gives a new thread all cores.
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(run, items))

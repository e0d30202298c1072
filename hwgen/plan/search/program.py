"""The integer linear program that chooses one unit for each stage.

A variable x is 1 for each choice that is taken. With c a choice and w a stream::

    Σ x(c) = 1                               over the choices of each stage
    Σ x(c that reads w) = Σ x(c' that sends w)    for each reader of each stage, and each w
    Σ need(c) · x(c) ≤ limit                 for each resource
    minimise  Σ cells(c) · x(c) + price · block RAMs

SciPy's HiGHS solves it, up to :data:`GAP`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from hwgen.plan.cost.usage import Usage
from hwgen.plan.search.choices import Choice
from hwgen.plan.search.planned_design import Budget

GAP, LOOSE_GAP = 1e-4, 0.02
"""Share by which a plan may exceed the smallest one; where none fits, by which it may exceed the
one that exceeds its budget least."""
USUAL_PRICE, TIE = 400.0, 1e-3
"""Logic cells for a block RAM: without a limit on them about their ratio on an ECP5; with one they
are free, but for a choice between equal plans."""
MAX_NODES = 20_000
"""Branches after which the best plan so far is taken; a limit in seconds would give other plans on
other machines."""

Choosing = Mapping[str, Sequence[Choice]]
"""All choices of each stage."""
Equation = tuple[dict[int, float], float]
"""Factors of variables, by number, and the sum that they must have."""


def select(choices: Choosing, fixed: Usage, budget: Budget) -> dict[str, Choice]:
    """The smallest plan within ``budget``; where there is none, the one that exceeds it least.

    ``fixed`` is used in any case. Streams of nodes that are not in ``choices`` are given.
    """
    program = _Program(choices, fixed, budget)
    return program.smallest() or program.least_excess()


class _Program:
    def __init__(self, choices: Choosing, fixed: Usage, budget: Budget) -> None:
        self._all = [(stage, choice) for stage, given in choices.items() for choice in given]
        self._equations = [*_one_of_each(choices), *_equal_streams(choices)]
        needs = np.array([_needs(choice.usage, budget) for _, choice in self._all])
        limits = np.array([limit for _, limit, _ in budget.compare(fixed)])
        bounded = limits < inf
        self._needs: NDArray[np.float64] = needs[:, bounded].T
        self._limits = limits[bounded]
        self._left = self._limits - np.array(_needs(fixed, budget))[bounded]
        price = USUAL_PRICE if budget.block_rams == inf else TIE
        self._costs = np.array([c.usage.cost(price, budget.fabric) for _, c in self._all])

    def smallest(self) -> dict[str, Choice] | None:
        """The plan with the least cost; None where no plan keeps the limits."""
        return self._solve(self._costs, self._needs, self._left, GAP)

    def least_excess(self) -> dict[str, Choice]:
        """The plan whose greatest need, as a multiple of its limit, is the smallest."""
        # The multiple is one more variable: need · x − multiple · limit ≤ left − limit.
        limits = np.maximum(self._limits, 1)
        needs = np.column_stack([self._needs, -limits])
        costs = np.append(np.zeros(len(self._all)), 1.0)
        chosen = self._solve(costs, needs, self._left - limits, LOOSE_GAP)
        assert chosen is not None
        return chosen

    def _solve(
        self,
        costs: NDArray[np.float64],
        needs: NDArray[np.float64],
        most: NDArray[np.float64],
        gap: float,
    ) -> dict[str, Choice] | None:
        """The cheapest choices with ``needs`` · x ≤ ``most``, up to ``gap``.

        Variables beyond those of the choices are real numbers from 0.
        """
        # It takes longer to import than most commands to run.
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import lil_array

        matrix = lil_array((len(self._equations), len(costs)))
        for number, (factors, _) in enumerate(self._equations):
            matrix[[number], list(factors)] = list(factors.values())
        sums = np.array([total for _, total in self._equations])
        constraints = [LinearConstraint(matrix.tocsr(), sums, sums)]
        if len(most):
            constraints.append(LinearConstraint(needs, ub=most))
        is_choice = np.arange(len(costs)) < len(self._all)
        found = milp(
            costs,
            constraints=constraints,
            integrality=is_choice,
            bounds=Bounds(0, np.where(is_choice, 1, inf)),
            options={"mip_rel_gap": gap, "node_limit": MAX_NODES},
        )
        if found.x is None:
            return None
        return {self._all[number][0]: self._all[number][1] for number in _taken(found.x, is_choice)}


def _taken(values: NDArray[np.float64], is_choice: NDArray[np.bool_]) -> list[int]:
    numbers: list[int] = np.flatnonzero((values > 0.5) & is_choice).tolist()
    return numbers


def _needs(usage: Usage, budget: Budget) -> list[float]:
    return [need for need, _, _ in budget.compare(usage)]


def _one_of_each(choices: Choosing) -> list[Equation]:
    equations, first = [], 0
    for given in choices.values():
        equations.append((dict.fromkeys(range(first, first + len(given)), 1.0), 1.0))
        first += len(given)
    return equations


def _equal_streams(choices: Choosing) -> list[Equation]:
    """Each stage reads a stream exactly where its source sends it."""
    every = [(stage, choice) for stage, given in choices.items() for choice in given]
    senders: dict[object, list[int]] = defaultdict(list)
    readers: dict[tuple[str, str], dict[object, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, (stage, choice) in enumerate(every):
        senders[choice.output].append(number)
        for source in dict.fromkeys(choice.sources):
            if source.node in choices:
                readers[stage, source.node][source].append(number)
    return [
        (dict.fromkeys(by_stream[stream], 1.0) | dict.fromkeys(senders[stream], -1.0), 0.0)
        for (_, node), by_stream in readers.items()
        for stream in {choice.output: None for choice in choices[node]} | dict.fromkeys(by_stream)
    ]

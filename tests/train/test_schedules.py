"""Schedules against PyTorch's."""

import pytest
import torch

from pellucid.errors import ParameterError
from pellucid.train.schedules import Constant, Cosine, OneCycle, Step, rate_factor, schedule_named


def rates(make, steps):
    """Learning rates of PyTorch's scheduler on a rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def test_cosine_is_pytorchs():
    expected = rates(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=40), 41)
    assert [rate_factor(Cosine(), step, 41) for step in range(41)] == pytest.approx(expected, abs=1e-12)


def test_one_cycle_is_pytorchs():
    # PyTorch peaks at step 0.3·total − 1 of total − 1; with 101 steps from 0 and pct_start so, both peak at step 30.
    steps = 101
    expected = rates(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1.0, total_steps=steps, pct_start=31 / 101), steps
    )
    assert [rate_factor(OneCycle(), step, steps) for step in range(steps)] == pytest.approx(expected, abs=1e-9)


def test_step_falls_twice():
    assert [round(rate_factor(Step(), step, 9), 6) for step in range(9)] == [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]


def test_warm_up_rises_to_the_schedules_start():
    assert [rate_factor(Constant(), step, 8, warmup=4) for step in range(8)] == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]
    assert rate_factor(Cosine(), 4, 10, warmup=4) == 1.0
    assert rate_factor(Cosine(), 9, 10, warmup=4) == pytest.approx(0)


def test_unknown_name_is_refused():
    with pytest.raises(ParameterError, match="must be one of constant, step, cosine, one-cycle; got 'linear'"):
        schedule_named("linear")

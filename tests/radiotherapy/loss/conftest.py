"""Losses that the tests of this room share."""

from __future__ import annotations

import pytest

from tests.radiotherapy.cases import small_case
from tgsci_radiotherapy.loss import PlanLoss


@pytest.fixture(scope="module")
def loss() -> PlanLoss:
    return PlanLoss(small_case(), "tg119-easier", implied=False)


@pytest.fixture(scope="module")
def paper() -> PlanLoss:
    return PlanLoss(small_case(), "tg119-easier", implied=False, protocol="textgrad-paper", gap=1e-5)

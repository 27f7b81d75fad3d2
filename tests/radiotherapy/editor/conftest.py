"""Losses that the tests of this room share."""

from __future__ import annotations

import pytest

from tests.radiotherapy.cases import small_case
from tests.radiotherapy.editor.runs import PLAIN, REACHABLE
from tgsci_radiotherapy.goals import parse_sheet
from tgsci_radiotherapy.loss import PlanLoss


@pytest.fixture(scope="module")
def reachable() -> PlanLoss:
    return PlanLoss(small_case(), parse_sheet(REACHABLE, "reachable"), PLAIN, implied=False)

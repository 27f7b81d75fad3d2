"""The engine that is used wherever none is given."""

from __future__ import annotations

import pytest

from tgsci.engines.scripted import Scripted
from tgsci.errors import UsageError
from tgsci.textgrad import TextLoss, Variable, set_backward_engine, singleton_backward_engine
from tgsci.textgrad.config import SingletonBackwardEngine, validate_engine_or_get_default


@pytest.fixture(autouse=True)
def _none_left():
    yield
    set_backward_engine(None, override=True)


def test_the_engine_is_the_one_that_was_set_and_is_replaced_on_request_only():
    first, second = Scripted(["fine"]), Scripted(["bad"])
    set_backward_engine(first)
    assert SingletonBackwardEngine().get_engine() is first
    assert singleton_backward_engine.get_engine() is first
    with pytest.raises(UsageError, match="override=True"):
        set_backward_engine(second)
    set_backward_engine(second, override=True)
    assert validate_engine_or_get_default(None) is second
    assert TextLoss("Is it good?")(Variable("text", role_description="text")).value == "bad"


def test_without_an_engine_it_is_said_what_to_do():
    with pytest.raises(UsageError, match="set_backward_engine"):
        validate_engine_or_get_default(None)

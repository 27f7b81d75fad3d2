"""Optimizers, where TextGrad has them."""

from ... import optimizer as core
from ...optimizer import Optimizer
from ..config import takes_engine_names

__all__ = ["TGD", "Optimizer", "TextualGradientDescent", "TextualGradientDescentwithMomentum"]


@takes_engine_names
class TextualGradientDescent(core.TextualGradientDescent):
    """See `tgsci.TextualGradientDescent`."""


@takes_engine_names
class TextualGradientDescentwithMomentum(core.TextualGradientDescentwithMomentum):
    """See `tgsci.TextualGradientDescentwithMomentum`."""


TGD = TextualGradientDescent

"""Optimizers, where TextGrad has them."""

from ...optimizer import TGD, Optimizer, TextualGradientDescent, TextualGradientDescentwithMomentum

__all__ = ["TGD", "Optimizer", "TextualGradientDescent", "TextualGradientDescentwithMomentum"]

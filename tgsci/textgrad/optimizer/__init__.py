"""Optimizers."""

from .optimizer import TGD, Optimizer, TextualGradientDescent, TextualGradientDescentwithMomentum

__all__ = ["TGD", "Optimizer", "TextualGradientDescent", "TextualGradientDescentwithMomentum"]

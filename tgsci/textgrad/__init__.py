"""TextGrad's module tree and call conventions on this core, and nothing else.

    import tgsci.textgrad as textgrad      # instead of: import textgrad

Engines return plain text and have TextGrad's names, and `Variable` requires a role; everything else is the core's own.
`docs/from-textgrad.md` lists what differs on purpose.
"""

from __future__ import annotations

import logging

from . import autograd, config, engine, engine_experimental, loss, optimizer, tasks, variable
from .autograd import aggregate, sum
from .config import SingletonBackwardEngine, set_backward_engine
from .engine import EngineLM, get_engine
from .loss import TextLoss
from .model import BlackboxLLM
from .optimizer import TGD, TextualGradientDescent
from .variable import Variable

logger = logging.getLogger("tgsci")
singleton_backward_engine = SingletonBackwardEngine()

__all__ = [
    "TGD",
    "BlackboxLLM",
    "EngineLM",
    "SingletonBackwardEngine",
    "TextLoss",
    "TextualGradientDescent",
    "Variable",
    "aggregate",
    "autograd",
    "config",
    "engine",
    "engine_experimental",
    "get_engine",
    "logger",
    "loss",
    "optimizer",
    "set_backward_engine",
    "singleton_backward_engine",
    "sum",
    "tasks",
    "variable",
]

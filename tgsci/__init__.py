"""tgsci: text gradients for science. Simulators are loss functions; their reports are the gradients."""

from . import autograd
from . import engines as engines  # the names that `get_engine` knows
from .engine import Engine, Reply, as_engine, get_engine, map, set_backward_engine
from .errors import (
    EngineError,
    GraphError,
    InvalidValue,
    LedgerError,
    MeasurementError,
    TgsciError,
    UsageError,
)
from .feedback import Feedback, is_better
from .functions import (
    BlackboxLLM,
    FormattedLLMCall,
    LLMCall,
    Module,
    MultimodalLLMCall,
    StringBasedFunction,
    aggregate,
    sum,
)
from .judges import (
    ImageQALoss,
    MultiChoiceTestTime,
    MultiFieldEvaluation,
    MultiFieldTokenParsedEvaluation,
    TextLoss,
)
from .loss import FunctionLoss, LimitedLoss, Loss, WeightedLoss, as_loss
from .optimizer import TGD, Optimizer, TextualGradientDescent, TextualGradientDescentwithMomentum
from .runs.comparison import Comparison, compare
from .runs.directory import load
from .runs.domain import Domain, Problem
from .runs.finalists import Finishing
from .runs.result import Result
from .runs.run import branch, minimize, resume, solve
from .search.ledger import Ledger, Spent
from .search.loop import Progress
from .search.menu import Menu, Option
from .search.options import Budget
from .search.proposer import Proposer
from .search.trial import Proposal, State, Trial, Trials
from .variable import Backward, Gradient, Variable
from .version import __version__ as __version__

__all__ = [
    "TGD",
    "Backward",
    "BlackboxLLM",
    "Budget",
    "Comparison",
    "Domain",
    "Engine",
    "EngineError",
    "Feedback",
    "Finishing",
    "FormattedLLMCall",
    "FunctionLoss",
    "Gradient",
    "GraphError",
    "ImageQALoss",
    "InvalidValue",
    "LLMCall",
    "Ledger",
    "LedgerError",
    "LimitedLoss",
    "Loss",
    "MeasurementError",
    "Menu",
    "Module",
    "MultiChoiceTestTime",
    "MultiFieldEvaluation",
    "MultiFieldTokenParsedEvaluation",
    "MultimodalLLMCall",
    "Optimizer",
    "Option",
    "Problem",
    "Progress",
    "Proposal",
    "Proposer",
    "Reply",
    "Result",
    "Spent",
    "State",
    "StringBasedFunction",
    "TextLoss",
    "TextualGradientDescent",
    "TextualGradientDescentwithMomentum",
    "TgsciError",
    "Trial",
    "Trials",
    "UsageError",
    "Variable",
    "WeightedLoss",
    "aggregate",
    "as_engine",
    "as_loss",
    "autograd",
    "branch",
    "compare",
    "get_engine",
    "is_better",
    "load",
    "map",
    "minimize",
    "resume",
    "set_backward_engine",
    "solve",
    "sum",
]

"""Transforms: how a figure enters the loss. The names, parameters and formulas are REINVENT4's where it has them.

Sources: REINVENT4 (Loeffler et al., J. Cheminform. 2024, 16, 20), its `scoring/transforms`; `linear` and `hinge` are
what DOCKSTRING's tasks (Garcia-Ortegon et al., J. Chem. Inf. Model. 2022, 62, 3486) need besides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tgsci.basics import checks
from tgsci.basics.texts import did_you_mean, literal
from tgsci.errors import UsageError

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class _Kind:
    """A transform: its parameters with their defaults (None: must be given), and what it does."""

    parameters: Mapping[str, float | None]
    formula: str
    #: True where it gives 0 (bad) to 1 (good): only these may go into a mean.
    desirability: bool
    function: Callable[..., Any]


def _logistic(exponent: Any) -> Any:
    """1 / (1 + 10 ** -exponent), by the hyperbolic tangent: it never overflows."""
    return 0.5 * (1.0 + np.tanh(0.5 * math.log(10) * exponent))


def _sigmoid(x: Any, low: float, high: float, k: float) -> Any:
    return _logistic(10.0 * k * (x - (low + high) / 2) / (high - low))


def _reverse_sigmoid(x: Any, low: float, high: float, k: float) -> Any:
    return _logistic(-10.0 * k * (x - (low + high) / 2) / (high - low))


def _double_sigmoid(x: Any, low: float, high: float, coef_div: float, coef_si: float, coef_se: float) -> Any:
    return np.minimum(_logistic(coef_si / coef_div * (x - low)), _logistic(-coef_se / coef_div * (x - high)))


def _hinge(x: Any, low: float, high: float) -> Any:
    return np.maximum(0.0, np.maximum(low - x, x - high))


_KINDS: Mapping[str, _Kind] = {
    "identity": _Kind({}, "the figure as it is", False, lambda x: x * 1.0),
    "linear": _Kind(
        {"slope": 1.0, "offset": 0.0}, "offset + slope x", False, lambda x, slope, offset: offset + slope * x
    ),
    "hinge": _Kind(
        {"low": -math.inf, "high": math.inf},
        "by how much x lies outside low to high: max(0, low - x, x - high); give one of them or both",
        False,
        _hinge,
    ),
    "sigmoid": _Kind(
        {"low": None, "high": None, "k": 0.5},
        "1 / (1 + 10^(-10 k (x - (low + high)/2) / (high - low)))",
        True,
        _sigmoid,
    ),
    "reverse_sigmoid": _Kind(
        {"low": None, "high": None, "k": 0.5},
        "1 / (1 + 10^(10 k (x - (low + high)/2) / (high - low)))",
        True,
        _reverse_sigmoid,
    ),
    "double_sigmoid": _Kind(
        {"low": None, "high": None, "coef_div": 100.0, "coef_si": 150.0, "coef_se": 150.0},
        "the smaller of 1 / (1 + 10^(-coef_si/coef_div (x - low))) and 1 / (1 + 10^(coef_se/coef_div (x - high)))",
        True,
        _double_sigmoid,
    ),
    "step": _Kind(
        {"low": None, "high": None},
        "1 from low to high, else 0",
        True,
        lambda x, low, high: np.where((x >= low) & (x <= high), 1.0, 0.0),
    ),
    "left_step": _Kind({"low": None}, "1 up to low, above it 0", True, lambda x, low: np.where(x <= low, 1.0, 0.0)),
    "right_step": _Kind(
        {"high": None}, "1 from high on, below it 0", True, lambda x, high: np.where(x >= high, 1.0, 0.0)
    ),
    "exponential_decay": _Kind(
        {"k": 1.0}, "exp(-k x), 1 below x = 0", True, lambda x, k: np.exp(-k * np.maximum(x, 0.0))
    ),
}

#: Parameters that must be above zero.
_POSITIVE = ("k", "coef_div", "coef_si", "coef_se")


class Transform:
    """How the value x of a metric enters the loss.

    | type | value |
    |---|---|
    | `identity` | x |
    | `linear` | offset + slope x |
    | `hinge` | max(0, low - x, x - high): by how much x lies outside low to high |
    | `sigmoid` | 1 / (1 + 10^(-10 k (x - (low + high)/2) / (high - low))): good above |
    | `reverse_sigmoid` | one minus that: good below |
    | `double_sigmoid` | min(1 / (1 + 10^(-a (x - low))), 1 / (1 + 10^(b (x - high)))): good between |
    | `step`, `left_step`, `right_step` | 1 from low to high, up to low, from high on; else 0 |
    | `exponential_decay` | exp(-k x), 1 below 0 |

    with a = coef_si / coef_div and b = coef_se / coef_div. REINVENT4 takes the rising half of a double sigmoid below
    the middle of low and high and the falling half above it; with coef_si = coef_se that is this minimum, and with
    others the minimum has no jump there.

    Args:
        type: One of the above.
        parameters: Those of its formula: `low` and `high` in the figure's unit; `k` 0.5 unless given.

    Raises:
        UsageError: No such transform, or a parameter that it does not have, that is missing or no number.
    """

    def __init__(self, /, type: str = "identity", **parameters: float) -> None:
        if not isinstance(type, str) or type not in _KINDS:
            raise UsageError(f"no transform {literal(type)}; {did_you_mean(type, _KINDS)}")
        self.type = type
        self.parameters = _check_parameters(type, parameters)

    def __call__(self, x: Any) -> Any:
        """Transform a value; an array gives an array, a float a float."""
        value = _KINDS[self.type].function(np.asarray(x, dtype=float), **self.parameters)
        return float(value) if np.ndim(x) == 0 else value

    @property
    def desirability(self) -> bool:
        """True where it gives 0 (bad) to 1 (good)."""
        return _KINDS[self.type].desirability

    @property
    def formula(self) -> str:
        """What it does to a value x, in symbols or words."""
        return _KINDS[self.type].formula.partition(";")[0]

    def of(self, x: str) -> str:
        """Write the formula for a metric of this name, short."""
        p = self.parameters
        if self.type == "identity":
            return x
        if self.type == "linear":
            return f"({p['offset']:g} + {p['slope']:g} {x})"
        if self.type == "hinge":
            sides = ["0"]
            sides += [f"{p['low']:g} - {x}"] if math.isfinite(p["low"]) else []
            sides += [f"{x} {'-+'[p['high'] < 0]} {abs(p['high']):g}"] if math.isfinite(p["high"]) else []
            return f"max({', '.join(sides)})"
        return f"{self.type}({x})"

    def as_dict(self) -> dict[str, Any]:
        """Write it as a table; `Transform(**as_dict())` is the same transform."""
        return {"type": self.type, **{k: v for k, v in self.parameters.items() if math.isfinite(v)}}

    def __str__(self) -> str:
        given = ", ".join(f"{k} {v:g}" for k, v in self.parameters.items() if math.isfinite(v))
        return f"{self.type}({given})" if given else self.type

    def __repr__(self) -> str:
        return f"Transform({', '.join(f'{k}={v!r}' for k, v in self.as_dict().items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transform) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash(repr(self))


def transform_names() -> dict[str, str]:
    """List every transform's name with its formula."""
    return {name: kind.formula for name, kind in _KINDS.items()}


def _check_parameters(type: str, given: Mapping[str, Any]) -> dict[str, float]:
    wanted = _KINDS[type].parameters
    for name in given:
        if name not in wanted:
            has = f"it has {', '.join(wanted)}" if wanted else "it has none"
            raise UsageError(f"the transform {type} has no parameter {literal(name, 40)}; {has}")
    parameters: dict[str, float] = {}
    for name, default in wanted.items():
        value = given.get(name, default)
        if value is None:
            raise UsageError(f"the transform {type} needs {name}")
        if name in given:
            low, high = (1e-9, 1e9) if name in _POSITIVE else (-1e12, 1e12)
            value = checks.number(f"{name} of the transform {type}", value, low, high)
        parameters[name] = float(value)
    if "low" in parameters and "high" in parameters and not parameters["low"] < parameters["high"]:
        raise UsageError(f"the transform {type} needs low < high, not {parameters['low']:g} and {parameters['high']:g}")
    if type == "hinge" and not any(math.isfinite(v) for v in parameters.values()):
        raise UsageError("the transform hinge needs low, high or both")
    return parameters

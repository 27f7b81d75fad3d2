"""Accuracy against calls as an SVG: the answers of the refinement beside votes over ever more samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 680, 300, 52, 170, 16, 44
_INK, _GREY = "#1f2933", "#9aa4ad"


@dataclass(frozen=True)
class Curve:
    """A line of the picture.

    Args:
        name: Stands at its end.
        colour: As SVG writes it.
        points: (calls a question, accuracy, lower and upper end of its interval), the last three as shares.
        joined: Whether the points are joined by a line.
    """

    name: str
    colour: str
    points: Sequence[tuple[float, float, float, float]]
    joined: bool = True


def picture(curves: Sequence[Curve]) -> str:
    """Draw accuracy against calls, each point with its interval.

    Args:
        curves: What is drawn; together they have a point at least.
    """
    most = max(calls for curve in curves for calls, *_ in curve.points)

    def x(calls: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * calls / most

    def y(share: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">']
    for percent in range(0, 101, 25):
        level = y(percent / 100)
        parts.append(f'<path d="M{_LEFT} {level:.1f}H{_WIDTH - _RIGHT}" stroke="{_GREY}" stroke-width="0.5"/>')
        parts.append(_text(_LEFT - 6, level + 4, f"{percent} %", "end"))
    for calls in range(1, int(most) + 1, max(1, int(most) // 10)):
        parts.append(_text(x(calls), _HEIGHT - _BOTTOM + 18, str(calls), "middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "calls a question", "middle"))
    for number, curve in enumerate(curves):
        shift = 3.0 * number - 1.5 * (len(curves) - 1)  # so that intervals do not hide each other
        marks = [(x(calls) + shift, y(share), y(low), y(high)) for calls, share, low, high in curve.points]
        if curve.joined and len(marks) > 1:
            line = " ".join(f"{at:.1f},{level:.1f}" for at, level, *_ in marks)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{curve.colour}" stroke-width="1.5"/>')
        for at, level, low, high in marks:
            parts.append(f'<path d="M{at:.1f} {low:.1f}V{high:.1f}" stroke="{curve.colour}" stroke-width="1"/>')
            parts.append(f'<circle cx="{at:.1f}" cy="{level:.1f}" r="3.5" fill="{curve.colour}"/>')
        parts.append(
            f'<circle cx="{_WIDTH - _RIGHT + 18}" cy="{_TOP + 12 + 20 * number}" r="4" fill="{curve.colour}"/>'
        )
        parts.append(_text(_WIDTH - _RIGHT + 28, _TOP + 16 + 20 * number, curve.name, "start"))
    return "".join([*parts, "</svg>"])


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{_INK}" text-anchor="{anchor}">{escape(text)}</text>'

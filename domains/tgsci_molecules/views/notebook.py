"""A run in Jupyter: a table with structures. `view3d` shows a pose, `output.tradeoff` the score against QED."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tgsci.errors import InvalidValue, UsageError
from tgsci.show.report.text import picture_address
from tgsci.texts import column as aligned
from tgsci.texts import literal, quote

from .columns import Column, checked, columns_of
from .pictures import svg

if TYPE_CHECKING:
    from pandas import DataFrame

    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial

#: Sorts the rows by the column that was clicked, the other way round at the second click.
_SORT = (
    "const h=this,t=h.closest('table'),b=t.tBodies[0],i=h.cellIndex,d=h.dataset.d==='1'?-1:1;h.dataset.d=d;"
    "const v=r=>{const x=r.cells[i].dataset.v;return x===''?Infinity:Number(x)};"
    "[...b.rows].sort((p,q)=>{const x=v(p),y=v(q);return x===y?0:x===Infinity?1:y===Infinity?-1:d*(x-y)})"
    ".forEach(r=>b.append(r))"
)


class MoleculeTable:
    """Molecules of a run with their structures, to look at in Jupyter and to go on with as `frame`.

    Args:
        trials: In the order in which they are shown.
        columns: Figures beside the structures.
        draw: The picture of a molecule, as SVG.
    """

    def __init__(self, trials: Sequence[Trial], columns: Sequence[Column], draw: Callable[[Trial], str]) -> None:
        self.trials = list(trials)
        self.columns = list(columns)
        self._draw = draw

    @property
    def frame(self) -> DataFrame:
        """The same as a pandas table, with the structures left to `smiles`."""
        try:
            import pandas
        except ImportError as error:
            raise UsageError("a table needs pandas: pip install 'tgsci[molecules]'") from error
        rows = [
            {
                "number": trial.number,
                "smiles": trial.value,
                **{column.title: _value(column.text(trial)) for column in self.columns},
                "reason": trial.reason,
            }
            for trial in self.trials
        ]
        table: DataFrame = pandas.DataFrame(rows, columns=["number", "smiles", *self._titles(), "reason"])
        return table

    def _titles(self) -> list[str]:
        return [column.title for column in self.columns]

    def __repr__(self) -> str:
        return f"<MoleculeTable of {len(self.trials)} molecules: {', '.join(self._titles())}>"

    def _repr_html_(self) -> str:
        style = "text-align:right;padding:2px 8px;cursor:pointer;vertical-align:bottom"
        heads = "".join(
            f'<th style="{style}" title="{html.escape(_hint(column))}" onclick="{html.escape(_SORT)}">'
            f"{html.escape(column.title)}</th>"
            for column in self.columns
        )
        number = f'<th style="{style}" title="the trial\'s number" onclick="{html.escape(_SORT)}">trial</th>'
        figures = [self._figures(column) for column in self.columns]
        rows = "".join(self._row(trial, [cells[i] for cells in figures]) for i, trial in enumerate(self.trials))
        return (
            f'<table><thead><tr><th></th>{number}{heads}<th style="text-align:left">molecule and reason</th></tr>'
            f"</thead><tbody>{rows}</tbody></table>"
        )

    def _figures(self, column: Column) -> list[str]:
        """A column's cells, all with the same decimals."""
        values = [_value(column.text(trial)) for trial in self.trials]
        figures = [value if isinstance(value, float) else math.nan for value in values]
        shown = aligned(figures, column.unit if column.title != "loss" else None)
        return [
            _cell(text if isinstance(value, float) else value, figure)
            for text, value, figure in zip(shown, values, figures, strict=True)
        ]

    def _row(self, trial: Trial, figures: Sequence[str]) -> str:
        text = "overflow-wrap:anywhere;max-width:26em;padding:2px 8px;text-align:left"
        return (
            f'<tr><td style="background:#fff">{_picture(self._draw, trial)}</td>'
            f"{_cell(str(trial.number), trial.number)}{''.join(figures)}"
            f'<td style="{text}"><code>{html.escape(trial.value)}</code><br>{html.escape(trial.reason)}</td></tr>'
        )


def table(
    result: Result, top: int = 10, columns: str | Sequence[str] = (), *, draw: Callable[[Trial], str] | None = None
) -> MoleculeTable:
    """The best molecules of a run with their structures; a click on a head sorts by that column.

    Args:
        result: A molecules run's.
        top: How many, best first.
        columns: Names of figures, for example "vina"; those that the run names where empty.
        draw: Another picture of a trial's molecule, as SVG: `contributions`, for example.

    Raises:
        UsageError: No result, a top below 1, or a column that the run has not.
    """
    there = {column.title: column for column in columns_of(checked(result))}
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise UsageError(f"top must be a whole number above 0, not {literal(top)}")
    columns = [columns] if isinstance(columns, str) else columns
    if not isinstance(columns, Sequence) or not all(isinstance(name, str) for name in columns):
        raise UsageError(f"columns must be a list of names, not {literal(columns)}")
    names = [*columns] or ["loss", *result.columns]
    chosen = []
    for name in names:
        title = name if name in there else result.titled(name)
        if title not in there and columns:
            raise UsageError(f"no column {quote(name)}; there are: {', '.join(there)}")
        if title in there:
            chosen.append(there[title])
    if not columns:
        chosen += [column for column in there.values() if column.kind == "finalist"]
    return MoleculeTable(result.trials.ranked()[:top], chosen, draw or (lambda trial: svg(trial.value, 220, 150)))


def _hint(column: Column) -> str:
    better = f"; {column.better} is better" if column.better in ("lower", "higher") else ""
    return f"{column.meaning or column.title}{better}. Click to sort."


def _picture(draw: Callable[[Trial], str], trial: Trial) -> str:
    """As an image: nothing in it can act, and it cannot break the page."""
    try:
        picture = draw(trial)
    except (InvalidValue, UsageError) as error:
        return html.escape(str(error))
    return f'<img alt="{html.escape(trial.value)}" src="{picture_address(_compact(picture))}">'


def _compact(picture: str) -> str:
    """The same picture without what SVG takes for granted: a notebook keeps every one of them."""
    for default in ("fill-rule:evenodd;", "stroke-linecap:butt;", "stroke-linejoin:miter;", ";stroke-opacity:1"):
        picture = picture.replace(default, "")
    return " ".join(picture.split())


def _cell(text: str, value: float) -> str:
    sortable = "" if math.isnan(value) else f"{value:.8g}"
    return f'<td style="text-align:right;padding:2px 8px" data-v="{sortable}">{html.escape(text)}</td>'


def _value(text: str) -> float | str:
    """A cell's figure; nan where it is empty, the text where it is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return text

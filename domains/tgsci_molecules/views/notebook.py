"""A run in Jupyter: a table with structures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tgsci.basics.checks import whole
from tgsci.basics.imports import needs
from tgsci.basics.texts import column as aligned
from tgsci.basics.texts import literal, quote
from tgsci.errors import InvalidValue, UsageError
from tgsci.show.columns import Column
from tgsci.show.html import LONG, Cell, drawing, html_table, lines

from .pictures import svg
from .table import checked, columns_of

if TYPE_CHECKING:
    from pandas import DataFrame

    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial


class MoleculeTable:
    """Molecules of a run with their structures, to look at in Jupyter and to go on with as `frame`.

    Args:
        trials: The trials, in the order of the rows.
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
        pandas = needs("pandas", "a table", "molecules")
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
        header: list[str | Cell] = [
            "",
            Cell("trial", figure=True, hint="the trial's number"),
            *(Cell(column.title, figure=True, hint=_hint(column)) for column in self.columns),
            "molecule and reason",
        ]
        figures = [self._cells(column) for column in self.columns]
        rows = [
            [
                Cell(_picture(self._draw, trial), style="background:#fff"),
                Cell(str(trial.number), figure=True, value=trial.number),
                *(cells[i] for cells in figures),
                Cell(lines([trial.value, trial.reason]), style=LONG),
            ]
            for i, trial in enumerate(self.trials)
        ]
        return html_table(header, rows, sortable=True)

    def _cells(self, column: Column) -> list[Cell]:
        """Write a column's cells, all with the same decimals."""
        values = [_value(column.text(trial)) for trial in self.trials]
        figures = [value if isinstance(value, float) else math.nan for value in values]
        texts = aligned(figures, column.unit if column.title != "loss" else None)
        return [
            Cell(text if isinstance(value, float) else value, True, value=None if math.isnan(figure) else figure)
            for text, value, figure in zip(texts, values, figures, strict=True)
        ]


def table(
    result: Result, top: int = 10, columns: str | Sequence[str] = (), *, draw: Callable[[Trial], str] | None = None
) -> MoleculeTable:
    """Show the best molecules of a run with their structures; a click on a head sorts by that column.

    Args:
        result: The result of a molecules run.
        top: How many molecules, best first.
        columns: Names of figures, for example "vina"; those that the run names where empty.
        draw: Another picture of a trial's molecule, as SVG: `contributions`, for example.

    Raises:
        UsageError: No result, a top below 1, or a column that the run has not.
    """
    there = {column.title: column for column in columns_of(checked(result))}
    top = whole("top", top, above=0)
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
    """Draw the molecule as an image, or say why there is none."""
    try:
        return drawing(_compact(draw(trial)), trial.value)
    except (InvalidValue, UsageError) as error:
        return str(error)


def _compact(picture: str) -> str:
    """Drop from a picture what SVG takes for granted: a notebook keeps every one of them."""
    for default in ("fill-rule:evenodd;", "stroke-linecap:butt;", "stroke-linejoin:miter;", ";stroke-opacity:1"):
        picture = picture.replace(default, "")
    return " ".join(picture.split())


def _value(text: str) -> float | str:
    """Read a cell's figure; nan where it is empty, the text where it is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return text

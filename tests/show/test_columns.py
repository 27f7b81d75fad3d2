"""The table of a run's trials, and the sheet that explains its columns."""

from __future__ import annotations

import csv
import io

import tgsci
from tgsci.show.columns import Column, columns_csv, ranks, titled, trials_csv


def length(value: str) -> tgsci.Feedback:
    if "!" in value:
        raise tgsci.MeasurementError("no measurement")
    return tgsci.Feedback(float(len(value)), "shorter is better", {"length": len(value)})


class Nobody(tgsci.Proposer):
    def ask(self, trials, n, rng):
        return []


COLUMNS = [
    Column("number", "record", "the trial's number", lambda t: str(t.number)),
    Column(titled("length", "cm"), "raw", "how long it is", lambda t: t.value, "cm", "lower"),
]


def test_trials_stand_best_first_and_the_unmeasured_last():
    result = tgsci.minimize(length, ["aaa", "a", "!", "aa"], Nobody(), budget=4)
    assert ranks(result) == {1: 1, 3: 2, 0: 3}
    assert list(csv.reader(io.StringIO(trials_csv(result, COLUMNS)))) == [
        ["number", "length (cm)"],
        ["1", "a"],
        ["3", "aa"],
        ["0", "aaa"],
        ["2", "!"],
    ]


def test_the_sheet_explains_each_column():
    assert columns_csv(COLUMNS).splitlines() == [
        "column,unit,kind,better,meaning",
        "number,,record,,the trial's number",
        "length (cm),cm,raw,lower,how long it is",
    ]

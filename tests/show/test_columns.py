"""The table of a run's trials, and the sheet that explains its columns."""

from __future__ import annotations

import csv
import io

import tgsci
from tgsci.show.columns import Column, columns_csv, outcome_columns, ranks, titled, trials_csv


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


def test_the_last_columns_say_what_became_of_a_trial():
    result = tgsci.minimize(length, ["aa", "!"], Nobody(), budget=2)
    columns = list(
        outcome_columns("no word", "could not be read", "time to read", lambda x: "" if x is None else "some")
    )
    assert [column.title for column in columns] == [
        *("state", "decision", "reason", "edit", "parent", "proposer", "role", "expected loss", "contrast"),
        *("first loss", "seconds (s)"),
    ]
    assert columns[0].meaning.endswith("invalid: no word; failed: could not be read")
    first, second = result.trials
    assert [columns[0].text(first), columns[4].text(first), columns[-1].text(first)] == ["accepted", "", "some"]
    assert columns[0].text(second) == "failed"

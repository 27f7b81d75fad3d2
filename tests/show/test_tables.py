"""Tables for terminals, scripts and spreadsheets."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci.show.tables import cell, csv_text, print_table


@pytest.mark.parametrize("text", ["-12.0", "+3", "-1e-05", "-.5", "1.5", "", "CCO", "inf", "a = b", "1-2", "-4.61 Gy"])
def test_a_number_and_a_word_stay_as_they_are(text):
    assert cell(text) == text


@pytest.mark.parametrize(
    "text", ["=1+1", "+A1", "-A1", "@SUM(A1)", "-inf", "-nan", "-1_000", "--1", "=", "-", "\uff1d1+1", "+1 234", "-1-1"]
)
def test_what_a_spreadsheet_would_run_is_text(text):
    assert cell(text) == f"'{text}"
    assert cell(f" \t\r\n{text}") == f"'{text}"


@given(st.text())
def test_no_text_begins_a_formula(text):
    assert not cell(text).startswith(("=", "@"))
    assert not cell(f"-{text}").startswith("-") or cell(f"-{text}")[1:2] in set(".0123456789")


def test_a_cell_is_one_line_without_control_characters():
    assert cell("a\nb\tc\x1b[31m") == "a b c [31m"


def test_rows_as_csv_are_read_back():
    rows = [["name", "loss"], ['a "b", c', "-1.5"]]
    assert list(csv.reader(io.StringIO(csv_text(rows)))) == rows


def test_a_script_gets_tabs_and_one_line_a_row(capsys):
    print_table(["name", "SMILES"], [["a\tb", "=C\n"]])
    assert capsys.readouterr().out == "name\tSMILES\na b\t'=C\n"
    print_table(["name"], [["a"]], titled=False)
    assert capsys.readouterr().out == "a\n"


def test_a_terminal_gets_a_table_without_markup(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    print_table(["[b]name", "loss"], [["[C@H]", "-1.5"]], left=["[b]name"], unbroken=["loss"])
    shown = capsys.readouterr().out
    assert "[C@H]" in shown
    assert "[b]name" in shown
    assert "\t" not in shown

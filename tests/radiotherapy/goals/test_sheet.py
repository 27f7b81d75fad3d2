"""Sheets: their text and their fingerprint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.radiotherapy.goals.sheets import sheet
from tgsci_radiotherapy.goals import parse_sheet, read_sheet, sheet_names


@pytest.mark.parametrize("name", sheet_names())
def test_every_sheet_has_sources_and_reads_back_from_its_own_text(name: str) -> None:
    found = read_sheet(name)
    assert found.name == name
    assert len(found.source) > 40
    again = parse_sheet(found.toml(), name)
    assert again.toml() == found.toml()
    assert again.fingerprint == found.fingerprint
    assert [str(g) for g in again.goals] == [str(g) for g in found.goals]
    assert [g.note for g in again.goals] == [g.note for g in found.goals]


def test_a_sheet_with_any_title_and_many_digits_reads_back() -> None:
    found = parse_sheet(
        r"""
        title = 'Zürich "A" \ 患者 😀'
        source = """
        + '"""quotes \' and \\" and a # and\n two lines"""'
        + """
        goals = ["PTV D95.123456% >= 49.1234567 Gy, tolerance 0.0123456 Gy", "PTV V47.500001Gy <= 12.3456789 cc"]
        [prescription]
        "PTV 1" = 50.000001
        """
    )
    assert found.title == r'Zürich "A" \ 患者 😀'
    assert found.source == "quotes ' and \" and a # and two lines"
    again = parse_sheet(found.toml())
    assert again.toml() == found.toml()
    assert (again.title, again.source) == (found.title, found.source)
    assert [replace(g, text="") for g in again.goals] == [replace(g, text="") for g in found.goals]
    assert again.prescription == found.prescription


def test_the_fingerprint_changes_with_what_changes_a_result_only() -> None:
    base = sheet("PTV D95% >= 50 Gy", "Core Dmax <= 30 Gy")
    assert replace(base, title="other", source="other", name="other").fingerprint == base.fingerprint
    for other in ("PTV D95% >= 50.1 Gy", "PTV D95% >= 50 Gy, priority 2", "PTV D95% >= 50 Gy, tolerance 1 Gy"):
        assert sheet(other, "Core Dmax <= 30 Gy").fingerprint != base.fingerprint

"""Side chains that may have been built turned."""

from __future__ import annotations

import pytest

from tgsci_molecules.preparation.flips import Polar, proposals, turned
from tgsci_molecules.preparation.repair import Residue

_AMIDE = {"CB": (-1.5, 0.0, 0.0), "CG": (0.0, 0.0, 0.0), "OD1": (0.6, 1.1, 0.0), "ND2": (0.7, -1.1, 0.0)}
_RING = {
    "CG": (0.0, 0.0, 0.0),
    "ND1": (0.7, 1.1, 0.0),
    "CD2": (0.7, -1.1, 0.0),
    "CE1": (2.0, 0.7, 0.0),
    "NE2": (2.0, -0.7, 0.0),
}
ASN = Residue("ASN", "A", "  10 ", _AMIDE)
HIS = Residue("HIS", "A", "  20 ", _RING)


def test_an_amide_between_the_wrong_partners_is_proposed_with_its_reason() -> None:
    acceptor, donor = Polar("acceptor", (1.9, 3.5, 0.0)), Polar("donor", (2.0, -3.5, 0.0))
    ((residue, why),) = proposals([ASN], [acceptor, donor])
    assert residue is ASN
    assert "Angstrom from a" in why
    assert not proposals([turned(ASN)], [acceptor, donor])
    assert not proposals([ASN], [Polar("both", donor.position)])


def test_a_turn_twice_is_none() -> None:
    assert turned(turned(ASN)) == ASN
    assert turned(ASN).atoms["OD1"] == ASN.atoms["ND2"]
    assert turned(HIS).atoms["ND1"] == HIS.atoms["CD2"]


def test_a_histidine_whose_carbon_faces_a_metal_is_proposed() -> None:
    assert [r for r, _ in proposals([HIS], [Polar("metal", (0.2, -3.1, 0.0))])] == [HIS]
    assert not proposals([HIS], [Polar("metal", (0.2, 3.1, 0.0))])


@pytest.mark.parametrize("kind", ["both", "donor", "acceptor"])
def test_a_partner_far_away_proposes_nothing(kind: str) -> None:
    assert not proposals([ASN, HIS], [Polar(kind, (9.0, 9.0, 9.0))])

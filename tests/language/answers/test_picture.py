"""Accuracy against calls, drawn."""

from xml.etree import ElementTree

from tgsci_language.answers.picture import Curve, picture

SVG = "{http://www.w3.org/2000/svg}"


def test_every_point_is_in_the_picture_and_higher_is_better():
    curves = [Curve("votes & samples", "#111111", [(1, 0.2, 0.1, 0.4), (7, 0.9, 0.7, 1.0)])]
    drawn = ElementTree.fromstring(picture(curves))
    low, high, _ = [float(each.get("cy")) for each in drawn.iter(f"{SVG}circle")]
    assert high < low
    assert {"votes & samples", "calls a question", "100 %", "7"} <= {each.text for each in drawn.iter(f"{SVG}text")}
    assert len(list(drawn.iter(f"{SVG}polyline"))) == 1

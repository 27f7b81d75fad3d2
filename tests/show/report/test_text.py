"""Texts on the page: spelled out where they hide, bounded, and safe as names of files."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

import tgsci as tg
from tests.show.report.runs import Page, Round
from tgsci.show import report
from tgsci.show.report.text import LongText, LongTexts, as_attribute, as_html, file_name, picture_address


def test_what_hides_or_reorders_is_spelled_out(hostile):
    _, html = hostile
    for character in "\u202e\u202c\u2066\u2069\u200b\ufeff\x07\x1b\x00\udc80":
        assert character not in html
    assert '<span class="odd">\\u202e</span>' in html
    assert "half \ufffd" in html  # what a trial keeps of half a character
    assert as_html("a\udc80b") == 'a<span class="odd">\\udc80</span>b'
    assert as_attribute("a\u202eb\x00") == "a\\u202eb\\x00"
    assert as_html("two\nlines\tand\u00a0space") == "two\nlines\tand\u00a0space"


def test_pictures_are_images_and_cannot_act(hostile):
    _, html = hostile
    page = Page(html)
    pictures = page.all("img")
    assert pictures
    for picture in pictures:
        assert picture["src"].startswith("data:image/svg+xml,%3Csvg xmlns=")
        assert picture["alt"]
    assert unquote(picture_address("<svg a='\"&<>#%\n\udc80'/>")).endswith("a='\"&<>#%\n?'/>")


def test_long_texts_are_bounded_and_open_in_full():
    texts = LongTexts(room=30_000)
    folded = texts.folded("x" * 12_345, 100)
    assert folded == LongText("x" * 12_345, 0, "x" * 99 + "…", 12_345)
    assert texts.full("x" * 20_000) == LongText("x" * 17_655, 2_345, "", 20_000)
    assert texts.full("x" * 20_000).missing == 20_000
    assert LongTexts().full("y" * 50_000).missing == 30_000
    assert texts.folded("<b>", 3) == LongText("<b>", length=3)


def test_a_long_text_opens_in_full_and_says_what_is_missing():
    values = ["s", "<i>" * 300, "<b>" * 20_000]
    rules = Round(*(tg.Proposal(value, "why", 0) for value in values[1:]))
    html = report.html(tg.minimize(lambda value: float(len(value)), "s", rules, budget=3))
    assert f'<details class="long"><summary>{"&lt;i&gt;" * 133}…' in html
    assert "(900 characters)" in html
    assert "&lt;i&gt;" * 300 in html
    assert "(40,000 more characters are in the record)" in html


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("pose.sdf", "trial-7-pose.sdf"),
        ("../../etc/passwd", "trial-7-_.._etc_passwd"),
        ("C:\\x\\con", "trial-7-C_x_con"),
        ('a"\u202efds.exe', "trial-7-a_fds.exe"),
        ("n" * 500 + ".npy", "trial-7-" + "n" * 76 + ".npy"),
    ],
)
def test_file_names_are_safe_to_save(name, saved):
    assert file_name(7, name) == saved

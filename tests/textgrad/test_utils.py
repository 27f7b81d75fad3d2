"""Images from addresses."""

from __future__ import annotations

import pytest

import tgsci as tg
from tgsci.textgrad import Variable
from tgsci.textgrad.utils.image_utils import download_and_cache_image, is_valid_url


def test_an_image_at_an_address_is_its_bytes(httpserver):
    httpserver.expect_request("/ant.png").respond_with_data(b"\x89PNG....")
    assert download_and_cache_image(httpserver.url_for("/ant.png")) == b"\x89PNG...."


def test_an_error_page_is_no_image(httpserver):
    httpserver.expect_request("/ant.png").respond_with_data("<html>gone</html>", status=404)
    with pytest.raises(tg.UsageError, match="404"):
        Variable(image_path=httpserver.url_for("/ant.png"), role_description="image", requires_grad=False)


def test_only_the_web_has_addresses():
    assert is_valid_url("https://example.org/a.png")
    assert not is_valid_url("photos/a.png")
    with pytest.raises(tg.UsageError, match="http"):
        download_and_cache_image("file:///etc/passwd")

"""Images from addresses."""

from __future__ import annotations

from urllib.parse import urlparse

from ...errors import UsageError

#: Bytes of an image that is downloaded, at most.
_LARGEST_IMAGE = 50_000_000


def is_valid_url(url: str) -> bool:
    """Whether a text is an address on the web."""
    address = urlparse(url)
    return address.scheme in ("http", "https") and bool(address.netloc)


def download_and_cache_image(image_url: str) -> bytes:
    """Download an image. Unlike TextGrad's, nothing is kept: a second call downloads it again.

    Raises:
        UsageError: It is no http or https address, there is no image, or it has more than 50 MB.
    """
    import httpx  # comes with litellm

    if not is_valid_url(image_url):
        raise UsageError(f"{image_url!r} is no address of an image: it begins with http:// or https://")
    answer = httpx.get(image_url)
    if not getattr(answer, "is_success", True):  # a test's substitute for httpx has no more than the content
        raise UsageError(f"no image at {image_url}: the server answered with {answer.status_code}")
    if len(answer.content) > _LARGEST_IMAGE:
        raise UsageError(f"{image_url} has {len(answer.content)} bytes; an image may have {_LARGEST_IMAGE}")
    return bytes(answer.content)

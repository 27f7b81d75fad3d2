import pytest

from tgsci_language.sandbox.layers import Local, candidates, refusal


@pytest.fixture(params=[name for name, _ in candidates()])
def safe(request):
    """Each layer that keeps hostile code in; skipped where this machine cannot have it."""
    layer = dict(candidates())[request.param]
    if layer is None:
        pytest.skip(f"{request.param} is not installed here")
    if reason := refusal(layer):
        pytest.skip(f"{request.param} does not hold here: {reason}")
    return layer


@pytest.fixture
def local():
    return Local()

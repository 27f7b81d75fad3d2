import pytest

from tgsci import UsageError
from tgsci_language.sandbox.limits import Limits


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("seconds", 0, "seconds must be a number above 0"),
        ("memory_mb", 10, "memory_mb must be a whole number from 64"),
        ("processes", 0, "processes must be a whole number from 1"),
        ("output_mb", "4", "output_mb must be a whole number"),
    ],
)
def test_what_no_limit_can_be_is_refused(name, value, says):
    with pytest.raises(UsageError, match=says):
        Limits(**{name: value})

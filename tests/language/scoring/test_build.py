import pytest

from tgsci.engines.scripted import Scripted
from tgsci.errors import UsageError
from tgsci_language.datasets.example import Example
from tgsci_language.datasets.makers import make_dataset
from tgsci_language.scoring.build import fitting_scorer, make_scorer
from tgsci_language.scoring.scorer import check_scorer


def test_a_scorer_is_made_by_its_name_or_from_a_table():
    assert make_scorer("last integer").name == "last integer"
    assert make_scorer({"kind": "number", "tolerance": 0.1, "unit": "Gy"}).unit == "Gy"
    assert make_scorer("judge", Scripted([])).calls == 1


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("last intger", "did you mean last integer"),
        ({"tolerance": 1}, "scorer has no `kind`"),
        ({"kind": "number", "tolerence": 1}, "unknown key 'tolerence'.*did you mean tolerance"),
        ({"kind": "number", "tolerance": -1}, "tolerance must be a number of 0 or more"),
        ("pattern", "the scorer 'pattern' needs pattern"),
        ("judge", "name it with the key `judge`, as judge = 'MODEL'"),
        (7, "scorer must be a name or a table"),
    ],
)
def test_a_scorer_that_cannot_be_made_is_refused(wanted, message):
    with pytest.raises(UsageError, match=message):
        make_scorer(wanted)


def test_the_scorer_that_fits_is_told_from_the_answers():
    assert fitting_scorer(make_dataset("object-counting", 20)) == "last integer"
    assert fitting_scorer(make_dataset("arithmetic", 50)) == "number"
    assert fitting_scorer(make_dataset("word-sorting", 20)) == "exact"
    assert fitting_scorer([Example("?", "A", "1", ("x", "y"))]) == "choice"


def test_a_scorer_that_can_never_be_right_is_refused_with_the_example():
    check_scorer(make_scorer("number"), make_dataset("arithmetic", 50))
    with pytest.raises(UsageError, match=r"example 1 .*reads digits only.*choose another scorer"):
        check_scorer(make_scorer("last integer"), make_dataset("word-sorting", 5))

import pytest

from tgsci.errors import UsageError
from tgsci_language.datasets.example import Example
from tgsci_language.sandbox.layers import candidates, refusal
from tgsci_language.scoring.build import make_scorer
from tgsci_language.scoring.function import Function
from tgsci_language.scoring.scorer import check_scorer

ONE = Example("2 + 3?", "5", "1")


def scorer(tmp_path, source, **more):
    path = tmp_path / "score.py"
    path.write_text(source)
    sandboxed = any(layer is not None and not refusal(layer) for _, layer in candidates())
    return Function(str(path), unsafe_local=not sandboxed, **more)


def test_a_function_gives_right_wrong_or_a_share(tmp_path):
    near = scorer(
        tmp_path,
        "def score(question, answer, reply):\n"
        "    off = abs(float(reply.split()[-1]) - float(answer))\n"
        "    return max(0.0, 1 - off / 10) if off > 1 else off == 0\n",
    )
    check_scorer(near, [ONE])
    assert near.score(ONE, "it is 5").right == 1
    assert (near.score(ONE, "it is 10").right, near.score(ONE, "it is 10").fault) == (0.5, "wrong answer")
    assert near.score(ONE, "6").right == 0


@pytest.mark.parametrize(
    "body", ["return 'yes'", "return 7", "return float('nan')", "raise ValueError('no')", "import os; os._exit(0)"]
)
def test_a_function_that_fails_costs_the_sample_and_one_that_always_fails_is_refused(tmp_path, body):
    broken = scorer(tmp_path, f"def score(question, answer, reply):\n    {body}\n")
    assert broken.score(ONE, "5").fault == "not judged"
    with pytest.raises(UsageError, match=r"example 1 .*gives no figure from 0 to 1"):
        check_scorer(broken, [ONE])


def test_a_function_that_is_never_right_is_refused(tmp_path):
    never = scorer(tmp_path, "def score(question, answer, reply):\n    return False\n")
    with pytest.raises(UsageError, match="gives 0 for every reference answer itself"):
        check_scorer(never, [ONE])


@pytest.mark.parametrize(
    ("source", "message"),
    [("def other(): pass", "has no function 'score'; there are: other"), ("def (", "is no valid Python")],
)
def test_a_file_without_the_function_is_refused(tmp_path, source, message):
    (tmp_path / "score.py").write_text(source)
    with pytest.raises(UsageError, match=message):
        make_scorer({"kind": "function", "file": str(tmp_path / "score.py")})
    with pytest.raises(UsageError, match="cannot read"):
        make_scorer({"kind": "function", "file": str(tmp_path / "nowhere.py")})

import pytest

from tgsci_language.sandbox.limits import Limits
from tgsci_language.sandbox.scripts import check

SCRIPT = """
def check(candidate):
    for n in range(5):
        assert candidate(n, extra=[n]) == (n, [n]), n
    try:
        candidate(-1)
    except ValueError:
        pass
"""
RIGHT = "def f(n, extra=None):\n    if n < 0: raise ValueError\n    return n, extra"


def test_a_script_passes_or_says_what_failed_and_where(local):
    assert check(SCRIPT, RIGHT, "f", layer=local).returned
    wrong = check(SCRIPT, RIGHT.replace("return n,", "return n % 4,"), "f", layer=local)
    assert (wrong.status, wrong.error, wrong.message, wrong.line) == ("raised", "AssertionError", "4", 4)
    raises = check(SCRIPT, RIGHT.replace("ValueError", "OSError"), "f", layer=local)
    assert raises.error == "OSError"


def test_plain_asserts_call_the_function_by_its_name(local):
    assert check(
        "assert f(1) == 2\nassert f(f(1)) == 3", "def f(n): return n + 1", "f", names=["f"], layer=local
    ).returned


def test_a_candidate_sees_nothing_of_the_script(local):
    spy = (
        "import gc, sys\nclass Secret: pass\ndef f(n):\n"
        "    return n if not any(b'the answer' in o for o in gc.get_objects() if type(o) is bytes) "
        "and not [m for m in sys.modules if m == 'decimal'] else None"
    )
    script = "import decimal\nsecret = 'the answer'\nassert f(1) == 1"
    assert check(script, spy, "f", names=["f"], layer=local).returned


@pytest.mark.slow
def test_what_ends_the_candidate_ends_the_test(local):
    quick = Limits(seconds=0.3, total_seconds=3)
    for body, status in (("import os; os._exit(0)", "ended"), ("while True: pass", "timeout")):
        source = f"def f(n, extra=None):\n    {body}"
        assert check(SCRIPT, source, "f", quick, layer=local).status == status
    assert (
        check("while True: pass", RIGHT, "f", Limits(seconds=0.2, total_seconds=0.5), layer=local).status == "timeout"
    )
    assert check(SCRIPT, "def f(:", "f", layer=local).error == "SyntaxError"


def test_values_that_cannot_be_handed_over_are_said(local):
    result = check("assert f(object()) == 1", RIGHT, "f", names=["f"], layer=local)
    assert "an object of the class object" in result.message
    result = check("assert f(1) == 1", "def f(n): return object()", "f", names=["f"], layer=local)
    assert "cannot be handed over" in result.message


def test_it_holds_in_a_sandbox_too(safe):
    assert check(SCRIPT, RIGHT, "f", layer=safe).returned

import pytest

from tgsci_language.datasets.assertions import NoLiteral, read_assertion, read_assertions
from tgsci_language.sandbox.calls import Call


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("f(1) == 2", [2], True),
        ("f(1) == 2", [3], False),
        ("f([1, -2.5], x={'a': (1,)}) != 3", [2], True),
        ("abs(f(3.5) - 0.5) < 1e-6", [0.5 + 1e-9], True),
        ("math.isclose(f(2), 12.566, rel_tol=0.001)", [12.57], True),
        ("set(f(1)) == set((2, 3))", [[3, 2, 2]], True),
        ("sorted(f(1))[0] == 2 and len(f(2)) == 1", [[3, 2], "a"], True),
        ("f(1) is None", [None], True),
        ("not f(1)", [0], True),
        ("f(1)", [[1]], True),
        ("1 < f(1) <= 3 < 4", [3], True),
        ("f(2) in (1, 2)", [5], False),
        ("f('a' * 3) == 10 ** 9 + 7", [1_000_000_007], True),
        ("f(1) == f(2) or f(3)", [1, 2, True], True),
        ("f(1)['a'][1:] == 'bc'", [{"a": "abc"}], True),
    ],
)
def test_a_statement_is_worked_out_on_the_answers(text, values, holds):
    assertion = read_assertion(text, ["f"])
    assert len(assertion.calls) == len(values)
    assert assertion.holds(values) is holds


def test_calls_hold_the_arguments_and_nothing_of_what_is_expected():
    assertion = read_assertion("assert abs(candidate([1, 2], k='x') - 7.25) < 0.5", [])
    assert assertion.calls == (Call(([1, 2],), {"k": "x"}),)
    assert "7.25" not in repr(assertion.calls)


def test_the_expected_value_is_given_where_there_is_one():
    assert read_assertion("f(1) == {'a': [1, 2.0]}", ["f"]).expected == {"a": [1, 2.0]}
    assert read_assertion("f(1) is None", ["f"]).expected is None
    for text in ("f(1)", "not f(1)", "f(1) < 2", "f(1) == f(2)", "len(f(1)) == 2"):
        with pytest.raises(NoLiteral):
            _ = read_assertion(text, ["f"]).expected


@pytest.mark.parametrize(
    "text",
    [
        "f(x) == 1", "f(*[1]) == 1", "f(**{}) == 1", "1 == 1", "g(1) == 1", "f(1) == open('x')", "f(1).__class__ == 2",
        "f(1) == __import__('os')", "f(lambda: 1) == 1", "f(1) == [x for x in (1,)]", "f(10 ** 10 ** 10) == 1",
        "f('a' * 10 ** 9) == 1", "f(1) == f'{1}'", "x = 1", "f(", "(" * 500, "f('%99999999d' % 1) == 1",
    ],
)  # fmt: skip
def test_what_is_more_than_this_is_no_literal(text):
    with pytest.raises((NoLiteral, SyntaxError)):
        read_assertion(text, ["f"])


def test_a_check_is_taken_apart_and_the_rest_stays_a_script():
    source = (
        "import math\ndef check(candidate):\n    '''doc'''\n    print('x')\n    assert candidate(1) == 2\n"
        "    x = [1]\n    assert candidate(x) == 3\n    assert True\n"
    )
    found, scripts = read_assertions(source, ["f"])
    assert [each.text for each in found] == ["f(1) == 2"]
    (script,) = scripts
    assert "candidate(x) == 3" in script
    assert "candidate(1)" not in script
    found, scripts = read_assertions("import math\nassert f(1) == 2\n", ["f"])
    assert (len(found), scripts) == (1, [])


def test_the_text_is_as_published_with_the_functions_own_name():
    source = (
        "def check(candidate):\n    assert candidate( [1,2] )==3, 'no candidate(1)'\n"
        "    assert (candidate(1)\n        == 2)\n    assert candidate('é') == 1\n"
    )
    found, _ = read_assertions(source, ["Solution().f"])
    assert [each.text for each in found] == [
        "Solution().f( [1,2] )==3",
        "Solution().f(1) == 2",
        "Solution().f('é') == 1",
    ]


def test_a_check_of_other_statements_stays_whole():
    source = "def check(candidate):\n    def g():\n        return 1\n    assert candidate(g()) == 1\n"
    assert read_assertions(source, []) == ([], [source])

import pytest

from tgsci_language.datasets.mbpp_types import typed


@pytest.mark.parametrize(
    ("task", "given", "becomes"),
    [
        ("1", [[1, 2]], [[1, 2]]),
        ("2", [[1], [2, 3]], [(1,), (2, 3)]),
        ("63", [[[1, 2], [3, 4]]], [[(1, 2), (3, 4)]]),
        ("75", [[[1, 2]], 3], [[(1, 2)], 3]),
        ("106", [[1], [2]], [[1], (2,)]),
        ("115", [[[1, 1], []]], [[{1}, {}]]),
        ("124", ["1", "2j"], [1.0, 2j]),
        ("252", ["1+1j"], [1 + 1j]),
        ("259", [[[1, 2]], [[3, 4]]], [((1, 2),), ((3, 4),)]),
        ("278", [[1, [2]]], [(1, (2,))]),
        ("307", [[1], 2, 3], [(1,), 2, 3]),
        ("580", [[1, [2, [3]]]], [(1, (2, (3,)))]),
        ("722", [{"a": [1, 2]}, 3], [{"a": (1, 2)}, 3]),
    ],
)
def test_lists_become_what_the_task_takes(task, given, becomes):
    found = typed(task, given)
    assert found == becomes
    assert repr(found) == repr(becomes)

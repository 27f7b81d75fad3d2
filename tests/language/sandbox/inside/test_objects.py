import pytest

from tgsci_language.sandbox.inside.objects import flatten, restore
from tgsci_language.sandbox.inside.values import BadValue, decode, encode


class Node:
    def __init__(self, value, next=None):
        self.value, self.next = value, next


class Other:
    pass


CLASSES = {"Node": Node}


def sent(value, classes=CLASSES):
    return restore(decode(encode(flatten(value, classes))), classes)


def test_a_long_list_and_a_ring_pass():
    first = last = Node(0)
    for number in range(1, 5000):
        last.next = Node(number)
        last = last.next
    last.next = first
    node = sent([first])[0]
    start = node
    for number in range(5000):
        assert type(node) is Node
        assert node.value == number
        node = node.next
    assert node is start


def test_what_is_one_object_stays_one():
    shared = Node({"a": (1, [2])})
    one, two = sent((Node(1, shared), shared))
    assert one.next is two
    assert two.value == {"a": (1, [2])}


def test_an_object_of_another_class_is_refused():
    flat = flatten(Node(1), CLASSES)
    with pytest.raises(BadValue, match="of the class Node"):
        restore(flat, {"Other": Other})
    cycle = []
    cycle.append(cycle)
    with pytest.raises(BadValue, match="nested more than"):
        flatten(cycle, CLASSES)

"""Identity: everything that changes an engine's answers is in it, and nothing secret."""

from __future__ import annotations

import gc
from functools import partial

import pytest

from tgsci.engines.scripted import Scripted
from tgsci.identity import arguments_of, digest_at_first_sight, secret_name, written


@pytest.mark.parametrize(
    "name", ["api_key", "AWS_SECRET", "azure_ad_token", "password", "extra_headers", "Authorization"]
)
def test_names_of_secrets(name):
    assert secret_name(name)
    assert "hidden" not in written({name: "hidden", "deep": {"er": [{name: "hidden"}]}})


@pytest.mark.parametrize("name", ["max_tokens", "temperature", "model", "seed"])
def test_names_of_parameters(name):
    assert not secret_name(name)
    assert written({name: 3}) == f"{name}=3"


def test_parameters_are_written_by_name_and_long_ones_by_their_digest():
    assert written({"b": "x", "a": 1}) == "a=1, b='x'"
    assert len(written({"a": "x" * 10_000})) < 30
    assert written({"a": "x" * 10_000}) != written({"a": "y" * 10_000})
    assert written({"base": "https://me:pass@host/v1"}) == "base='https://host/v1'"
    assert written({"client": object()}) == ""


class Base:
    def __init__(self, first, second=2, **more):
        pass


class Derived(Base):
    pass


def test_arguments_have_the_names_of_their_parameters():
    assert arguments_of(Derived, (1,), {"third": 3}) == "first=1, third=3"
    assert arguments_of(Derived, (), {"first": 1, "third": 3}) == "first=1, third=3"
    assert arguments_of(Derived, (), {}) == ""


class Derivation(Scripted):
    pass


def test_a_subclass_is_told_by_its_arguments_too():
    assert Derivation(["a"]).identity == Derivation(replies=["a"]).identity != Derivation(["b"]).identity


def test_a_function_that_notes_what_it_was_asked_stays_the_same():
    asked = []

    def noting(prompt):
        asked.append(prompt)
        return "x"

    class Counter:
        def __init__(self):
            self.calls = 0

        def ask(self, prompt):
            self.calls += 1
            return "x"

        __call__ = ask

    counter = Counter()
    for function in (noting, counter, counter.ask):
        before = digest_at_first_sight(function)
        function("q")
        assert digest_at_first_sight(function) == before


@pytest.mark.slow
def test_a_function_that_is_gone_lends_its_digest_to_no_other():
    digests = set()
    for i in range(20):
        digests.add(digest_at_first_sight(partial(print, i)))
        gc.collect()
    assert len(digests) == 20

"""A package that is not there is named, with how to install it."""

from __future__ import annotations

import math

import pytest

from tgsci.basics.imports import needs
from tgsci.errors import UsageError


def test_what_is_installed_is_imported():
    assert needs("math", "a sum") is math


def test_what_is_missing_is_named_with_how_to_install_it():
    with pytest.raises(UsageError, match=r"^a plot needs no_such_package: pip install no_such_package$"):
        needs("no_such_package.part", "a plot")
    with pytest.raises(UsageError, match=r"^a plot needs no_such_package: pip install 'tgsci\[notebooks\]'$"):
        needs("no_such_package", "a plot", "notebooks")


def test_a_broken_package_says_why(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match=r"broken_package, which cannot be imported \(No module named"):
        needs("broken_package", "a plot")

"""Packages: what is installed counts by its version, what is the user's own by its file."""

from __future__ import annotations

import numpy as np

from tgsci.basics.packages import installed, source_of


def test_pythons_own_and_installed_modules_are_told_by_name_and_version():
    assert installed("json.decoder") == "json.decoder"
    assert installed(None) == "builtins"
    assert installed("numpy.linalg") == f"numpy.linalg {np.__version__}"


def test_a_module_of_the_users_own_is_not_installed_and_counts_by_its_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "users_own.py").write_text("A = 1\n")
    assert installed("users_own") is None
    before = source_of("users_own")
    (tmp_path / "users_own.py").write_text("A = 2\n")
    assert source_of("users_own") != before


def test_a_module_that_is_nowhere_is_told_by_its_name():
    assert source_of("there_is_no_such_module") == "there_is_no_such_module"

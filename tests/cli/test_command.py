"""Commands that read what people type."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from tgsci.cli.command import Group, command, option, options, typed
from tgsci.errors import UsageError


@command("dock", takes_settings=True)
@click.argument("smiles", nargs=-1)
@option("--start", several=True)
@option("--box", type=float, several=True)
@option("--goal", type=float)
@option("--core")
@option("--keep", multiple=True)
@option("--full", is_flag=True)
def dock(**values: Any) -> dict[str, Any]:
    """Dock.

    What it does, at length.
    """
    return typed(**values)


def read(*words: str, what: click.Command = dock) -> Any:
    with what.make_context("dock", list(words)) as context:
        return what.invoke(context)


def refusal(*words: str, what: click.Command = dock) -> str:
    with pytest.raises(click.UsageError) as caught:
        read(*words, what=what)
    return caught.value.format_message()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (
            ["CCO", "--start", "CC", "[NH3+]C", "--start", "CN", "--full"],
            {"start": ["CC", "[NH3+]C", "CN"], "full": True},
        ),
        (["--start=CC", "CCO"], {"start": ["CC"]}),
        (["--box", "-1", "2.5", "-3e0", "22", "--", "CCO"], {"box": [-1.0, 2.5, -3.0, 22.0]}),
        (["CCO", "--goal", "-7.5"], {"goal": -7.5}),
        (["CCO", "--core", "-C=C"], {"core": "-C=C"}),
        (["CCO", "--keep", "a", "--keep", "b"], {"keep": ["a", "b"]}),
        (["CCO", "--sta", "CC", "--fu"], {"start": ["CC"], "full": True}),
        (["--", "CCO"], {}),
    ],
)
def test_words_are_read_as_they_are_meant(words: list[str], found: dict[str, Any]) -> None:
    read_ = read(*words)
    assert read_ == {"full": False, "smiles": ["CCO"], "settings": {}, **found}


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["--max-evals", "500"], {"max_evals": 500}),
        (["--target=ABL1", "--qed-weight", "-2.5"], {"target": "ABL1", "qed_weight": -2.5}),
        (["--alerts", "PAINS", "NIH", "--full"], {"alerts": ["PAINS", "NIH"]}),
        (["--alerts", "PAINS", "--alerts", "NIH"], {"alerts": ["PAINS", "NIH"]}),
        (["--limits", "{MW = [200, 500]}"], {"limits": {"MW": [200, 500]}}),
        (["--careful", "true", "--advise", "keep it"], {"careful": True, "advise": "keep it"}),
    ],
)
def test_options_that_it_does_not_know_are_settings(words: list[str], settings: dict[str, Any]) -> None:
    assert read("CCO", *words)["settings"] == settings


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--goal"], "Option '--goal' requires a value."),
        (["--core", "--full"], "Option '--core' requires a value."),
        (["--core", "--", "CCO"], "Option '--core' requires a value."),
        (["--goal", "low"], "'low' is not a valid float"),
        (["--g", "low"], "'low' is not a valid float"),
        (["--strat"], "No such option '--strat'; a key of the domain's table needs a value. Did you mean '--start'?"),
        (["-x"], "No such option '-x'"),
    ],
)
def test_a_wrong_word_says_what_is_meant(words: list[str], says: str) -> None:
    assert says in refusal(*words)


def test_a_beginning_of_two_options_names_both() -> None:
    @command("run")
    @option("--seed", type=int)
    @option("--seconds", type=float)
    def run(seed: int, seconds: float) -> None:
        pass

    assert refusal("--se", "3", what=run) == "'--se' may be --seed or --seconds: write it in full."


def test_a_setting_that_the_domain_refuses_may_be_a_mistyped_option() -> None:
    @command("run", takes_settings=True)
    @option("--evals", type=int)
    def run(evals: int, settings: dict[str, Any]) -> None:
        raise UsageError(f"unknown key {next(iter(settings))!r} in [polynomial]")

    assert refusal("--evasl", "5", what=run) == "unknown key 'evasl' in [polynomial] (or is the option --evals meant?)"
    assert refusal("--target", "5", what=run) == "unknown key 'target' in [polynomial]"


def test_options_that_travel_together_reach_the_command_as_one() -> None:
    @command("prepare")
    @options("site", option("--box", type=float, several=True, section="Site"), option("--ligand", section="Site"))
    @option("--name")
    def prepare(name: str, site: dict[str, Any]) -> Any:
        return name, site

    assert read("--box", "1", "2", "--name", "x", what=prepare) == ("x", {"box": [1.0, 2.0]})
    shown = CliRunner().invoke(prepare, ["--help"]).stdout
    assert shown.index("--name") < shown.index("Site:") < shown.index("--box") < shown.index("--ligand")


def group(**more: Any) -> Group:
    places = {"dock": ("test_command:dock", "a summary that is long enough for three lines " * 4), "gone": ("x:y", "z")}
    return Group("all", package="tests.cli", places=places, **more)


def test_a_group_imports_a_command_when_it_is_used_and_shows_whole_summaries() -> None:
    shown = CliRunner().invoke(group(), ["--help"])
    assert shown.exit_code == 0
    assert " ".join(shown.stdout.split()).count("long enough for three lines") == 4
    assert refusal("dokc", what=group()) == "No such command 'dokc'; did you mean dock?"
    assert read("dock", "CCO", what=group())["smiles"] == ["CCO"]


def test_a_missing_package_is_named_with_the_extra_that_brings_it() -> None:
    with pytest.raises(UsageError, match=r"this needs the package nowhere_at_all: pip install 'tgsci\[molecules\]'"):
        read("broken", what=Group("all", package="nowhere_at_all", places={"broken": ("x:y", "")}, extra="molecules"))
    with pytest.raises(ModuleNotFoundError):  # a fault of this package is no missing one
        read("gone", what=Group("all", package="tgsci.nowhere", places={"gone": ("x:y", "")}, extra="molecules"))

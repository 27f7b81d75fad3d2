"""Click commands that read what people type: options with several values, beginnings of option names, help in sections.

A domain's own commands may be plain click commands; these are for those that want the same.
"""

from __future__ import annotations

import tomllib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from importlib import import_module
from typing import Any

import click
from click.exceptions import NoSuchCommand

from ..basics.texts import did_you_mean, nearest
from ..errors import UsageError

_OPTIONS = "Options"


class Option(click.Option):
    """An option of a command.

    Args:
        declarations: As click takes them: `["--off-target", "off_targets"]`.
        section: Title of the section of the help that it stands in.
        several: It takes one value or more, `--start CCO CCN`, and may be repeated; the function gets a tuple.
        multiple: It takes one value, and may be repeated; the function gets a tuple.
        more: Everything else that `click.Option` takes.
    """

    def __init__(
        self,
        declarations: Sequence[str],
        *,
        section: str = _OPTIONS,
        several: bool = False,
        multiple: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(declarations, multiple=several or multiple, **more)
        self.section, self.several = section, several


class Command(click.Command):
    """A command.

    Beside what click reads it takes several values after one option, unambiguous beginnings of an option's name, and
    negative numbers as values.

    Args:
        takes_settings: Options that it does not know are keys of the domain's own table: `--max-evals 500` gives
            {"max_evals": 500}, passed to the function as `settings`.
        more: Everything else that `click.Command` takes.
    """

    def __init__(self, *arguments: Any, takes_settings: bool = False, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.takes_settings = takes_settings

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words, settings = self._as_click_reads(ctx, args)
        rest = super().parse_args(ctx, words)
        if self.takes_settings:
            ctx.params["settings"] = settings
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            if not ctx.params.get("settings"):
                raise
            # The refused word may be a mistyped option: show the usage, and the option that is near.
            raise click.UsageError(f"{error}{self._near(ctx, str(error))}", ctx) from error

    def _as_click_reads(self, ctx: click.Context, args: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
        """Write each option before each of its values, and set the domain's settings apart."""
        options = self._options(ctx)
        words: list[str] = []
        settings: dict[str, list[str]] = {}
        left = deque(args)
        while left:
            word = left.popleft()
            typed, equals, value = word.partition("=")
            if word == "--":
                words += [word, *left]
                break
            if not typed.startswith("--"):
                words.append(word)
                continue
            name = _meant(typed, options, ctx)
            option = options.get(name)
            if option is None and self.takes_settings:
                values = [value] if equals else _values(left, stop="--")
                if not values:
                    message = f"No such option {name!r}; a key of the domain's table needs a value."
                    raise click.NoSuchOption(name, message, possibilities=options, ctx=ctx)
                settings.setdefault(name[2:].replace("-", "_"), []).extend(values)
            elif option is None or option.is_flag or option.nargs != 1 or equals:
                words.append(f"{name}{equals}{value}")
            else:
                if not left or left[0] == "--" or left[0].partition("=")[0] in options:
                    if isinstance(option.flag_value, str):  # it may stand without a value
                        words.append(name)
                        continue
                    raise click.BadOptionUsage(name, f"Option {name!r} requires a value.", ctx)
                values = [left.popleft()]
                if isinstance(option, Option) and option.several:
                    values += _values(left, stop="-")
                words += [word for value in values for word in (name, value)]
        return words, {name: _setting(values) for name, values in settings.items()}

    def _options(self, ctx: click.Context) -> dict[str, click.Option]:
        known = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        return {name: option for option in known for name in (*option.opts, *option.secondary_opts)}

    def _near(self, ctx: click.Context, refusal: str) -> str:
        for key in ctx.params["settings"]:
            near = nearest(key, (name for name in self._options(ctx) if name.startswith("--")))
            if near and repr(key) in refusal:
                return f" (or is the option {near[0]} meant?)"
        return ""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in sections, in the order in which the sections first come."""
        sections: dict[str, list[tuple[str, str]]] = {_OPTIONS: []}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx)
            if record is not None and isinstance(option, click.Option):
                sections.setdefault(getattr(option, "section", _OPTIONS), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class Group(click.Group):
    """A group of commands that are imported when they are used: its help imports none of them.

    Args:
        package: The package with the commands' modules.
        places: For each command, in the order of the help, where it is in the package ("module:name") and what it does.
        extra: The extra of tgsci that brings what the commands import; where a package is missing, they say so.
        more: Everything else that `click.Group` takes.
    """

    def __init__(
        self, *arguments: Any, package: str, places: Mapping[str, tuple[str, str]], extra: str = "", **more: Any
    ) -> None:
        super().__init__(*arguments, **more)
        self.package, self.places, self.extra = package, places, extra

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if not self.extra or not missing or missing.startswith("tgsci"):  # a fault of this package
                raise
            raise UsageError(f"this needs the package {missing}: pip install 'tgsci[{self.extra}]'") from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.places:
            return None
        module, _, name = self.places[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"{self.package}.{module}"), name)
        return command

    def summaries(self, ctx: click.Context) -> dict[str, str]:
        """Say what each command does, in a line."""
        return {name: summary for name, (_, summary) in self.places.items()}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:
            name, known = error.command_name, self.list_commands(ctx)
            raise click.UsageError(f"No such command {name!r}; {did_you_mean(name, known)}", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every command with its whole summary."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries(ctx).items()))


#: Decorators: `@command("design", ...)` makes a `Command`, `@option("--start", several=True)` adds an `Option`.
command: Callable[..., Callable[[Callable[..., Any]], Command]] = partial(click.command, cls=Command)
option: Callable[..., Callable[[Any], Any]] = partial(click.option, cls=Option)


def typed(**values: Any) -> dict[str, Any]:
    """Keep the options that were typed, by name; several values of one as a list."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value is not None and value != ()
    }


def options(
    name: str, *each: Callable[[Any], Any], into: Callable[..., Any] = typed
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a decorator that adds options which travel together, and hands them to the function as one argument.

    Args:
        name: Of the function's argument.
        each: The options, as `option` makes them.
        into: Called with the values of the options by name; what it returns is the argument.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def gathering(**values: Any) -> Any:
            own = {key: values.pop(key) for key in keys}
            return function(**values, **{name: into(**own)})

        before = len(getattr(gathering, "__click_params__", ()))
        for add in reversed(each):
            add(gathering)
        keys = [parameter.name for parameter in getattr(gathering, "__click_params__", ())[before:]]
        return gathering

    return decorate


def _meant(typed: str, options: Mapping[str, Any], ctx: click.Context) -> str:
    """Find the option of that name, or the only one that begins so; the name as typed where there is none."""
    longer = [typed] if typed in options else [name for name in options if name.startswith(typed)]
    if len(longer) > 1:
        raise click.UsageError(f"{typed!r} may be {' or '.join(longer)}: write it in full.", ctx)
    return longer[0] if longer else typed


def _values(left: deque[str], *, stop: str) -> list[str]:
    """Take the next words up to one that begins with `stop` and is no number."""
    found = []
    while left and (not left[0].startswith(stop) or left[0] == "-" or _is_number(left[0])):
        found.append(left.popleft())
    return found


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _setting(values: Sequence[str]) -> Any:
    return _toml(values[0]) if len(values) == 1 else [*map(_toml, values)]


def _toml(text: str) -> Any:
    """Read a number, true or false, a list or a table as TOML writes it; anything else is text."""
    try:
        value = tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | list | dict) else text

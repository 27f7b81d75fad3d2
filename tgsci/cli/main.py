"""The command line: `tgsci run`, `tgsci runs`, and every installed domain's own commands."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from ..basics.texts import visible
from ..basics.version import __version__
from ..compute.interrupt import when_overdue
from ..errors import InvalidValue, LedgerError, RecordError, TgsciError, UsageError
from .command import Group

if TYPE_CHECKING:
    from ..runs.domain import Domains

#: Help is not wider than this, columns.
_WIDEST = 120


class _Commands(Group):
    """The commands of this package, then those of every installed domain below its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_domains().entries]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.places:
            return super().get_command(ctx, cmd_name)
        domains = _domains()
        return _commands_of(domains, cmd_name) if cmd_name in domains.entries else None

    def summaries(self, ctx: click.Context) -> dict[str, str]:
        domains = _domains()
        return {
            **super().summaries(ctx),
            **{name: _commands_of(domains, name).short_help or "" for name in domains.entries},
        }


@click.group(
    cls=_Commands,
    package=__package__,
    places={
        "run": ("run:run_job", "run a job file"),
        "runs": ("runs:runs", "look at runs, compare them, or go on with one"),
        "doctor": ("doctor:doctor", "say what is installed, what is missing, and what would leave this machine"),
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDEST},
)
@click.version_option(__version__, prog_name="tgsci", message="%(prog)s %(version)s")
def tgsci() -> None:
    """Text gradients for science. A research tool: nothing it says is advice for patients."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: 0 done, 1 it failed or left something unwritten, 2 bad input, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an ASCII terminal still shows every name
    with contextlib.suppress(ValueError):  # not in the main thread: nothing to handle there
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        arguments = list(sys.argv[1:] if argv is None else argv)
        with when_overdue(_exit_at_once), tgsci.make_context("tgsci", arguments) as context:
            code = tgsci.invoke(context)
        sys.stdout.flush()  # where nobody reads it any more, it is noticed here
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx:
            print(error.ctx.get_usage(), file=sys.stderr)
        return _complain(error.format_message(), error.exit_code)
    except RecordError as error:
        return _complain(error, 1)
    except (UsageError, LedgerError, InvalidValue) as error:
        return _complain(error, 2)
    except TgsciError as error:
        return _complain(error, 1)
    except sqlite3.OperationalError as error:
        return _complain(f"the run could not be recorded ({error}); everything up to here is safe: resume it", 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _complain(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), 1)
    except (KeyboardInterrupt, click.Abort):
        code = _complain("interrupted", 130)
    if code == 130 and any(not t.daemon and t is not threading.main_thread() for t in threading.enumerate()):
        timer = threading.Timer(0.3, os._exit, (130,))  # Python would wait for threads that a simulator left behind
        timer.daemon = True
        timer.start()
    return code if isinstance(code, int) else 0


def _complain(message: object, code: int) -> int:
    print(f"tgsci: {visible(str(message))}", file=sys.stderr)
    return code


def _exit_at_once() -> NoReturn:
    """End the process of an interrupted run that does not end by itself: a simulator in it does not hear Ctrl-C."""
    if sys.stderr.isatty():
        print("\x1b[?25h", end="", file=sys.stderr)  # the cursor, which a live table hides
    _complain("interrupted; nothing measured is lost, go on with: tgsci runs resume RUN", 130)
    sys.stdout.flush()
    os._exit(130)


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _domains() -> Domains:
    from ..runs.domain import Domains  # not for `tgsci --version`

    return Domains.installed()


def _commands_of(domains: Domains, name: str) -> click.Command:
    """Get a domain's commands; those of a domain that does not load are listed too, and say why when they are used."""
    try:
        domain = domains.load(name)
        commands = domain.commands()
        if commands is None:
            use = f"Use it from a job file: tgsci run JOB.toml with domain = {name!r}."
            commands = click.Group(name, help=domain.summary, epilog=use)
        if not isinstance(commands, click.Group):
            raise TypeError(f"commands() gives {commands!r}, not a click group")
    except Exception as error:  # somebody else's code: whatever it raises, the other commands work
        return _BrokenCommands(name, error)
    commands.help = commands.help or domain.summary
    commands.short_help = commands.short_help or domain.summary
    return commands


class _BrokenCommands(click.Command):
    """What stands for the commands of a domain that does not load."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(name, short_help=f"(does not load: {str(error) or type(error).__name__})")
        self.error = error

    def parse_args(self, ctx: click.Context, args: list[str]) -> NoReturn:
        if isinstance(self.error, TgsciError):
            raise self.error
        raise UsageError(
            f"the commands of the domain {ctx.info_name!r} do not load ({type(self.error).__name__}: {self.error}); "
            "update or reinstall its package, or tell its author"
        ) from self.error

"""`tgsci doctor`: what is installed, what is missing and how to get it, and what would leave this machine."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from .. import engines as engines  # the names that `get_engine` knows
from ..basics.files import CACHE_VARIABLE, cache_directory
from ..basics.texts import visible
from ..basics.version import __version__
from ..engine import get_engine
from ..errors import TgsciError
from ..runs.choose import ENGINE_VARIABLE, engine_of_environment
from ..runs.domain import Domains
from ..runs.run import cores
from .command import command

#: A package that an extra brings: "rdkit>=2025.9.1; extra == 'molecules'". Extras of extras are left out.
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)[^;\[]*;.*extra == ['\"]([a-z]+)['\"]")
#: Extras that are others together, or for those who change tgsci.
_UNLISTED = ("all", "test", "docs")


@command("doctor", epilog="Exit code: 0 what is set up works, 1 a domain or the engine that is set does not.")
def doctor() -> int:
    """Say what is installed, what is missing and how to get it, and what would leave this machine.

    Nothing is sent anywhere to find out.
    """
    well, lines = True, [f"tgsci {__version__}, Python {platform.python_version()}, {platform.platform()}"]
    lines += [f"{cores()} cores for measurements", "", "Extras:", *_extras(), "", "Domains:"]
    for sound, line in (*_domains(), *_engine()):
        well = well and sound
        lines.append(line)
    print(visible("\n".join([*lines, _cache()])))
    return 0 if well else 1


def _extras() -> Iterator[str]:
    """List each extra with the versions of its packages, or with what is missing."""
    packages: dict[str, list[str]] = {}
    for requirement in requires("tgsci") or ():
        match = _REQUIREMENT.match(requirement)
        if match and match[2] not in _UNLISTED:
            packages.setdefault(match[2], []).append(match[1])
    width = max(map(len, packages), default=0)
    for extra, names in packages.items():
        there = {name: _version(name) for name in names}
        missing = [name for name, found in there.items() if not found]
        if missing:
            yield f"  {extra:<{width}}  missing {', '.join(missing)}: pip install 'tgsci[{extra}]'"
        else:
            yield f"  {extra:<{width}}  {', '.join(f'{name} {found}' for name, found in there.items())}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _domains() -> Iterator[tuple[bool, str]]:
    """List each domain: whether it loads, what it is for or why it does not load, and what it says of this machine."""
    domains = Domains.installed()
    for name in domains.entries:
        try:
            domain = domains.load(name)
            yield True, f"  {name}: {domain.summary}"
            yield from ((sound, f"    {line}") for sound, line in domain.doctor())
        except TgsciError as error:
            yield False, f"  {name}: {error}"


def _engine() -> Iterator[tuple[bool, str]]:
    """Tell who proposes where no engine is named: whether that one can be used, and what it sends out."""
    name = engine_of_environment()
    yield True, ""
    if name == "rules":
        yield True, f"Engine: rule editors propose, nothing leaves this machine; {ENGINE_VARIABLE} may name a model"
        return
    try:
        yield True, f"Engine: {ENGINE_VARIABLE} is {name}: {get_engine(name).destination}"
    except TgsciError as error:
        yield False, f"Engine: {ENGINE_VARIABLE} is {name}, which cannot be used: {error}"


def _cache() -> str:
    directory = cache_directory()
    if directory is None:
        return f"Cache: none, {CACHE_VARIABLE} is set to nothing"
    return f"Cache: {directory}, {_bytes(directory) / 1e6:,.1f} MB; {CACHE_VARIABLE} names another, or none"


def _bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())

"""The commands of `tgsci molecules` as a whole: what they import, and what they say where packages are missing."""

from __future__ import annotations

import subprocess
import sys


def test_no_command_needs_rdkit_to_be_listed() -> None:
    code = (
        "import contextlib, io, sys; from tgsci.cli.main import main; from tgsci_molecules.commands import molecules\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    codes = [main(['molecules', name, '--help']) for name in molecules.places]\n"
        "assert set(codes) == {0}; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "tgsci_molecules.commands.design" in loaded
    assert not {"rdkit", "vina", "meeko", "numpy", "pandas", "openmm", "gemmi", "matplotlib", "rich"} & set(loaded)


def test_without_the_extra_a_command_says_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['rdkit'] = None; from tgsci.cli.main import main; "
        "sys.exit(main(['molecules', 'dock', 'CCO', '--target', 'ABL1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2, "tgsci: this needs the package rdkit: pip install 'tgsci[molecules]'\n"
    )  # fmt: skip

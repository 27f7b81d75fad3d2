"""The commands of `tgsci radiotherapy` as a whole: what they import, and what they say where packages are missing."""

from __future__ import annotations

import subprocess
import sys


def test_no_command_needs_numpy_to_be_listed() -> None:
    code = (
        "import contextlib, io, sys; from tgsci.cli.main import main\n"
        "from tgsci_radiotherapy.commands import radiotherapy\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    codes = [main(['radiotherapy', name, '--help']) for name in radiotherapy.places]\n"
        "assert set(codes) == {0}; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "tgsci_radiotherapy.commands.import_case" in loaded
    heavy = {"numpy", "numba", "scipy", "zarr", "pydicom", "matplotlib", "optuna", "pymedphys", "skimage", "rich"}
    assert not heavy & set(loaded)


def test_without_the_extra_a_command_says_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None; from tgsci.cli.main import main; "
        "sys.exit(main(['radiotherapy', 'cases', 'prostate']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2, "tgsci: this needs the package numpy: pip install 'tgsci[radiotherapy]'\n"
    )  # fmt: skip

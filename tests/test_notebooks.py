"""The notebooks run as they are, without a key."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_shows_something_in_its_last_cell(path, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name == "TGSCI_ENGINE"]:
        monkeypatch.delenv(name)
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute()
    assert notebook.cells[-1].outputs


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_kept_outputs_are_small_and_without_errors(path):
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs, "the notebook is kept with its outputs, so that it can be read without running it"
    assert not [output for output in outputs if output.output_type == "error"]
    assert path.stat().st_size < 400_000

"""What a chemist looks at.

Files of a run, by `export`: table.py writes the table and explains its columns, poses.py the poses, receptors.py the
proteins. In a notebook: notebook.py shows the table, tradeoff.py the score against QED, view3d.py a pose in its pocket.
pictures.py draws a molecule.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .pictures import contributions, svg

if TYPE_CHECKING:
    from tgsci.runs.result import Result

__all__ = ["contributions", "export", "svg"]


def export(result: Result, directory: Path) -> Sequence[Path]:
    """Write the table of all trials, what its columns mean, the poses, and the proteins that they lie in.

    Args:
        result: The result of a run.
        directory: Must exist; files of the same name are replaced, each at once or not at all.

    Returns:
        The paths of the files: `molecules.csv`, `molecules-columns.csv`, `poses.sdf`, a `receptor.pdb` for each
        target, and `finalists.sdf` where the best molecules were docked again at the full setting.

    Raises:
        OSError: A file cannot be written; what was there stays.
    """
    from .poses import write_poses
    from .receptors import write_receptors
    from .table import write_table

    return [*write_table(result, directory), *write_poses(result, directory), *write_receptors(result, directory)]

"""`poses.sdf`: the poses of every measured molecule, best first, with its figures as tags.

Tag names are letters, digits and underscores, so that PyMOL, Maestro, DataWarrior and KNIME read them as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tgsci.basics.files import write_atomically
from tgsci.show.columns import ranks

from ..objective.finalists import CHECK
from ..objective.limits import in_words
from .cells import count, figure, is_count, tag, tag_value

if TYPE_CHECKING:
    from tgsci.feedback import Feedback
    from tgsci.runs.result import Result
    from tgsci.search.trial import Trial

#: The file that a chemist opens beside `receptor.pdb`.
FILE = "poses.sdf"
#: The best molecules, docked again at the full setting.
FINALISTS_FILE = "finalists.sdf"
_END_OF_BLOCK, _END_OF_RECORD = "M  END", "$$$$"
#: Tags of a docking's own record that no metric repeats.
_KEPT = ("target", "smiles", "docked_smiles", "isomer")


@dataclass(frozen=True)
class Record:
    """One record of an SDF.

    Args:
        block: The mol block, its title line included, up to its end mark.
        tags: Name to value, one line each.
    """

    block: str
    tags: Mapping[str, str]

    def titled(self, title: str, tags: Mapping[str, str]) -> str:
        """Write the record under another title and with these tags only."""
        rows = self.block.split("\n")
        lines = [f">  <{name}>\n{tag_value(value)}\n" for name, value in tags.items() if tag_value(value)]
        return "\n".join([tag_value(title), *rows[1:], *lines, _END_OF_RECORD, ""])


def write_poses(result: Result, directory: Path) -> Sequence[Path]:
    """Write `poses.sdf`, and `finalists.sdf` where the best molecules were measured again.

    Args:
        result: The result of a run.
        directory: Must exist.

    Returns:
        The paths of what was written.
    """
    paths = [directory / FILE]
    write_atomically(paths[0], "".join(_texts(result)))
    if result.finals:
        paths.append(directory / FINALISTS_FILE)
        write_atomically(paths[1], "".join(_finalists(result)))
    return paths


def with_tags(record: str, tags: Mapping[str, str]) -> str:
    """Add tags to an SDF record; one of a name that it has already is added as `NAME_in_the_file`.

    Args:
        record: One record with its end mark, or "".
        tags: Name to value; names are written as `tag` writes them, empty values are left out.
    """
    body, end, _ = record.rpartition(_END_OF_RECORD)
    if not end:
        return record
    taken = set(_record(record).tags)
    lines = []
    for name, value in tags.items():
        spelled = tag(name) if tag(name) not in taken else f"{tag(name)}_in_the_file"
        if tag_value(value) and spelled not in taken:
            taken.add(spelled)
            lines.append(f">  <{spelled}>\n{tag_value(value)}\n\n")
    return "".join([body.rstrip("\n"), "\n\n", *lines, f"{_END_OF_RECORD}\n"])


def records(feedback: Feedback | None) -> Iterator[tuple[str, Record]]:
    """List the poses of a measurement, each with the target's name; "" for the first or only target.

    Args:
        feedback: The feedback of a trial, or of a finalist's second measurement.
    """
    for name, artifact in (feedback.artifacts if feedback else {}).items():
        if name == "pose.sdf" or name.endswith(".pose.sdf"):
            text = artifact.decode() if isinstance(artifact, bytes) else artifact
            yield name.removesuffix("pose.sdf").removesuffix("."), _record(text)


def names_of(result: Result) -> Mapping[str, str]:
    """Get the names of a run's start molecules, by canonical SMILES; empty where nobody named them."""
    config = result.header.get("config")
    names = config.get("names") if isinstance(config, Mapping) else None
    return names if isinstance(names, Mapping) else {}


def tags_of(result: Result) -> Mapping[str, Mapping[str, str]]:
    """Get what the file of a run's start molecules says of them, by canonical SMILES."""
    config = result.header.get("config")
    tags = config.get("tags") if isinstance(config, Mapping) else None
    return tags if isinstance(tags, Mapping) else {}


def limits_broken(feedback: Feedback | None) -> str:
    """List the hard limits that a measurement breaks, in words; "" for none."""
    broken = [(name, by) for name, by in feedback.violations.items() if by > 0] if feedback else []
    said = [f"{name}: {words}" if (words := in_words(name, by)) else f"{name} by {figure(by)}" for name, by in broken]
    return "; ".join(said)


def checked_pose(feedback: Feedback | None) -> str:
    """Get the verdict on a finalist's pose, in a line; "" where it was not checked."""
    verdict = feedback.artifacts.get(CHECK, "") if feedback else ""
    return verdict.decode() if isinstance(verdict, bytes) else verdict


def measured_again(result: Result) -> list[str]:
    """List the metrics that the second measurement changed, and the docking scores."""
    changed: dict[str, None] = {}
    for number, feedback in result.finals.items():
        first = result.trials[number].feedback
        for name, value in feedback.metrics.items():
            before = first.metrics.get(name) if first else None
            if before is None or before != value or name.split()[-1] == "vina":
                changed[name] = None
    return list(changed)


def _texts(result: Result) -> Iterator[str]:
    for rank, trial in enumerate(result.trials.ranked(), 1):
        yield from _written(trial, trial.feedback, _tags(result, trial, rank))


def _finalists(result: Result) -> Iterator[str]:
    """Write the poses of the second measurement, best first, with both measurements' figures as tags."""
    rank = ranks(result)
    finals = [(number, feedback) for number, feedback in result.finals.items() if feedback.measured]
    for number, feedback in sorted(finals, key=lambda each: (each[1].violation, each[1].loss or 0.0, each[0])):
        trial = result.trials[number]
        figures = {name: feedback.metrics[name] for name in measured_again(result) if name in feedback.metrics}
        again = {"loss": figure(feedback.loss)} | _figures(figures, result.units)
        again |= {"limits_broken": limits_broken(feedback), "check": checked_pose(feedback)}
        again = {f"finalist_{name}": value for name, value in again.items()}
        yield from _written(trial, feedback, again | _tags(result, trial, rank.get(number, 0)))


def _written(trial: Trial, feedback: Feedback | None, tags: Mapping[str, str]) -> Iterator[str]:
    for target, record in records(feedback):
        kept = {name: record.tags[name] for name in _KEPT if name in record.tags}
        title = f"trial_{trial.number}_{tag(target)}" if target else f"trial_{trial.number}"
        yield record.titled(title, {**kept, **tags})


def _tags(result: Result, trial: Trial, rank: int) -> dict[str, str]:
    feedback = trial.feedback
    tags = {"rank": str(rank), "number": str(trial.number), "loss": figure(trial.loss)}
    if feedback:
        tags |= _figures(feedback.metrics, result.units) | {"limits_broken": limits_broken(feedback)}
    tags |= {"name": names_of(result).get(trial.value, ""), "edit": trial.edit, "reason": trial.reason}
    for name, value in tags_of(result).get(trial.value, {}).items():
        tags.setdefault(tag(name) if tag(name) not in tags else f"{tag(name)}_in_the_file", value)
    return tags


def _figures(figures: Mapping[str, float], units: Mapping[str, str]) -> dict[str, str]:
    """Write figures as tags, their units in the name."""
    return {
        tag(name, units.get(name, "")): count(value) if is_count([value], units.get(name, "")) else figure(value)
        for name, value in figures.items()
    }


def _record(text: str) -> Record:
    """Read the first record of an SDF."""
    block, end, rest = text.partition(_END_OF_BLOCK)
    tags: dict[str, str] = {}
    name = ""
    for line in rest.split("\n"):
        if line.startswith(_END_OF_RECORD):
            break
        if line.startswith(">") and "<" in line:
            name = line[line.index("<") + 1 :].rpartition(">")[0]
        elif name and line:
            tags.setdefault(name, line)
    return Record(block + end, tags)

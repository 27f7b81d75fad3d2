"""How a patient lies in the machine, and the beams as seen by the patient.

A case's axes are the patient's own, whatever the position, and its beams are those of a patient lying head first and
supine (HFS). Angles that a person gives are the machine's (IEC 61217): in another position they are turned into those
under which a patient in HFS is irradiated in the same way.
"""

from __future__ import annotations

from dataclasses import replace

from tgsci.errors import UsageError

from .options import Options

#: By position: what is added to the gantry angle, the sign of the couch angle, and what is added to that, degrees.
#: Prone is half a turn about the patient's long axis; feet first half a turn of the couch.
_TURNS = {
    "HFS": (0.0, 1.0, 0.0),
    "HFP": (180.0, -1.0, 0.0),
    "HFDR": (90.0, 1.0, 0.0),
    "HFDL": (270.0, 1.0, 0.0),
    "FFS": (0.0, 1.0, 180.0),
    "FFP": (180.0, -1.0, 180.0),
    "FFDR": (270.0, 1.0, 180.0),
    "FFDL": (90.0, 1.0, 180.0),
}
#: The positions that are known, as DICOM calls them (PS3.3 C.7.3.1.1.2).
POSITIONS = tuple(_TURNS)


def at_patient(options: Options, position: str) -> Options:
    """Turn the machine's beam angles into those of a patient lying head first and supine.

    Raises:
        UsageError: The patient lies on a side, and the couch is turned: no angles of HFS are the same.
    """
    if position == "HFS":
        return options
    gantry, sign, couch = _TURNS[position]
    angles = options.angles()
    if "D" in position and any(c % 360.0 for _, c in angles):
        raise UsageError(
            f"the patient lies on a side ({position}); beams with the couch turned are not calculated there: leave "
            "--couch"
        )
    return replace(
        options,
        gantry=tuple((g + gantry) % 360.0 for g, _ in angles),
        couch=tuple((sign * c + couch) % 360.0 for _, c in angles),
    )

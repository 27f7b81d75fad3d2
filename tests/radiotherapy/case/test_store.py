"""A case in a file: what comes back is what went in, and whatever else stands there is refused in plain words."""

from __future__ import annotations

import json
import os
import shutil
import struct
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.radiotherapy.cases import small_case, tiny_case
from tgsci.errors import UsageError
from tgsci_radiotherapy.case import Case, Dij, Grid, archive, load, open_case, save
from tgsci_radiotherapy.case import store as store_module


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save(full_case(), tmp_path / "case.zarr")


def full_case() -> Case:
    """A small case with everything that a case can have."""
    case = small_case()
    reference = np.linspace(0, 60, len(case.voxels)).astype(np.float32)
    provenance = {"source": "a test", "odd": 'äöü "quoted" \n <b>'}
    origin, table = {"frame": "0123456789abcdef", "patient": "9c1e"}, ((-1000.0, 0.0), (0.0, 1.0), (1500.0, 1.8))
    return replace(case, reference=reference, provenance=provenance, origin=origin, hu_table=table)


def same(a: Case, b: Case) -> None:
    assert a.fingerprint == b.fingerprint
    for name in (
        "name",
        "grid",
        "fractions",
        "modality",
        "beams",
        "ct_grid",
        "provenance",
        "names",
        "origin",
        "hu_table",
    ):
        assert getattr(a, name) == getattr(b, name)
    for name in ("starts", "columns", "values", "beams"):
        one, other = getattr(a.dij, name), getattr(b.dij, name)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    for one, other in ((a.ct, b.ct), (a.reference, b.reference), (a.voxels, b.voxels), (a.owners, b.owners)):
        assert (one is None) == (other is None)
        assert one is None or (one.dtype == other.dtype and np.array_equal(one, other))
    for s, t in zip(a.structures, b.structures, strict=True):
        assert replace(s, voxels=t.voxels) == t
        assert np.array_equal(s.voxels, t.voxels)


def rewritten(path: Path, change, *, to: str = "changed.zarr") -> Path:
    """A copy of a case's file with its members changed: `change` gets and gives {name: bytes}."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    target = path.with_name(to)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for name, content in change(dict(members)).items():
            new.writestr(name, content)
    return target


def described(path: Path, change) -> Path:
    """A copy whose description was changed by `change`, which gets the group's attributes."""

    def edit(members: dict[str, bytes]) -> dict[str, bytes]:
        root = json.loads(members["zarr.json"])
        change(root["attributes"])
        return members | {"zarr.json": json.dumps(root).encode()}

    return rewritten(path, edit)


def array_described(path: Path, name: str, change) -> Path:
    """A copy in which the description of one array was changed."""

    def edit(members: dict[str, bytes]) -> dict[str, bytes]:
        said = json.loads(members[f"{name}/zarr.json"])
        change(said)
        return members | {f"{name}/zarr.json": json.dumps(said).encode()}

    return rewritten(path, edit)


# Round trips


@pytest.mark.parametrize("make", [tiny_case, small_case, full_case])
def test_a_case_comes_back_as_it_was(make, tmp_path):
    same(load(save(make(), tmp_path / "case.zarr")), make())


def test_saving_twice_is_saving_once(saved, tmp_path):
    same(load(save(load(saved), tmp_path / "again.zarr")), full_case())


def test_a_dij_that_was_not_quantised_keeps_its_fingerprint_and_its_dose(tmp_path):
    rng = np.random.default_rng(0)
    case = small_case()
    raw = (case.dij.values * rng.uniform(0.9, 1.1, case.dij.nonzeros)).astype(np.float32)
    case = replace(case, dij=replace(case.dij, values=raw))
    back = load(save(case, tmp_path / "case.zarr"))
    assert back.fingerprint == case.fingerprint
    fluence = rng.random(case.dij.beamlets)
    dose, after = (np.add.reduceat(c.dij.values * fluence[c.dij.columns], c.dij.starts[:-1]) for c in (case, back))
    assert np.abs(after - dose).max() < 4e-5 * dose.max()
    same(load(save(back, tmp_path / "again.zarr")), back)


def test_many_beamlets_have_wide_indices(tmp_path):
    case = tiny_case()
    columns = (case.dij.columns.astype(np.uint32)) * 30_000
    dij = Dij(case.dij.starts, columns, case.dij.values, 100_000, np.zeros(100_000, np.int16))
    same(load(save(replace(case, dij=dij), tmp_path / "case.zarr")), replace(case, dij=dij))


def test_arrays_of_several_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "CHUNK", 1000)
    path = save(full_case(), tmp_path / "case.zarr")
    with zipfile.ZipFile(path) as members:
        assert "codes/c/7" in members.namelist()
    same(load(path), full_case())


def test_a_path_opens_as_a_case(saved):
    same(open_case(str(saved)), full_case())


def test_no_identifier_and_no_path_stands_in_the_file(saved):
    content = saved.read_bytes()
    assert os.fsencode(saved.parent) not in content
    assert b"pickle" not in content


# Writing


def test_nothing_is_overwritten_unless_said(saved):
    before = saved.read_bytes()
    with pytest.raises(UsageError, match=r"case.zarr exists; choose another name, or say"):
        save(tiny_case(), saved)
    assert saved.read_bytes() == before
    same(load(save(tiny_case(), saved, overwrite=True)), tiny_case())


def test_a_directory_is_not_replaced(tmp_path):
    with pytest.raises(UsageError, match=r"is a directory; choose another name$"):
        save(tiny_case(), tmp_path, overwrite=True)


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zarr.Group.create_array", fail)  # half of the file is there by then
    with pytest.raises(UsageError, match="cannot be written: No space left on device"):
        save(tiny_case(), tmp_path / "case.zarr")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        save(tiny_case(), tmp_path / "no" / "case.zarr")


def test_a_name_that_no_file_can_have():
    with pytest.raises(UsageError, match="no name for a file"):
        save(tiny_case(), "a\0b")


def test_a_faulty_case_is_not_written(tmp_path):
    with pytest.raises(UsageError, match="0 fractions"):
        save(replace(tiny_case(), fractions=0), tmp_path / "case.zarr")
    assert list(tmp_path.iterdir()) == []


# Reading what is no case


def test_no_such_file_names_what_there_is(tmp_path):
    with pytest.raises(UsageError, match=r"no file .*nothing.zarr, and no built-in case .*cshape, prostate"):
        open_case(str(tmp_path / "nothing.zarr"))
    with pytest.raises(UsageError, match="did you mean cshape"):
        open_case("CShape")


@pytest.mark.parametrize("text", ["", "a\0b", "x" * 5000, "\x1b[31mred", "nobody/../case"])
def test_odd_paths_are_usage_errors(text):
    with pytest.raises(UsageError) as caught:
        open_case(text)
    assert len(str(caught.value)) < 500
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\x89HDF\r\n", "no zarr store in a zip file"),
        (b"hello", "no zarr store in a zip file"),
        (b"PK\x03\x04" + b"\0" * 200, "truncated or damaged"),
    ],
)
def test_files_of_something_else(content, said, tmp_path):
    path = tmp_path / "case.zarr"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        load(path)


def test_a_directory_is_no_case(tmp_path):
    with pytest.raises(UsageError, match="it is a directory"):
        load(tmp_path)


def test_a_zip_of_something_else(tmp_path):
    path = tmp_path / "case.zarr"
    for name in ("word/document.xml", "../../evil", "/etc/passwd"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(UsageError, match="does not belong there"):
            load(path)


def test_a_zarr_store_of_something_else(tmp_path):
    import zarr
    from zarr.storage import ZipStore

    path = tmp_path / "case.zarr"
    with ZipStore(path, mode="w") as opened:
        zarr.create_group(opened, zarr_format=3, attributes={"made": "elsewhere"})
    with pytest.raises(UsageError, match="a zarr store of something else"):
        load(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UsageError, match="truncated or damaged"):
        load(saved)


def test_a_flipped_bit_anywhere_is_found(saved):
    """Wherever it falls: in a description, in doses, in the zip's own list."""
    content = saved.read_bytes()
    rng = np.random.default_rng(0)
    unnoticed = 0
    for place in rng.integers(0, len(content), 60):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        saved.write_bytes(damaged)
        with suppress(UsageError):
            same(load(saved), full_case())  # a date of the zip, say
            unnoticed += 1
    assert unnoticed < 15


def test_a_newer_version(saved):
    path = described(saved, lambda attributes: attributes.update(tgsci_case=99))
    with pytest.raises(UsageError, match=r"written by a newer tgsci \(layout 99, this one reads up to 1\); update"):
        load(path)


@pytest.mark.parametrize("version", ["1", None, True, 0, -1, 1.0])
def test_a_version_that_is_none(saved, version):
    path = described(saved, lambda attributes: attributes.update(tgsci_case=version))
    with pytest.raises(UsageError, match="its version is no number"):
        load(path)


@pytest.mark.parametrize("name", ["lengths", "columns", "codes", "maxima", "beams", "voxels", "ct"])
def test_a_missing_array(saved, name):
    path = rewritten(saved, lambda m: {k: v for k, v in m.items() if not k.startswith(f"{name}/")})
    with pytest.raises(UsageError, match=f"the array '{name}' is missing"):
        load(path)


def test_a_missing_reference_is_noticed(saved):
    path = rewritten(saved, lambda m: {k: v for k, v in m.items() if not k.startswith("reference/")})
    with pytest.raises(UsageError, match="SHA-256"):
        load(path)


def test_a_missing_chunk(saved):
    path = rewritten(saved, lambda m: {k: v for k, v in m.items() if k != "codes/c/0"})
    with pytest.raises(UsageError, match="SHA-256"):
        load(path)


def test_chunks_that_are_exchanged(saved):
    path = rewritten(saved, lambda m: m | {"maxima/c/0": m["reference/c/0"]})
    with pytest.raises(UsageError, match="SHA-256"):
        load(path)


def test_a_damaged_chunk(saved):
    path = rewritten(saved, lambda m: m | {"codes/c/0": m["codes/c/0"][:20] + b"\xff" * 40})
    with pytest.raises(UsageError, match="the array 'codes' cannot be unpacked"):
        load(path)


def test_a_chunk_that_claims_to_unpack_to_gigabytes(saved):
    def inflate(members: dict[str, bytes]) -> dict[str, bytes]:
        chunk = bytearray(members["codes/c/0"])
        chunk[4:8] = struct.pack("<I", 2**31 - 1)
        return members | {"codes/c/0": bytes(chunk)}

    with pytest.raises(UsageError, match="a part of the array 'codes' claims to be larger"):
        load(rewritten(saved, inflate))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data_type": "float64"}, "is float64 of shape .* instead of uint16"),
        ({"data_type": "variable_length_utf8"}, "instead of uint16"),
        ({"data_type": {"name": "struct"}}, "instead of uint16"),
        ({"shape": [10**15]}, "is uint16 of shape .1000000000000000. instead of"),
        ({"shape": []}, "instead of uint16"),
        ({"fill_value": 7}, "packed in a way"),
        ({"codecs": [{"name": "numcodecs.pickle"}]}, "packed in a way"),
        ({"codecs": "none"}, "packed in a way"),
        ({"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1]}}}, "packed in a way"),
        ({"storage_transformers": ["x"]}, "packed in a way"),
        ({"zarr_format": 2}, "packed in a way"),
    ],
)
def test_arrays_that_are_not_what_they_must_be(saved, change, said):
    path = array_described(saved, "codes", lambda array: array.update(change))
    with pytest.raises(UsageError, match=said):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about.clear(),
        lambda about: about.update(structures="PTV"),
        lambda about: about.update(structures=[{}]),
        lambda about: about["structures"][0].update(voxels=-3),
        lambda about: about["structures"][0].update(voxels=2**60),
        lambda about: about["structures"][0].update(voxels="many"),
        lambda about: about["structures"][0].update(name="../../../etc/passwd"),
        lambda about: about["structures"][0].update(name="<script>alert(1)</script>"),
        lambda about: about["structures"][0].update(name=["PTV"]),
        lambda about: about["structures"][0].update(type={"a": 1}),
        lambda about: about["structures"][0].update(prescription="much"),
        lambda about: about["structures"][0].update(prescription=1e99),
        lambda about: about["structures"][0].update(volume_cc=float("nan")),
        lambda about: about.update(beamlets=2**60),
        lambda about: about.update(beamlets=True),
        lambda about: about.update(beamlets=None),
        lambda about: about.update(grid=None),
        lambda about: about["grid"].update(shape=[10**6, 10**6, 10**6]),
        lambda about: about["grid"].update(shape=[11, 25]),
        lambda about: about["grid"].update(spacing=[4, 4, -4]),
        lambda about: about["grid"].update(spacing=["a", "b", "c"]),
        lambda about: about["ct_grid"].update(shape=[10**9, 1, 1]),
        lambda about: about.update(ct_grid={}),
        lambda about: about.update(fractions=10**9),
        lambda about: about.update(fractions="25"),
        lambda about: about.update(beams=[[0.0]]),
        lambda about: about.update(beams=3),
        lambda about: about.update(modality=5),
        lambda about: about.update(provenance="mine"),
        lambda about: about.update(name="x" * 10_000),
    ],
)
def test_descriptions_that_are_not_what_they_must_be(saved, change):
    path = described(saved, lambda attributes: change(attributes["case"]))
    with pytest.raises(UsageError) as caught:
        load(path)
    assert len(str(caught.value)) < 1000
    assert "<script" not in str(caught.value)


def test_a_description_that_is_no_json(saved):
    for content in (b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'"' + b"x" * 2**21 + b'"'):
        with pytest.raises(UsageError, match="its description zarr"):
            load(rewritten(saved, lambda m, content=content: m | {"zarr.json": content}))


def test_a_bomb_is_not_unpacked(saved):
    """Members that are packed once more could hold any number of zeros."""
    bomb = saved.with_name("bomb.zarr")
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) if name != "zarr.json" else b" " * 50_000_000 + old.read(name))
    with pytest.raises(UsageError, match="packed or encrypted once more"):
        load(bomb)


def test_what_a_file_may_claim_depends_on_its_size(tmp_path):
    """A grid of nothing but air packs to nothing; a small file claims no gigabytes with it."""
    path = save(tiny_case(), tmp_path / "case.zarr")

    def claim(attributes):
        attributes["case"]["ct_grid"] = {"shape": [1000, 1000, 1000], "spacing": [1, 1, 1], "origin": [0, 0, 0]}

    with pytest.raises(UsageError, match="it claims 1000000000 voxels; 0 to"):
        load(described(path, claim))


def test_an_edited_case_does_not_pass_for_the_saved_one(saved):
    path = described(saved, lambda attributes: attributes["case"]["structures"][0].update(prescription=60.0))
    with pytest.raises(UsageError, match="SHA-256"):
        load(path)


def test_a_file_made_with_care_is_still_checked(tmp_path, monkeypatch):
    """Someone who knows the sum can write what they like; a case that cannot be planned is none."""
    monkeypatch.setattr(store_module, "check", lambda case: None)
    path = save(replace(tiny_case(), fractions=0), tmp_path / "case.zarr")
    monkeypatch.undo()
    with pytest.raises(UsageError, match="0 fractions"):
        load(path)


def test_a_file_that_may_not_be_read(saved, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        load(saved)


def test_a_saved_case_moves_with_its_file(saved, tmp_path):
    elsewhere = tmp_path / "else" / "renamed.zarr"
    elsewhere.parent.mkdir()
    shutil.move(saved, elsewhere)
    assert load(elsewhere).fingerprint == full_case().fingerprint
    assert load(elsewhere).grid == Grid((11, 25, 25), (4.0, 4.0, 4.0), (-20.0, -48.0, -48.0))

"""Motion files with random damage: each is read, or refused with one ValueError that names the file."""

import io
import pickle
import random
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutorial_lib import motion
from tutorial_lib.motion.files.h36m import KEPT

CLIP = motion.builtin(subjects=1, actions=["wave"], frames=3)[0]
SMALL = 300 * 2**20
"""Bytes that reading a file of some kilobytes may take at most, with whatever it imports."""


def bvh():
    """A small person with channels of all kinds and braces where they please."""

    def chain(*joints):
        name, offset, channels = joints[0]
        inner = chain(*joints[1:]) if joints[1:] else "End Site {\nOFFSET 0 -5 9\n}"
        return f"JOINT {name} {{\nOFFSET {offset}\n{channels}\n{inner} }}\n"

    three, one = "CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 1 Xrotation"
    sided = "".join(
        chain((s + "UpLeg", f"{x} 0 0", three), (s + "Leg", "0 -42 0", one), (s + "Foot", "0 -41 0", "CHANNELS 0"))
        + chain((s + "Arm", f"{2 * x} 46 0", three), (s + "ForeArm", f"{3 * x} 0 0", one), (s + "Hand", "0 -25 0", ""))
        for s, x in (("Left", 9), ("Right", -9))
    )
    head = "JOINT Neck {\nOFFSET 0 48 0\nJOINT Head {\nOFFSET 0 12 0\nCHANNELS 0\nEnd Site {\nOFFSET 0 11 0\n} } }\n"
    channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    row = "0 90 0 " + " ".join(["5.25"] * 19)
    rows = "\n".join([row] * 3)
    return (
        f"HIERARCHY\nROOT Hips {{\nOFFSET 0 0 0\n{channels}\n{head}{sided}}}\n"
        f"MOTION\nFrames: 3\nFrame Time: 0.02\n{rows}\n"
    ).encode()


def members(content):
    buffer = io.BytesIO()
    np.savez(buffer, **content)
    with zipfile.ZipFile(buffer) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def own():
    clip = CLIP.positions.numpy()
    return members({"positions_3d": clip, "offsets": np.array([0, 3]), "subject": np.array(["a"]),
                    "description": np.array(["wave"]), "fps": 50.0})  # fmt: skip


def h36m():
    positions = np.zeros((3, 32, 3), np.float32)
    positions[:, KEPT] = CLIP.positions.numpy()
    return members({"positions_3d": np.array({"S1": {"Wave": positions}}, dtype=object)})


def zipped(content, method=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


WORDS = [b"0", b"-1", b"1e300", b"nan", b"9" * 30, b"\n", b"{", b"}", b"MOTION", b"JOINT x", b"CHANNELS", b"\xff\xfe",
         b"\0", b"End", b"'", b"(", b"9999999999,", b" ", b"\x80"]  # fmt: skip


def damage(data, seed):
    """The bytes with one or two pieces flipped, cut, doubled, left out or replaced by a word that means something."""
    chance, data = random.Random(seed), bytearray(data)
    for _ in range(chance.randint(1, 2)):
        at, length = chance.randrange(len(data) + 1), chance.choice((1, 2, 8, 60))
        kind = chance.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and chance.random() < 0.3:
            del data[at:]
        elif kind == 2:
            data[at:at] = data[at : at + length]
        elif kind == 3:
            del data[at : at + length]
        else:
            data[at : at + chance.choice((0, 3))] = chance.choice(WORDS)
    return bytes(data)


def outcome(path):
    """True for sound clips, False for one clear ValueError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            clips = motion.load(path, allow_pickle=True)
    except ValueError as error:
        assert path.name in str(error) and len(str(error)) < 3000, error
        return False
    for clip in clips:
        assert clip.positions.shape[1:] == (17, 3) and len(clip.positions) and clip.positions.dtype == torch.float32
        assert torch.isfinite(clip.positions).all() and 1 <= clip.fps <= 1000
    return True


def write_bvh(path, seed):
    path.with_suffix(".bvh").write_bytes(damage(bvh(), seed))
    return path.with_suffix(".bvh")


def write_npz(content):
    def write(path, seed):
        chance, changed = random.Random(seed), dict(content)
        if chance.random() < 0.7:  # inside, under a fresh checksum
            name = chance.choice(list(changed))
            changed[name] = damage(changed[name], seed)
            path.write_bytes(zipped(changed, chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))))
        else:
            method = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
            path.write_bytes(damage(zipped(changed, method), seed))
        return path

    return write


WRITERS = {"bvh": write_bvh, "npz": write_npz(own()), "h36m": write_npz(h36m())}


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=120, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_damage_ends_in_data_or_in_one_error(tmp_path, name, seed):
    path = WRITERS[name](tmp_path / "x.npz", seed)
    tracemalloc.start()  # counts NumPy's arrays too, and nobody else's memory
    try:
        outcome(path)
        assert tracemalloc.get_traced_memory()[1] < SMALL
    finally:
        tracemalloc.stop()


def test_the_files_are_good_before_they_are_damaged(tmp_path):
    (tmp_path / "x.bvh").write_bytes(bvh())
    assert outcome(tmp_path / "x.bvh")
    for content in (own(), h36m()):
        (tmp_path / "x.npz").write_bytes(zipped(content))
        assert outcome(tmp_path / "x.npz")


class Rude:
    def __reduce__(self):
        return (int, ("rude", 1, 2, 3))


def test_a_pickle_that_raises_is_damage(tmp_path):
    for payload in (Rude(), b"x"):
        data = np.lib.format.magic(1, 0) + b"v\0" + b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117)
        body = pickle.dumps(payload)[: -1 if payload == b"x" else None]
        (tmp_path / "x.npz").write_bytes(zipped({"positions_3d.npy": data + b"\n" + body}))
        assert not outcome(tmp_path / "x.npz")


# --- damage by hand -------------------------------------------------------------------------------


def rewritten(source, target, method=zipfile.ZIP_STORED, **members):
    """A copy of an npz with other bytes under some names."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for entry in old.namelist():
            if entry.removesuffix(".npy") not in members:
                new.writestr(entry, old.read(entry))
        for entry, data in members.items():
            new.writestr(f"{entry}.npy", data)


def test_what_nobody_needs_is_not_unpacked(tmp_path):
    motion.save(tmp_path / "a.npz", [CLIP])
    rewritten(tmp_path / "a.npz", tmp_path / "b.npz", bomb=b"whoever reads this finds no array")
    data = (tmp_path / "b.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(data.replace(b"whoever", b"WHOEVER"))  # and a wrong checksum
    assert len(motion.load(tmp_path / "b.npz")) == 1


HEADER = b"\x93NUMPY\x01\x00v\x00"
MEMBERS = {
    "no array": b"hello",
    "nothing": b"",
    "a header of nonsense": HEADER + b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, ".ljust(117) + b"\n",
    "a header that does not end": HEADER + b"{'descr': '''".ljust(117) + b"\n",
    "a shape beyond memory": HEADER + b"{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999,)}".ljust(118),
    "an unknown type": HEADER + b"{'descr': '<Q9', 'fortran_order': False, 'shape': (3,), }".ljust(117) + b"\n",
}


@pytest.mark.parametrize("key", ["positions_3d", "offsets", "description", "fps"])
@pytest.mark.parametrize("name", MEMBERS)
def test_broken_members_are_named(tmp_path, name, key):
    motion.save(tmp_path / "a.npz", [CLIP])
    rewritten(tmp_path / "a.npz", tmp_path / "b.npz", **{key: MEMBERS[name]})
    with pytest.raises(ValueError, match=rf"(?s)b\.npz, array {key}"):
        motion.load(tmp_path / "b.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_compression_is_damage(tmp_path, method):
    motion.save(tmp_path / "a.npz", [CLIP])
    rewritten(tmp_path / "a.npz", tmp_path / "b.npz", method)
    data = bytearray((tmp_path / "b.npz").read_bytes())
    data[60:400] = bytes(340)
    (tmp_path / "b.npz").write_bytes(data)
    with pytest.raises(ValueError, match=r"b\.npz.*download"):
        motion.load(tmp_path / "b.npz")


@pytest.mark.parametrize("content", [own, h36m])
def test_a_damaged_name_is_not_repeated_whole(tmp_path, content):
    data = bytearray(zipped(content()))
    data[26:28] = (500).to_bytes(2, "little")  # the length of the first name, as it stands before the first array
    (tmp_path / "x.npz").write_bytes(data)
    with pytest.raises(ValueError, match="positions_3d.*cannot be read") as caught:
        motion.load(tmp_path / "x.npz", allow_pickle=True)
    assert len(str(caught.value)) < 400

"""Reading BVH files: the places are those of forward kinematics, and what is wrong is refused with a reason."""

import math
import warnings

import numpy as np
import pytest
import torch

from tutorial_lib import motion
from tutorial_lib.skeleton import JOINTS, bone_lengths

CMU = """Hips 0 0 0; LowerBack Hips 0 8 0; Spine LowerBack 0 14 -2; Spine1 Spine 0 14 1; Neck Spine1 0 12 0;
Head Neck 0 12 4; LeftShoulder Spine1 4 10 0; LeftArm LeftShoulder 13 0 0; LeftForeArm LeftArm 29 0 0;
LeftHand LeftForeArm 25 0 0; RightShoulder Spine1 -4 10 0; RightArm RightShoulder -13 0 0;
RightForeArm RightArm -29 0 0; RightHand RightForeArm -25 0 0; LeftUpLeg Hips 9 0 0;
LeftLeg LeftUpLeg 0 -42 0; LeftFoot LeftLeg 0 -41 0; LeftToeBase LeftFoot 0 -5 14;
RightUpLeg Hips -9 0 0; RightLeg RightUpLeg 0 -42 0; RightFoot RightLeg 0 -41 0"""
MIXAMO = {name: f"mixamorig:{name}" for name in ("Hips", "Spine", "Neck", "Head")}
BLENDER = {
    "Hips": "pelvis", "LeftArm": "upper_arm.L", "LeftForeArm": "forearm.L", "LeftHand": "hand.L",
    "LeftUpLeg": "thigh.L", "LeftLeg": "shin.L", "LeftFoot": "foot.L",
}  # fmt: skip
THREEDS = {
    "LeftArm": "LeftShoulder", "LeftShoulder": "LeftCollar", "LeftForeArm": "LeftElbow",
    "LeftHand": "LeftWrist", "LeftUpLeg": "LeftHip", "LeftLeg": "LeftKnee", "LeftFoot": "LeftAnkle",
}  # fmt: skip


def bvh_text(rows, names=None, scale=1.0, frame_time=0.02, z_up=False):
    """A BVH of the CMU body (centimetres times scale); rows: dicts joint -> (z, x, y) degrees."""
    names = dict(names or {})
    names |= {a.replace("Left", "Right"): b.replace("Left", "Right").replace(".L", ".R") for a, b in names.items()}
    bones = [bone.split() for bone in CMU.replace("\n", " ").split(";")]
    bones[0].insert(1, "")
    order = []

    def block(name, parent, *offset):
        order.append(name)
        x, y, z = (float(v) * scale for v in offset)
        x, y, z = (x, -z, y) if z_up else (x, y, z)
        kind, six = ("JOINT", "") if parent else ("ROOT", "Xposition Yposition Zposition ")
        children = [block(*bone) for bone in bones if bone[1] == name]
        tip = [f"End Site\n{{\nOFFSET 0 {0 if z_up else 11 * scale} {11 * scale if z_up else 0}\n}}"]
        return "\n".join(
            [f"{kind} {names.get(name, name)}", "{", f"OFFSET {x} {y} {z}"]
            + [f"CHANNELS {6 if six else 3} {six}Zrotation Xrotation Yrotation", *(children or tip), "}"]
        )

    text = "HIERARCHY\n" + block(*bones[0])
    lines = []
    for row in rows:
        angles = [str(v) for name in order for v in row.get(name, (0, 0, 0))]
        height = 88 * scale
        lines.append(" ".join(["0", *(("0", str(height)) if z_up else (str(height), "0")), *angles]))
    return "\n".join([text, "MOTION", f"Frames: {len(rows)}", f"Frame Time: {frame_time}", *lines, ""])


def read(tmp_path, text):
    (tmp_path / "clip.bvh").write_text(text)
    return motion.load(tmp_path / "clip.bvh")[0]


def test_bvh_rest_pose_stands_in_metres_with_z_up(tmp_path):
    clip = read(tmp_path, bvh_text([{}]))
    pose = dict(zip(JOINTS, clip.positions[0].tolist()))
    expected = {
        "hip": (0, 0, 0.88), "right_hip": (-0.09, 0, 0.88), "left_foot": (0.09, 0, 0.05),
        "spine": (0, 0.02, 1.10), "thorax": (0, 0.01, 1.36),
        "neck": (0, -0.03, 1.48), "head": (0, -0.03, 1.59),
        "left_shoulder": (0.17, 0.01, 1.34), "right_wrist": (-0.71, 0.01, 1.34),
    }  # fmt: skip
    for joint, place in expected.items():
        assert pose[joint] == pytest.approx(place, abs=1e-5), joint
    assert (clip.fps, clip.subject, clip.action, clip.source) == (50.0, "clip", "clip", "clip.bvh")


def turn(axis, degrees):
    """A rotation about an axis as a matrix (3, 3), from its definition."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    out, (i, j) = np.eye(3), {"X": (1, 2), "Y": (2, 0), "Z": (0, 1)}[axis]
    out[[i, i, j, j], [i, j, i, j]] = c, -s, s, c
    return out


def kinematics(text):
    """Each joint's place in every frame of a BVH: an independent reading, number by number."""
    words = iter(text[: text.index("MOTION")].split())
    rows = [
        [float(v) for v in row.split()] for row in text.splitlines()[text.splitlines().index("MOTION") + 3 :] if row
    ]
    places, stack, column = {}, [], 0  # of the stack: name, offset, rotations into the world
    for word in words:
        if word in ("ROOT", "JOINT", "End"):
            stack.append([next(words) if word != "End" else None, None, None])
        elif word == "OFFSET":
            stack[-1][1] = np.array([float(next(words)) for _ in range(3)])
            stack[-1][2] = list(stack[-2][2] if len(stack) > 1 else [np.eye(3)] * len(rows))
            above = places.get(stack[-2][0]) if len(stack) > 1 else [np.zeros(3)] * len(rows)
            places[stack[-1][0]] = [o + r @ stack[-1][1] for o, r in zip(above, stack[-1][2])]
        elif word == "CHANNELS":
            channels = [next(words) for _ in range(int(next(words)))]
            name, offset, turns = stack[-1]
            for frame, row in enumerate(rows):
                own = np.array(offset)
                inwards = turns[frame]
                for k, channel in enumerate(channels):
                    if channel[1:] == "position":
                        own["XYZ".index(channel[0])] = row[column + k]
                    else:
                        inwards = inwards @ turn(channel[0], row[column + k])
                above = places[stack[-2][0]][frame] if len(stack) > 1 else np.zeros(3)
                places[name][frame], turns[frame] = above + turns[frame] @ own, inwards
            column += len(channels)
        elif word == "}":
            stack.pop()
    return {name: np.array(place) for name, place in places.items()}


@pytest.mark.parametrize("order", ["Zrotation Xrotation Yrotation", "Xrotation Yrotation Zrotation", "mixed"])
def test_bvh_places_are_those_of_forward_kinematics(tmp_path, order):
    rng = np.random.default_rng(0)
    posed = ("Spine", "LeftArm", "LeftForeArm", "RightUpLeg", "Neck")
    rows = [{name: rng.uniform(-60, 60, 3) for name in posed} for _ in range(5)]
    text = bvh_text(rows)
    if order == "mixed":  # orders that differ within a file
        blocks = text.split("JOINT")
        orders = ["YXZ", "ZYX", "XZY"]
        mixed = ["CHANNELS 3 " + " ".join(f"{a}rotation" for a in orders[i % 3]) for i in range(len(blocks))]
        standard = "CHANNELS 3 Zrotation Xrotation Yrotation"
        text = "JOINT".join(block.replace(standard, mixed[i]) for i, block in enumerate(blocks))
    else:
        text = text.replace("Zrotation Xrotation Yrotation", order)
    clip, expected = read(tmp_path, text), kinematics(text)
    for joint, name in (
        ("left_wrist", "LeftHand"), ("right_foot", "RightFoot"), ("thorax", "Neck"), ("neck", "Head"), ("hip", "Hips"),
    ):  # fmt: skip
        x, y, z = expected[name].T / 100
        there = clip.positions[:, JOINTS.index(joint)].numpy()
        np.testing.assert_allclose(there, np.stack([x, -z, y], -1), atol=1e-6, err_msg=name)


@pytest.mark.parametrize("names", [MIXAMO, BLENDER, THREEDS], ids=["mixamo", "blender", "3ds"])
@pytest.mark.parametrize("scale", [1.0, 0.01, 1 / 2.54, 10.0], ids=["cm", "m", "inch", "mm"])
@pytest.mark.parametrize("z_up", [False, True])
def test_bvh_names_units_and_up_axis_do_not_matter(tmp_path, names, scale, z_up):
    plain = read(tmp_path, bvh_text([{}, {}]))
    other = read(tmp_path, bvh_text([{}, {}], names, scale, z_up=z_up))
    assert torch.allclose(plain.positions, other.positions, atol=1e-4)


def test_bvh_is_resampled_to_50_hz(tmp_path):
    rows = [{"LeftArm": (60 * np.sin(i / 10), 0, 0)} for i in range(121)]
    clip = read(tmp_path, bvh_text(rows, frame_time=1 / 120))
    assert clip.fps == 50.0
    assert len(clip.positions) == 51
    lengths = bone_lengths(clip.positions)
    assert (lengths - lengths[0]).abs().max() < 1e-5


GOOD = bvh_text([{}, {}])
BAD_BVH = {
    "empty": ("", "cut off or no BVH"),
    "no hierarchy": ("hello\n", "cut off or no BVH"),
    "cut in the hierarchy": (GOOD[: GOOD.index("LeftHand")], "cut off or no BVH"),
    "cut before the motion": (GOOD[: GOOD.index("MOTION")], "cut off or no BVH"),
    "cut in the motion": (GOOD[: GOOD.rindex("88.0")], "frame 1 has 1 numbers.*cut off"),
    "too many numbers": (GOOD.rstrip() + " 1 2\n", "frame 1 has"),
    "two frames too many": (GOOD + 2 * (GOOD.splitlines()[-1] + "\n"), "4 frames, expected 2"),
    "two motions": (GOOD + GOOD[GOOD.index("MOTION") :], "line [0-9]+: a second MOTION"),
    "two people": (GOOD.replace("MOTION", GOOD[10 : GOOD.index("MOTION")] + "MOTION", 1), "a second ROOT"),
    "an unknown channel": (GOOD.replace("Zrotation", "Qrotation"), "line [0-9]+: the channel Qrotation is unknown"),
    "a scale": (GOOD.replace("Zrotation Xrotation Yrotation", "Zrotation Xrotation Xscale"), "Xscale is unknown"),
    "a position twice": (GOOD.replace("Xposition Yp", "Yposition Yp"), "position channel stands there twice"),
    "channels that are not as many": (GOOD.replace("CHANNELS 3", "CHANNELS 2", 1), "2 channels, but 3 names"),
    "channels twice": (GOOD.replace("CHANNELS 3", "CHANNELS 1 Xrotation\nCHANNELS 3", 1), "CHANNELS 3"),
    "a joint without offset": (GOOD.replace("OFFSET 0.0 8.0 0.0", "", 1), "LowerBack has no OFFSET"),
    "two numbers grown together": (GOOD.replace("0 88.0", "0-88.0", 1), "frame 0 has"),
    "a word in a row": (GOOD.replace("88.0", "8,8"), "line [0-9]+, frame 0"),
    "a number out of all bounds": (GOOD.replace("88.0", "1e300"), "frame 0: the number 1e300 of Hips"),
    "letters": (GOOD.replace("88.0", "abc"), "cut off or no BVH"),
    "NaN": (GOOD.replace("88.0", "nan"), "finite"),
    "frame time 0": (GOOD.replace("Time: 0.02", "Time: 0"), "Frame Time"),
    "frame time negative": (GOOD.replace("Time: 0.02", "Time: -0.02"), "Frame Time"),
    "frame time of years": (GOOD.replace("Time: 0.02", "Time: 1e9"), "Frame Time 1e.09.*1 to 1000"),
    "frame time of nothing": (GOOD.replace("Time: 0.02", "Time: 1e-9"), "Frame Time 1e-09.*1 to 1000"),
    "no number of frames": (GOOD.replace("Frames: 2", "Frames:"), "Frames"),
    "frames beyond all memory": (GOOD.replace("Frames: 2", "Frames: 9999999"), "2 frames, expected 9999999"),
    "no frames": (bvh_text([]), "0 frames"),
    "a joint missing": (GOOD.replace("RightForeArm", "Thing"), "right_elbow"),
    "a name twice": (GOOD.replace("LeftToeBase", "LeftFoot"), "two joints"),
    "an ant": (bvh_text([{}], scale=1e-4), "human height in none"),
}


@pytest.mark.parametrize("name", BAD_BVH)
def test_broken_bvh_is_refused(tmp_path, name):
    text, message = BAD_BVH[name]
    with pytest.raises(ValueError, match=rf"clip\.bvh.*({message})"):
        read(tmp_path, text)


def test_bvh_one_row_more_or_fewer_is_read_with_a_warning(tmp_path):
    four = bvh_text([{}] * 4)
    for said in (3, 5):
        with pytest.warns(UserWarning, match=rf"4 rows.*'Frames:' says {said}") as seen:
            clip = read(tmp_path, four.replace("Frames: 4", f"Frames: {said}"))
        assert len(clip.positions) == 4
        assert seen[0].filename == __file__, "the warning points to who called load"
    with pytest.warns(UserWarning, match="5 rows.*says 4: the 4 whole rows"):
        assert len(read(tmp_path, four + "0 88").positions) == 4


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "bom-be", "latin-1"])
def test_bvh_text_may_come_from_any_tool(tmp_path, encoding):
    text = GOOD.replace("LeftToeBase", "LeftZéhe")
    data = "\ufeff".encode("utf-16-be") + text.encode("utf-16-be") if encoding == "bom-be" else text.encode(encoding)
    (tmp_path / "a.bvh").write_bytes(data)
    assert torch.equal(motion.load(tmp_path / "a.bvh")[0].positions, read(tmp_path, GOOD).positions)


LAYOUTS = {
    "lower case": lambda text: text.replace("rotation", "ROTATION").replace("Xposition", "xposition"),
    "no newline at the end": str.rstrip,
    "blank lines, tabs, CRLF": lambda text: text.replace("\n", "\r\n\r\n").replace(" ", "\t "),
    "CR": lambda text: text.replace("\n", "\r"),
    "brace after the name": lambda text: text.replace("\n{", " {"),
    "other words in other case": lambda text: text.replace("End Site", "End site").replace("JOINT", "Joint"),
    "scientific": lambda text: text.replace("88.0", "8.8e+01"),
    "a wrapper without channels": lambda text: wrapped(text, "CHANNELS 0\n"),
    "a wrapper without the line": lambda text: wrapped(text, ""),
}


def wrapped(text, channels):
    inner, rows = text.removeprefix("HIERARCHY\n").split("MOTION")
    inner = inner.replace("ROOT", "JOINT")
    return f"HIERARCHY\nROOT Armature\n{{\nOFFSET 0 0 0\n{channels}{inner}}}\nMOTION{rows}"


@pytest.mark.parametrize("name", LAYOUTS)
def test_bvh_layout_does_not_matter(tmp_path, name):
    text = bvh_text([{"Hips": (10, 20, 30), "LeftArm": (40, 0, 0)}] * 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = read(tmp_path, LAYOUTS[name](text))
    assert torch.equal(other.positions, read(tmp_path, text).positions)

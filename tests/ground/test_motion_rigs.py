"""BVH files of other programs' rigs: whatever joints are called, whatever hangs beside them, the body is the same."""

import re
import warnings

import numpy as np
import pytest

from tutorial_lib import motion
from tutorial_lib.skeleton import JOINTS

BONES = """Hips - 0 90 0; Spine Hips 0 22 0; Neck Spine 0 26 0; Head Neck 0 12 0; LeftArm Spine 17 24 0;
LeftForeArm LeftArm 29 0 0; LeftHand LeftForeArm 25 0 0; RightArm Spine -17 24 0; RightForeArm RightArm -29 0 0;
RightHand RightForeArm -25 0 0; LeftUpLeg Hips 9 0 0; LeftLeg LeftUpLeg 0 -42 0; LeftFoot LeftLeg 0 -41 0;
RightUpLeg Hips -9 0 0; RightLeg RightUpLeg 0 -42 0; RightFoot RightLeg 0 -41 0"""
BONES = [bone.split() for bone in BONES.replace("\n", " ").split(";")]
NAMES = [bone[0] for bone in BONES]
TURN = "Zrotation Xrotation Yrotation"


def tip(*offset):
    return f"End Site\n{{\nOFFSET {' '.join(map(str, offset))}\n}}\n"


def leaf(name, *offset, inner=None):
    inner = inner or tip(*offset)
    return f"JOINT {name}\n{{\nOFFSET {' '.join(map(str, offset))}\nCHANNELS 0\n{inner}}}\n"


def body(names=None, pose=None, ends=None, axes=None, inner="", at="0 90 0"):
    """A person of 1.61 m in centimetres, T-pose.

    Args: pose: joint -> three angles; ends: joint -> text in place of its end site; axes: a function of the offsets;
    inner: position channels of all joints but the root, with what stands there.
    """
    names, pose, ends, axes = names or {}, pose or {}, ends or {}, axes or (lambda x, y, z: (x, y, z))
    order = []

    def block(name, parent, *offset):
        order.append(name)
        moved = axes(*map(float, offset))
        below = "".join(block(*bone) for bone in BONES if bone[1] == name)
        below += ends.get(name, "" if below else tip(*axes(0, 11, 0) if name == "Head" else (1, 1, 1)))
        channels = "Xposition Yposition Zposition " + TURN if parent == "-" or inner else TURN
        first = (
            f"{'ROOT' if parent == '-' else 'JOINT'} {names.get(name, name)}\n{{\nOFFSET {' '.join(map(str, moved))}"
        )
        return f"{first}\nCHANNELS {len(channels.split())} {channels}\n{below}}}\n"

    head = "HIERARCHY\n" + block(*BONES[0])
    words = [at]
    for name in order:
        angles = " ".join(map(str, pose.get(name, (0, 0, 0))))
        words.append(f"{inner} {angles}" if inner and name != "Hips" else angles)
    row = " ".join(words)
    return f"{head}MOTION\nFrames: 2\nFrame Time: 0.02\n{row}\n{row}\n"


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "clip.bvh").write_text(text, encoding="utf-8")
        return dict(zip(JOINTS, motion.load(tmp_path / "clip.bvh")[0].positions[0].numpy()))

    return read


def assert_same(one, other, atol=1e-6):
    for joint in JOINTS:
        np.testing.assert_allclose(one[joint], other[joint], atol=atol, err_msg=joint)


# --- names ----------------------------------------------------------------------------------------


def rig(middle, arm, leg, sides):
    """Names of all joints: `middle` for Hips, Spine, Neck, Head; arm and leg from above, % for a side."""
    out = dict(zip(("Hips", "Spine", "Neck", "Head"), middle.split("|")))
    for side, word in zip(("Left", "Right"), sides.split("|")):
        joints = zip(("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot"), f"{arm}|{leg}".split("|"))
        out |= {side + joint: name.replace("%", word) for joint, name in joints}
    return out


RIGS = {
    "Unreal": rig("pelvis|spine_01|neck_01|head", "upperarm_%|lowerarm_%|hand_%", "thigh_%|calf_%|foot_%", "l|r"),
    "one number": {"Neck": "neck_01"},
    "Kinect": rig("SpineBase|SpineMid|Neck|Head", "Shoulder%|Elbow%|Wrist%", "Hip%|Knee%|Ankle%", "Left|Right"),
    "Azure Kinect": rig(
        "PELVIS|SPINE_NAVEL|NECK|HEAD", "SHOULDER_%|ELBOW_%|WRIST_%", "HIP_%|KNEE_%|ANKLE_%", "LEFT|RIGHT"
    ),
    "mocopi": rig("root|torso_1|neck_1|head", "%_up_arm|%_low_arm|%_hand", "%_up_leg|%_low_leg|%_foot", "l|r"),
    "VRM": rig(
        "J_Bip_C_Hips|J_Bip_C_Spine|J_Bip_C_Neck|J_Bip_C_Head",
        "J_Bip_%_UpperArm|J_Bip_%_LowerArm|J_Bip_%_Hand",
        "J_Bip_%_UpperLeg|J_Bip_%_LowerLeg|J_Bip_%_Foot",
        "L|R",
    ),
    "Character Creator": rig(
        "CC_Base_Hip|CC_Base_Waist|CC_Base_NeckTwist01|CC_Base_Head",
        "CC_Base_%_Upperarm|CC_Base_%_Forearm|CC_Base_%_Hand",
        "CC_Base_%_Thigh|CC_Base_%_Calf|CC_Base_%_Foot",
        "L|R",
    ),
    "Rigify": rig(
        "DEF-spine|DEF-spine.001|DEF-spine.004|DEF-spine.006",
        "DEF-upper_arm.%|DEF-forearm.%|DEF-hand.%",
        "DEF-thigh.%|DEF-shin.%|DEF-foot.%",
        "L|R",
    ),
    "3ds Max": rig(
        "Bip01 Pelvis|Bip01 Spine|Bip01 Neck|Bip01 Head",
        "Bip01 % UpperArm|Bip01 % Forearm|Bip01 % Hand",
        "Bip01 % Thigh|Bip01 % Calf|Bip01 % Foot",
        "L|R",
    ),
    "three of 3ds Max": {"Hips": "Bip01 Pelvis", "LeftUpLeg": "Bip01 L Thigh", "RightUpLeg": "Bip01 R Thigh"},
    "Valve": rig(
        "ValveBiped.Bip01_Pelvis|ValveBiped.Bip01_Spine|ValveBiped.Bip01_Neck1|ValveBiped.Bip01_Head1",
        "ValveBiped.Bip01_%_UpperArm|ValveBiped.Bip01_%_Forearm|ValveBiped.Bip01_%_Hand",
        "ValveBiped.Bip01_%_Thigh|ValveBiped.Bip01_%_Calf|ValveBiped.Bip01_%_Foot",
        "L|R",
    ),
    "SMPL": rig("Pelvis|Spine1|Neck|Head", "%_Shoulder|%_Elbow|%_Wrist", "%_Hip|%_Knee|%_Ankle", "L|R"),
    "Rokoko": rig("Hips|Spine|Neck|Head", "%Arm|%ForeArm|%Hand", "%Thigh|%Shin|%Foot", "Left|Right"),
    "Poser": rig("hip|abdomen|neck|head", "%Shldr|%ForeArm|%Hand", "%Thigh|%Shin|%Foot", "l|r"),
    "Maya": rig("Root_M|Spine1_M|Neck_M|Head_M", "Shoulder_%|Elbow_%|Wrist_%", "Hip_%|Knee_%|Ankle_%", "L|R"),
    "MikuMikuDance": rig("center|upper body|neck|head", "arm_%|elbow_%|wrist_%", "leg_%|knee_%|ankle_%", "L|R"),
    "biomechanics": rig("pelvis|torso|neck|head", "humerus_%|ulna_%|hand_%", "femur_%|shank_%|foot_%", "l|r"),
    "upper and lower": rig("Hips|Spine|Neck|Head", "%UpArm|%LoArm|%Hand", "%UpLeg|%LoLeg|%Foot", "Left|Right"),
    "blanks": {name: re.sub("(?<=[a-z])(?=[A-Z])", " ", name) for name in NAMES},
    "capitals": {name: name.upper() for name in NAMES},
    "small letters": {name: name.lower() for name in NAMES},
    "node numbers": {name: f"{name}_{number:02}" for number, name in enumerate(NAMES)},
    "endings": {name: f"{name}_JNT" for name in NAMES},
    **{before: {name: before + name for name in NAMES}
       for before in ("Robot_", "mixamorig:", "mixamorig7:", "mixamorig", "Bip01 ", "Character1_", "a:b:")},
}  # fmt: skip


@pytest.mark.parametrize("name", RIGS)
def test_names_do_not_matter(read, name):
    pose = {"LeftArm": (0, 0, 40), "RightUpLeg": (0, 50, 0), "Neck": (0, 20, 0)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(read(body(RIGS[name], pose)), read(body(pose=pose)))


def test_a_missing_neck_is_built_and_said(read):
    with pytest.warns(UserWarning, match="no joint for the neck.*between the shoulders"):
        pose = read(body({"Neck": "Thing"}))
    np.testing.assert_allclose(pose["thorax"], (0, 0, 1.36), atol=1e-6)
    np.testing.assert_allclose(pose["neck"], (0, 0, 1.50), atol=1e-6)


# --- two candidates for one joint -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["SMPL", "Kinect"])
def test_ankles_come_before_feet_and_wrists_before_hands(read, name):
    sides = {"SMPL": ("L_Foot", "R_Foot", "L_Hand", "R_Hand"),
             "Kinect": ("FootLeft", "FootRight", "HandLeft", "HandRight")}[name]  # fmt: skip
    ends = dict(zip(
        ("LeftFoot", "RightFoot", "LeftHand", "RightHand"),
        map(leaf, sides, (0, 0, 9, -9), (-5, -5, 0, 0), (14, 14, 0, 0)),
    ))  # fmt: skip
    pose = read(body(RIGS[name], ends=ends))
    np.testing.assert_allclose(pose["left_foot"], (0.09, 0, 0.07), atol=1e-6)
    np.testing.assert_allclose(pose["left_wrist"], (0.71, 0, 1.36), atol=1e-6)
    assert_same(pose, read(body()))


def test_further_joints_of_a_limb_change_nothing(read):
    ends = {
        "LeftFoot": leaf("LeftToeBase", 0, -5, 14),
        "Hips": leaf("LeftHipJoint", 4, 0, 0) + leaf("ik_foot_l", 9, -83, 0),
        "LeftUpLeg": leaf("LeftUpLeg.001", 0, -20, 0), "LeftArm": leaf("LeftArmTwist01", 9, 0, 0),
        "LeftHand": leaf("LeftHandThumb1", 3, 0, 3), "Spine": leaf("LeftShoulder", 4, 20, 0),
    }  # fmt: skip
    assert_same(read(body(ends=ends)), read(body()))


# --- the top of the head --------------------------------------------------------------------------

HEADS = {
    "HeadTop_End": (leaf("HeadTop_End", 0, 11, 0), 1.61),
    "HeadTop_End, and an end beyond": (leaf("HeadTop_End", 0, 11, 0, inner=tip(0, 25, 0)), 1.61),
    "head_end, twice": (leaf("head_end", 0, 11, 0, inner=leaf("head_end_end", 0, 11, 0)), 1.61),
    "Head_End": (leaf("Head_End", 0, 11, 0), 1.61),
    "HeadNub": (leaf("Bip01 HeadNub", 0, 11, 0), 1.61),
    "beside eyes": (leaf("LeftEye", 3, 8, 9) + leaf("HeadEnd", 0, 11, 0) + leaf("Hair", 0, 15, -9), 1.61),
    "the head's own end": (tip(0, 14, 0), 1.64),
    "an end in the sky": (tip(0, 60, 0), 1.62),
    "HeadTop_End in the sky": (leaf("HeadTop_End", 0, 60, 0), 1.62),
    "an end in the head": (tip(0, 0.1, 0), 1.62),
    "eyes and jaw": (leaf("LeftEye", 3, 8, 9) + leaf("RightEye", -3, 8, 9) + leaf("Jaw", 0, -2, 5), 1.62),
    "a hat": (leaf("Hat", 0, 10, 0, inner=leaf("Feather", 0, 30, 0)), 1.60),
}


@pytest.mark.parametrize("name", HEADS)
def test_the_head_ends_where_a_head_ends(read, name):
    end, height = HEADS[name]
    pose = read(body(ends={"Head": end}))
    np.testing.assert_allclose(pose["head"], (0, 0, height), atol=1e-6)
    np.testing.assert_allclose(pose["neck"], (0, 0, 1.50), atol=1e-6)


# --- up -------------------------------------------------------------------------------------------

POSES = {"lies": (0, -90, 0), "lies on a side": (90, 0, 0), "stands on the hands": (180, 0, 0), "crawls": (0, 80, 0)}
AXES = {"y": lambda x, y, z: (x, y, z), "z": lambda x, y, z: (x, -z, y), "-y": lambda x, y, z: (x, -y, -z)}


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", POSES)
def test_up_is_what_the_rest_pose_says(read, name, axis):
    z, x, y = POSES[name]
    turned = {"y": (z, x, y), "z": (0, x, -z), "-y": (-z, x, y)}[axis]  # what was about z is about -y where z is up
    pose = read(body(pose={"Hips": turned}, axes=AXES[axis], at=" ".join(map(str, AXES[axis](0, 90, 0)))))
    upright = (pose["head"] - pose["hip"])[2] / np.linalg.norm(pose["head"] - pose["hip"])
    expected = {"lies": 0, "lies on a side": 0, "stands on the hands": -1, "crawls": np.cos(np.radians(80))}[name]
    assert upright == pytest.approx(expected, abs=1e-5)
    np.testing.assert_allclose(pose["hip"], (0, 0, 0.9), atol=1e-6)


def test_who_stands_on_another_floor_was_turned_there(read):
    stood = read(body(pose={"Hips": (0, 90, 0)}, at="30 20 90"))  # rest pose y up, world z up
    assert stood["head"][2] - stood["left_foot"][2] == pytest.approx(1.54, abs=1e-5)
    np.testing.assert_allclose(stood["hip"], (0.3, 0.2, 0.9), atol=1e-6)
    lies = read(body(pose={"Hips": (0, 90, 0)}, at="30 12 0"))
    assert lies["head"][2] == pytest.approx(lies["left_foot"][2], abs=1e-5)


def test_a_wrapper_may_stand_the_skeleton_up(read):
    lying = body(pose={"Hips": (0, -90, 0)})
    inner, rows = lying.removeprefix("HIERARCHY\n").split("MOTION")
    top = f"HIERARCHY\nROOT Armature\n{{\nOFFSET 0 0 0\nCHANNELS 3 {TURN}\n{inner.replace('ROOT', 'JOINT')}}}\nMOTION"
    head, time, *frames = rows.strip().splitlines()
    turned = "\n".join([head, time, *("0 90 0 " + frame for frame in frames)])
    pose, plain = read(f"{top}\n{turned}\n"), read(lying)
    assert_same(pose, plain, atol=1e-5)


def test_bones_along_their_own_axes_leave_up_to_the_motion(read):
    def along(x, y, z):
        return (np.linalg.norm((x, y, z)), 0, 0)

    pose = {"Hips": (90, 0, 0), "LeftUpLeg": (180, 0, 0), "RightUpLeg": (180, 0, 0), "LeftArm": (-90, 0, 0),
            "RightArm": (90, 0, 0)}  # fmt: skip
    stood = read(body(pose=pose, axes=along))
    assert stood["head"][2] - stood["left_foot"][2] == pytest.approx(1.45, abs=0.2)


# --- position channels of inner joints ------------------------------------------------------------


def test_positions_of_nothing_are_movements_from_the_offset(read):
    with pytest.warns(UserWarning, match="position channels of Spine.*OFFSET"):
        assert_same(read(body(inner="0 0 0")), read(body()))


def test_positions_that_are_no_bones_are_not_a_matter_of_scale(read):
    with pytest.raises(ValueError, match="position channels.*export rotations only") as caught:
        read(body(inner="700 700 700"))
    assert "scale" not in str(caught.value)

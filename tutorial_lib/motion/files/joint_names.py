"""Which of a file's joints is which: what programs call them, and where they hang.

A name alone does not decide. A "shoulder" is the collar bone where an "arm" hangs on it, a "foot" the ball of the foot
where it hangs on an ankle. So each limb is read from its middle: the hip is the candidate next above the knee, the foot
the one next below it.
"""

import re
from collections.abc import Sequence

_UPPER_LEG = ("thigh", "upleg", "upperleg", "legupper", "femur", "hip")
_UPPER_ARM = ("arm", "upperarm", "uparm", "uarm", "armupper", "shldr", "humerus", "shoulder")
_LIMBS = {
    ("hip", "knee", "foot"): (
        _UPPER_LEG, ("shin", "calf", "lowerleg", "lowleg", "loleg", "leglower", "tibia", "shank", "knee"),
        ("ankle", "foot"),
    ),
    ("shoulder", "elbow", "wrist"): (
        _UPPER_ARM, ("forearm", "lowerarm", "lowarm", "loarm", "farm", "armlower", "radius", "ulna", "elbow"),
        ("wrist", "hand"),
    ),
}  # fmt: skip
"""Names of the joints above, in and below the middle of a limb, in lower case, without the side."""
_LEG = "leg"
"""The knee, or the hip where another joint is called knee (or calf, or shin)."""
_MIDDLE = {
    "hip": ("hips", "hip", "pelvis", "spinebase"),
    "thorax": ("neck", "necklower", "lowerneck", "necktwist"),
    "chest": ("spineshoulder",),
    "neck": ("head",),
    "top": ("headtopend", "headtop", "headend", "headnub", "headtip", "headsite", "headendsite", "topofhead",
            "figurehair"),
    "spine": ("spine",),
}  # fmt: skip
_SIDES = {"left": ("left", "l"), "right": ("right", "r"), "": ("", "c", "m")}
_FORMS = {
    form: (side, part)
    for side, spellings in _SIDES.items()
    for part in (
        [part for parts in _MIDDLE.values() for part in parts]
        if not side
        else [_LEG, *(part for limb in _LIMBS.values() for parts in limb for part in parts)]
    )
    for spelling in spellings
    for form in (spelling + part, part + spelling)
}
"""(side, part) of a name whose words are written together; the side stands before or after."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")
_NOISE = ("jnt", "joint", "bone", "bn", "bend")
_LONGEST_PREFIX = 6  # words


def roles(names: Sequence[str | None], parents: Sequence[int], file: str) -> dict[str, int]:
    """Indices of the joints of skeleton.JOINTS among those of a file.

    Case, blanks, signs, numbers, what stands before a colon and a prefix that the names share do not matter.

    Args:
        names: the file's, None for an end site; parents stand before children.
        parents: index of the joint above, -1 for the root.
        file: the file's name, for messages.

    Returns:
        All of skeleton.JOINTS but the spine and the head's top; the thorax, where the neck begins, only if there is
        one; "top" as well if a joint below the head says by its name that it is the head's top.

    Raises:
        ValueError: if other joints are missing; lists the file's.
    """
    keys = _keys(names)
    found: dict[tuple[str, str], int] = {}
    for joint, key in enumerate(keys):
        if key:
            found.setdefault(key, joint)  # the first of several with one name but for numbers: further ones twist it
    out: dict[str, int | None] = {}
    for side in ("left", "right"):
        for joints, parts in _LIMBS.items():
            options = [[found[side, part] for part in some if (side, part) in found] for some in parts]
            spare = found.get((side, _LEG)) if joints[0] == "hip" else None
            out |= {f"{side}_{joint}": index for joint, index in zip(joints, _limb(options, spare, parents))}
    middle = {joint: [found["", part] for part in parts if ("", part) in found] for joint, parts in _MIDDLE.items()}
    pelvis = fork(out["left_hip"], out["right_hip"], parents)
    above_legs = [hip for hip in middle["hip"] if hip in upwards(pelvis, parents)]
    out["hip"] = max(above_legs, default=(middle["hip"] or [pelvis])[0])
    out["neck"] = min(middle["neck"], default=None)
    out["thorax"] = min(middle["thorax"] or middle["chest"], default=None)
    if out["neck"] is None:  # Rigify calls the neck and the head spine, too
        chest = fork(out["left_shoulder"], out["right_shoulder"], parents)
        spines = [joint for joint, key in enumerate(keys) if key == ("", "spine")]
        spines = [joint for joint in spines if chest is not None and chest in upwards(joint, parents)[1:]]
        if spines:
            out["neck"] = spines[-1]
            out["thorax"] = spines[0] if len(spines) > 1 else out["thorax"]
    missing = [joint for joint, index in out.items() if index is None and joint != "thorax"]
    if missing:
        raise ValueError(
            f"{file}: no joint for {', '.join(missing)} (for {missing[0]}, tried {', '.join(_tried(missing[0]))} …) "
            f"among {', '.join([name for name in names if name][:99])}; rename the file's joints"
        )
    out["top"] = min((top for top in middle["top"] if out["neck"] in upwards(top, parents)), default=None)
    return {joint: index for joint, index in out.items() if index is not None}


def upwards(joint: int | None, parents: Sequence[int]) -> list[int]:
    """The joint, the one above it and so on to the root; nothing for None."""
    chain = []
    while joint is not None and joint >= 0:
        chain.append(joint)
        joint = parents[joint]
    return chain


def fork(a: int | None, b: int | None, parents: Sequence[int]) -> int | None:
    """The lowest joint above both; None where one of them is missing."""
    above = upwards(b, parents)
    return next((joint for joint in upwards(a, parents) if joint in above), None)


def _limb(options: list[list[int]], spare: int | None, parents: Sequence[int]) -> list[int | None]:
    """The joints above, in and below the middle of a limb, None where there is none.

    Args:
        options: for each of the three, those of a fitting name.
        spare: a joint that is the middle, or where that is another one, the joint above.
        parents: of the skeleton.
    """
    above, middles, below = options
    middle = min(middles, default=spare)
    if not above and spare is not None and spare != middle:
        above = [spare]
    upper = next((joint for joint in upwards(middle, parents) if joint in above), (above or [None])[0])
    depths = {joint: upwards(joint, parents).index(middle) for joint in below if middle in upwards(joint, parents)}
    return [upper, middle, min(depths, key=depths.__getitem__, default=(below or [None])[0])]


def _keys(names: Sequence[str | None]) -> list[tuple[str, str] | None]:
    """(side, part) of every name, None where it is no joint that is looked for."""
    words = [_words(name or "") for name in names]
    places = {key: joint for joints, limb in _LIMBS.items() for joint, keys in zip(joints, limb) for key in keys}

    def spelt(prefix: tuple[str, ...]) -> list[tuple[str, str] | None]:
        short = [own[len(prefix) :] if own[: len(prefix)] == prefix else () for own in words]
        return [_FORMS.get("".join(own)) or _FORMS.get("".join(rest)) for own, rest in zip(words, short)]

    def worth(prefix: tuple[str, ...]) -> tuple[int, int]:
        return len({(key[0], places.get(key[1], key[1])) for key in spelt(prefix) if key}), -len(prefix)

    cuts = {own[:cut] for own in words for cut in range(_LONGEST_PREFIX) if "".join(own[cut:]) in _FORMS}
    return spelt(max(sorted(cuts), key=worth, default=()))


def _words(name: str) -> tuple[str, ...]:
    """A name's words in lower case: mixamorig:LeftUpLeg is left up leg, and so are left_up_leg and LeftUpLeg.001."""
    bare = re.sub(r"(?i)mixamorig\d*", "", name.split(":")[-1])
    return tuple(word for word in map(str.lower, _WORD.findall(bare)) if word not in _NOISE)


def _tried(joint: str) -> list[str]:
    side, _, middle = joint.rpartition("_")
    limbs = {middle: parts for joints, limb in _LIMBS.items() for middle, parts in zip(joints, limb)}
    return [side + part for part in (limbs[middle] if side else _MIDDLE[joint])][:6]

# %% [markdown]
# # 13 · What does a camera on your head know about your feet?
#
# **You will** choose a lens for a camera that looks down at its own wearer, grow the wearer without moving a pixel,
# fill a cube of voxels with 2D joints and with the floor, and put a step under feet that their own body hides.
#
# **You will learn** fisheye lenses, why one camera cannot know a size and what a floor changes about it, unprojection
# and occupancy, V2V networks, depth with its wearer removed, inpainting, and errors that say *where* somebody is.
#
# **You need** a camera that projects (lesson 05), the soft-argmax (lesson 02), the error after alignment (lesson 04).
# **Time:** 75 minutes, 40 without the exercises.
#
# The lesson follows Wang et al. (CVPR 2023), "scene-aware egocentric pose estimation". *Run all cells first*: what
# stands here as a picture then moves.

# %%
import torch
from IPython.display import Markdown, display

from tutorial_lib.display.claims import Claim, all_hold, is_above, is_below, plus_minus, record
from tutorial_lib.display.predict import Scale, predict
from tutorial_lib.display.preview import show, source
from tutorial_lib.display.tables import folded
from tutorial_lib.egocentric import metrics, scale, voxels
from tutorial_lib.egocentric.headset import LENS
from tutorial_lib.egocentric.network import V2V, EgoNet
from tutorial_lib.egocentric.scale import FEET, SOLE
from tutorial_lib.egocentric.voxels import HALF
from tutorial_lib.lessons.egocentric import (
    checks,
    demo_lens,
    demo_lies,
    demo_scale,
    demo_step,
    demo_voxels,
    experiment,
    figures,
    results,
)

# %% tags=["parameters"]
PROFILE = "quick"  # "quick": shipped networks, a minute. "full": trains all rows, larger, for a GPU
SEED = 0
DEVICE = "auto"  # where "full" trains: "cuda" where there is one; the demos run on the CPU
MOTION = "builtin"  # this lesson is about the course's own people; other motion is not looked at

# %%
torch.manual_seed(SEED)
torch.set_num_threads(1)  # small networks: a second thread wins little, and costs much where others are at work
LESSON = "13_egocentric"
FOUND, FOLDER = experiment.found(PROFILE, SEED, DEVICE)
NETS = demo_voxels.networks(FOLDER)
print(f"{PROFILE} profile, every row trained with {len(FOUND.seeds('none'))} seeds")

# %% [markdown]
# ## 1. A lens that sees its wearer
#
# A camera sits 20 cm before the forehead and looks down. Hands are beside it, feet far below: nearly a half-space
# has to go into one picture. A **pinhole** puts a ray at angle $\theta$ to its axis at radius $\rho=\tan\theta$,
# which runs away at 90°. A **fisheye** grows gently:
#
# $$\text{equidistant: } \rho=\theta\qquad \text{equisolid: } \rho=2\sin\tfrac{\theta}{2}\qquad
# \text{polynomial: } \rho=\theta\,(1+k_1\theta^2+k_2\theta^4+\dots)$$
#
# Half fields of view go up to 85°: a pinhole has no 90°. In the camera's frame x points to the right, y to the wearer's
# back and z down.
#
# > **Predict.** All lenses below fill a picture of 64 × 64 pixels with the same field of view, 2 × 85°. How many pixels
# > wide are the shoulders through the *pinhole*? And through the *equisolid* lens?

# %%
PINHOLE, EQUISOLID = "pinhole", "equisolid"
wide_guess = predict({PINHOLE: Scale(0, 40, 1, "pixels"), EQUISOLID: Scale(0, 40, 1, "pixels")})
wide_guess

# %%
lens_demo = demo_lens.lens_demo()
lens_demo

# %% tags=["demo-test"]
wide = demo_lens.shoulder_pixels()
assert wide["pinhole"] < 0.5 * min(wide[lens] for lens in ("equidistant", "equisolid", "polynomial")), wide
lens_demo.set(half=40).check()
narrow = int(lens_demo.arrays["seen"].sum())
lens_demo.set(half=85).check()
assert narrow < int(lens_demo.arrays["seen"].sum())
lens_demo.reset().check()
print("the demo of lenses moves")

# %%
wide_guess.answer(
    {PINHOLE: wide["pinhole"], EQUISOLID: wide["equisolid"]},
    f"**What you saw.** Through the pinhole the shoulders are {wide['pinhole']:.1f} pixels wide, through the equisolid "
    f"lens {wide['equisolid']:.1f}. The pinhole spends its picture on the last degrees before 90, where walls are; the "
    f"wearer is a speck in the middle. A narrower field, 2 × 40°, shows only {narrow} of 17 joints.",
)

# %% [markdown]
# **Try it on your own.** Let the camera look forward. Which joints leave the picture first?
#
# ## 2. Grow without moving a pixel
#
# Now the central fact of this lesson, and it needs no network. Multiply the wearer about the camera by 1.1: every joint
# moves *along its own ray*, so no pixel moves. Whoever looks at 2D joints alone has to believe all sizes at once.
#
# > **Predict.** Make six people 10 % too large. (1) How far off are their feet? (2) What is left of the mean error of
# > all joints after the best alignment (P-MPJPE)?

# %%
AT_FEET, ALIGNED = "(1) the feet", "(2) after alignment"
grow_guess = predict({AT_FEET: Scale(0, 300, 10, "mm"), ALIGNED: Scale(0, 100, 5, "mm")})
grow_guess

# %%
scale_demo = demo_scale.scale_demo()
scale_demo

# %% tags=["demo-test"]
tenth = demo_scale.ten_percent()
for factor in (0.9, 1.1):
    scale_demo.set(factor=factor).check()
    assert scale_demo.arrays["moved"] < 1e-3, scale_demo.arrays["moved"]
    assert scale_demo.arrays["score"]["p_mpjpe"] < 0.01 < scale_demo.arrays["score"]["feet"]
assert 100 < tenth["feet"] < 200, tenth
scale_demo.reset().check()
print("the demo of growing moves")

# %%
grow_guess.answer(
    {AT_FEET: tenth["feet"], ALIGNED: tenth["p_mpjpe"]},
    f"**What you saw.** No pixel moves. The feet are {tenth['feet']:.0f} mm off, through the floor; all joints "
    f"{tenth['mpjpe']:.0f} mm on average; after alignment {tenth['p_mpjpe']:.1f} mm. An aligned error is *blind* to "
    "this mistake, by definition. Only something in the picture whose size or distance is known can tell: the floor.",
)

# %% [markdown]
# So this lesson needs errors that say where somebody is: in the camera's frame, nothing aligned unless it says so, in
# mm (the last one in per cent):
#
# | error | what it asks |
# |---|---|
# | MPJPE | where are the joints? |
# | P-MPJPE | which shape, after the best rotation, place and size? |
# | BA-MPJPE | which posture, after *all bones* of both got standard lengths, too? |
# | feet | where are the ankles? |
# | foot height | how much too high or low are the ankles in the room? |
# | ankles below | how many are below the floor, or the box, that is under them? |

# %%
source(scale.grow, metrics.with_bones)

# %% [markdown]
# ## 3. A cube of voxels
#
# The paper's answer is **a cube before the camera**, 2 m wide in the paper, 2.2 m here, divided into cells: 16 a side,
# 14 cm each, between which a soft-argmax can still read. Three things happen to it:
#
# 1. *Unproject.* Each cell looks up what the camera saw in its direction. A 2D joint becomes a cone along its ray.
# 2. *Occupy.* The scene's depth picture becomes points, ray times *distance*, and cells that hold one are full.
# 3. *V2V*, voxel to voxel. A network of 3D convolutions turns cones and floor into a score per cell and joint; a
#    soft-argmax makes a place in metres of it.
#
# For a cell with its centre at $c$, seen by the lens $\pi$ at $\pi(c)$, a joint detected at $x_j$, and pixels $p$ with
# unit rays $r_p$ and distances $d_p$:
#
# $$\text{cone}_j(c)=e^{-\lVert \pi(c)-x_j\rVert^2/2\sigma^2}\qquad
# \text{full}(c)=1\ \text{if some } d_p\,r_p \text{ lies in the cell, else } 0$$

# %%
source(voxels.unproject, voxels.occupancy)

# %%
source(V2V.forward, EgoNet.forward)

# %% [markdown]
# The paper holds that the depth picture must not show its wearer, whose points would fill cells where no floor is. It
# cuts the body out and **inpaints** the hole. So a network can be told seven kinds of scene: none; with a *hole*; the
# hole filled *classically* (OpenCV continues smoothly inwards from the rim) or by a *learned* U-Net; the *true* scene
# behind the body; depth with the *body* left in, exact, or *estimated*: off by a factor, 15 % typically, one a moment.
# Each network below was trained for its kind. The people are 0.8 to 1.1 times as large as usual.
#
# > **Predict.** On average over many people: how far too high or too low are the feet, without a scene? And with a
# > filled one?

# %%
WITHOUT, WITH = "no scene", "hole filled, learned"
height_guess = predict({WITHOUT: Scale(0, 200, 5, "mm"), WITH: Scale(0, 200, 5, "mm")})
height_guess

# %%
voxels_demo = demo_voxels.voxels_demo(NETS)
voxels_demo

# %% tags=["demo-test"]
filled = {}
for name, values in voxels_demo.presets.items():
    voxels_demo.set(**values).check()
    filled[name] = voxels_demo.arrays["filled"]
assert filled["no scene"] == filled["a ray"] == 0 < filled["a hole"] < filled["true scene"], filled
voxels_demo.reset().check()
print("the demo of voxels moves")

# %%
without, told = (FOUND.values(kind, "foot_height").mean() for kind in ("none", "learned"))
height_guess.answer(
    {WITHOUT: float(without), WITH: float(told)},
    f"{without:.0f} mm without a scene, {told:.0f} mm with the filled one: means over all trainings and test people on "
    "the floor, which the table of section 4 has with their intervals. Someone who knows the shape exactly and takes "
    f"everybody for average in size is {FOUND.blind('truth at mean size', 'foot_height'):.0f} mm off.",
)

# %% [markdown]
# **Try it on your own.** Walk the cut through the cube, before and after V2V. What has the network done to the cone?
#
# ## 4. Who knows what, in numbers
#
# People whom no training saw, partly with motions that no training saw. 2D joints are noisy, those that the body hides
# four times as much: that is most of what is left of *feet* beside *foot height*, sideways. Rows in italics need no
# network; *grown until it stands* takes the pose without a scene and grows it about the camera until a foot stands on
# the filled scene: one number, and no pixel moves.

# %%
with height_guess.covered():
    display(Markdown(results.main_table(FOUND)))

# %%
with height_guess.covered():
    show(figures.rows_figure(FOUND, "foot_height"), figures.rows_figure(FOUND, "p_mpjpe"))

# %%
Markdown(results.floor_in_words(FOUND))

# %%
folded("Which rates were tried, for all rows alike?", results.searched_table(FOUND))

# %%
folded("Would more training change a verdict? Differences on validation people", results.halves_table(FOUND))

# %% [markdown]
# The paper's own table, as the seminar that this course grew from copied it; "ours" is the paper's method. It has no
# row of the same network without a scene, or with a hole: what the scene does is mixed there with a new network and new
# data.

# %%
folded("The paper's table", results.paper_table())

# %% [markdown]
# ## 5. A step that your own body hides
#
# A flat floor is visible around the body: whoever is told of a hole could carry the floor on without help. To see what
# inpainting is worth, the hidden part must be *different*. Put a step under the feet.
#
# > **Predict.** All test people stand on a step of which they hide about half. Compared with the hole left open, the
# > feet's height after *learned* filling is …

# %%
STEP = ["more than 10 mm better", "within 10 mm", "more than 10 mm worse"]
step_guess = predict(STEP)
step_guess

# %%
step_demo = demo_step.step_demo(NETS)
step_demo

# %% tags=["demo-test"]
step_demo.set(**step_demo.presets["level floor"]).check()
level = step_demo.arrays["off"]
step_demo.set(**step_demo.presets["a platform"]).check()
assert step_demo.arrays["off"]["true"] == 0 == level["true"]
assert float(step_demo.arrays["true_height"].max()) > 0.19
step_demo.reset().check()
print("the demo of steps moves")

# %%
with step_guess.covered():
    display(Markdown(results.filled_table(FOUND)), Markdown(results.main_table(FOUND, "step")))

# %%
with step_guess.covered():
    show(figures.rows_figure(FOUND, "foot_height", "step"))

# %%
filling, perfect = (FOUND.difference(kind, "hole", "foot_height", "step") for kind in ("learned", "true"))
step_guess.answer(
    STEP[0 if filling.mean() < -10 else 2 if filling.mean() > 10 else 1],
    f"{plus_minus(filling)} mm, learned filling minus the open hole, on a step; *classical* filling "
    f"{plus_minus(FOUND.difference('classical', 'hole', 'foot_height', 'step'))} mm; the true scene behind the body, "
    f"the best that a filling could be, {plus_minus(perfect)} mm. The table's depth errors are means over the whole "
    "hole, arms included. Feet stand on what is under them: the note of the demo has the ground there.",
)

# %% [markdown]
# Do the networks really *stand* on what they are told, or has a scene merely made the training better? Lie to them:
# raise all points of the scene by 100 mm. Who trusts the floor rises with it.

# %%
show(figures.followed_figure(FOUND))

# %% [markdown]
# ## Claim cards
#
# A card puts a sentence to the test and computes its own verdict. Seeds are *training* seeds; differences are paired by
# seed: the same samples, batches and tests.

# %%
learned_none = {title: FOUND.difference("learned", "none", metric) for title, metric in
                (("MPJPE", "mpjpe"), ("feet", "feet"), ("foot height", "foot_height"))}  # fmt: skip
scene_card = Claim(
    "scene",
    LESSON,
    "The scene, inpainted behind the body, lowers the absolute error: of all joints, of the feet, and of their height.",
    "Wang et al. 2023, table on their own test set (118.5 mm; EgoPW, the best without a scene, 189.6)",
    paper={"MPJPE": 118.5 - 189.6, "feet": None, "foot height": None},
    ours=learned_none,
    test=lambda m: all_hold(*(is_below(values) for values in m.values())),
    explanation="People on the floor; with scene minus without, the same network otherwise. The paper compares with "
    "another method.",
    if_not="One of the three does not fall with this network and this noise.",
    if_undecided="One of the intervals holds zero: more trainings would tell.",
    unit="mm",
)
shares = {
    "MPJPE": FOUND.change("learned", "none", "mpjpe"),
    "P-MPJPE": FOUND.change("learned", "none", "p_mpjpe"),
}
place_card = Claim(
    "place",
    LESSON,
    "What the scene gives is place and size more than shape: the absolute error falls, and by a larger share than the "
    "aligned one.",
    "Wang et al. 2023, the same table: MPJPE and P-MPJPE against EgoPW",
    paper={
        "MPJPE": round(100 * (118.5 / 189.6 - 1), 1),
        "P-MPJPE": round(100 * (92.75 / 105.3 - 1), 1),
        "MPJPE - P-MPJPE": None,
    },
    ours=shares | {"MPJPE - P-MPJPE": shares["MPJPE"] - shares["P-MPJPE"]},
    test=lambda m: all_hold(is_below(m["MPJPE"]), is_below(m["MPJPE - P-MPJPE"])),
    explanation="Change in per cent, with scene against without; the last row is the difference of the two, paired.",
    if_not="The absolute error does not fall, or the aligned one falls by as large a share: then the shape is better, "
    "too.",
    if_undecided="One of the two intervals, of MPJPE and of the last row, holds zero.",
    unit="%",
)
record(scene_card, place_card)

# %%
floor_card = Claim(
    "floor",
    LESSON,
    "The scene keeps feet from sinking in: less than half as many ankles are below the floor, or the box, under them.",
    "ours; the paper counts no penetration",
    paper=None,
    ours={
        "no scene": FOUND.values("none", "below"),
        "with scene": FOUND.values("learned", "below"),
        "with scene - half of those without": FOUND.difference("learned", "none", "below")
        + FOUND.values("none", "below") / 2,
    },
    test=lambda m: is_below(m["with scene - half of those without"]),
    explanation="Ankles in per cent; people on the floor, the hole filled by learning. The half was set beforehand.",
    if_not="Fewer may be below, but not less than half of them.",
    if_undecided="The interval of the last row holds zero.",
    unit="%",
)
follow_card = Claim(
    "follow",
    LESSON,
    "The feet follow the floor: if the scene, true or filled by learning, is raised by 100 mm, they rise by more than "
    "50.",
    "ours",
    paper=None,
    ours={
        title: FOUND.values(kind, "followed")
        for title, kind in (("true scene", "true"), ("hole filled, learned", "learned"), ("no scene", "none"))
    },
    test=lambda m: all_hold(*(is_above(m[title], 50) for title in ("true scene", "hole filled, learned"))),
    explanation="The bodies and 2D joints stay as they are; without a scene nothing can change, the control.",
    if_not="They rise by less with one of the two: 2D joints and the scene contradict each other then, and a network "
    "that has learned how large people are need not believe the scene.",
    if_undecided="One of the two intervals holds 50 mm.",
    unit="mm",
)
record(floor_card, follow_card)

# %%
inpaint_card = Claim(
    "inpainting",
    LESSON,
    "Where the body hides about half of a step, filling the hole by learning lowers the error of the feet's height.",
    "Wang et al. 2023, their depth inpainting; no ablation is in our sources",
    paper=None,
    ours={"learned - hole": FOUND.difference("learned", "hole", "foot_height", "step")},
    test=lambda m: is_below(m["learned - hole"]),
    explanation="Everybody stands on a step. Inpainting knows only what shows around the body.",
    if_not="A network that is told of a hole guesses what is in it at least as well as one that guesses for it.",
    if_undecided="The difference is smaller than chance between trainings.",
    unit="mm",
)
perfect_card = Claim(
    "perfect",
    LESSON,
    "A perfect inpainting would: where the body hides about half of a step, the true scene behind the body lowers the "
    "error of the feet's height, against the open hole.",
    "ours",
    paper=None,
    ours={"true - hole": FOUND.difference("true", "hole", "foot_height", "step")},
    test=lambda m: is_below(m["true - hole"]),
    explanation="As before, with the truth behind the body, which no camera sees.",
    if_not="Even the truth behind the body does not help here.",
    if_undecided="The difference is smaller than chance between trainings.",
    unit="mm",
)
record(inpaint_card, perfect_card)

# %%
classic_card = Claim(
    "learned",
    LESSON,
    "Learned inpainting beats the classical one, by the feet's height on a step.",
    "ours; the paper has a learned one alone",
    paper=None,
    ours={"learned - classical": FOUND.difference("learned", "classical", "foot_height", "step")},
    test=lambda m: is_below(m["learned - classical"]),
    explanation="The table of section 5 has the errors of the depth itself.",
    if_not="Feet are not nearer to their height with it, whichever depth is better.",
    if_undecided="The difference is smaller than chance between trainings.",
    unit="mm",
)
body_card = Claim(
    "body",
    LESSON,
    "Depth with the wearer in it misleads: with exact depth and with estimated depth of the body, the absolute error "
    "is larger than with the body truly removed.",
    "Wang et al. 2023, the reason why they remove it; no ablation is in our sources",
    paper=None,
    ours={
        "exact, body left in - removed": FOUND.difference("body", "true"),
        "estimated, body left in - removed": FOUND.difference("estimated", "true"),
    },
    test=lambda m: all_hold(*(is_above(values) for values in m.values())),
    explanation="People on the floor. *Estimated*: the body's depth is off by a factor, 15 % typically, one a moment, "
    "and blurred at its outline (ours).",
    if_not="A body in the depth picture need not harm: exact depth of one's own arms and legs says where they are. "
    "That is knowledge that a depth *network* does not have.",
    if_undecided="One of the intervals holds zero.",
    unit="mm",
)
record(classic_card, body_card)

# %%
feet_card = Claim(
    "body-feet",
    LESSON,
    "And it misleads about the floor: with the body left in, exact or estimated, the feet's height is worse than with "
    "the body truly removed.",
    "ours; the sentence above, asked of the feet",
    paper=None,
    ours={
        "exact, body left in - removed": FOUND.difference("body", "true", "foot_height"),
        "estimated, body left in - removed": FOUND.difference("estimated", "true", "foot_height"),
    },
    test=lambda m: all_hold(*(is_above(values) for values in m.values())),
    explanation="People on the floor.",
    if_not="With one of the two the feet are as near to their height as with the body removed.",
    if_undecided="One of the intervals holds zero.",
    unit="mm",
)

record(
    feet_card,
    Claim(
        "number",
        LESSON,
        "The network does more with the scene than one number can: its feet are nearer than those of the pose without "
        "a scene, grown until it stands.",
        "ours",
        paper=None,
        ours={"network - grown until it stands": FOUND.values("learned", "feet") - FOUND.stood("learned", "feet")},
        test=lambda m: is_below(m["network - grown until it stands"]),
        explanation="People on the floor, both with the same filled scene, paired by seed. In the feet's height it is "
        + plus_minus(FOUND.values("learned", "foot_height") - FOUND.stood("learned", "foot_height"))
        + " mm there, and "
        + plus_minus(FOUND.values("learned", "foot_height", "step") - FOUND.stood("learned", "foot_height", "step"))
        + " mm on a step. Whoever has both feet in the air, or a foot before a box, is grown wrongly.",
        if_not="One number does it: growing until a foot stands is at least as good, without a training with scenes.",
        if_undecided="The interval holds zero.",
        unit="mm",
    ),
)

# %% [markdown]
# ## Exercises
#
# Each has a check that says what it expected. Replace the part between the marks.
#
# **1. Through the lens** (5 minutes). Where does an equisolid lens put a point? $\rho=2\sin(\theta/2)$.


# %%
def through_the_lens(points):
    """Camera-frame points (..., 3) to (..., 2), focal length 1; also beyond 90 degrees."""
    ### BEGIN SOLUTION
    flat = points[..., :2].norm(dim=-1, keepdim=True)
    angle = torch.atan2(flat, points[..., 2:])
    return 2 * torch.sin(angle / 2) * points[..., :2] / flat.clamp_min(1e-9)
    ### END SOLUTION


checks.through_the_lens(through_the_lens)

# %% [markdown]
# **2. Fill the cube** (20 minutes). The heart of the paper's input: from a depth picture to full cells. Pixels have
# their centres at $(u, v)$, both from −1 to 1; the image circle has the radius 1. There exercise 1 runs backwards:
# $\rho=e\sqrt{u^2+v^2}$ with $e=$ `LENS.edge`; its angle makes a ray, and the picture holds the *distance* along it.
# Move every point by `shift`, and fill its cell. The cube reaches from −`HALF` to `HALF` in x and y, and from 0 to
# 2 `HALF` in z, all in metres; it is indexed z, y, x. Nothing is known in the hole and outside the circle.
#
# Once yours is right, it fills all cubes of *Break it*, where `shift` is the lie.


# %%
def fill_the_cube(depth, hole, cells, shift):
    """Depth (S, S) in metres, hole (S, S) bool, shift (3,) in metres, to (cells, cells, cells) bool."""
    ### BEGIN SOLUTION
    side = len(depth)
    line = (torch.arange(side) + 0.5) / side * 2 - 1
    v, u = torch.meshgrid(line, line, indexing="ij")
    radius = (u**2 + v**2).sqrt()
    angle = 2 * torch.asin(LENS.edge * radius / 2)
    flat = torch.sin(angle) / radius.clamp_min(1e-9)
    rays = torch.stack([flat * u, flat * v, torch.cos(angle)], -1)

    points = depth[..., None] * rays + shift
    lower = torch.tensor([-HALF, -HALF, 0.0])
    index = torch.floor((points - lower) / (2 * HALF) * cells).long()
    known = ~hole & (radius <= 1) & ((index >= 0) & (index < cells)).all(-1)
    x, y, z = index[known].unbind(-1)
    cube = torch.zeros(cells, cells, cells, dtype=torch.bool)
    cube[z, y, x] = True
    return cube
    ### END SOLUTION


checks.fill_the_cube(fill_the_cube)

# %% [markdown]
# **3. Until it stands** (10 minutes). No network: the camera is `height` metres above a flat floor, `up` is the world's
# up in the camera's frame. Grow the pose about the camera until one ankle is `SOLE` metres above the floor, and none is
# lower. Ankles are the joints `FEET`.


# %%
def until_it_stands(pose, up, height):
    """(17, 3) metres in the camera's frame and up (3,) to the grown pose (17, 3)."""
    ### BEGIN SOLUTION
    below = -(pose[list(FEET)] @ up)  # how far each ankle is below the camera
    return pose * ((height - SOLE) / below).min()
    ### END SOLUTION


checks.until_it_stands(until_it_stands)

# %% [markdown]
# ## Break it
#
# A floor that lies. Raise or sink the scene of the person below; the 2D joints stay where they are. Where does each
# network put the feet? And is there a floor that it does not believe any more?

# %%
lies_demo = demo_lies.lies_demo(NETS)
lies_demo

# %% tags=["demo-test"]
lies_demo.set(raised=0.0).check()
honest = dict(lies_demo.arrays["now"])
lies_demo.set(raised=0.2).check()
assert lies_demo.arrays["now"]["none"] == honest["none"]  # who is told nothing cannot be lied to
lies_demo.reset().check()
print("the demo of lies moves")

# %% [markdown]
# ## Summary
#
# 1. A fisheye puts half a space into one picture; a pinhole as wide would show its wearer as a speck.
# 2. A body that grows about the camera moves no pixel. An aligned error cannot see it, the feet's can.
# 3. Depth as full cells beside 2D joints as cones: a V2V network can look where cones meet the floor. The end of
#    section 4 has what that wins, and how much of it is one number, the size.
# 4. A wearer who is cut out leaves a hole, just where one stands. The end of section 5 has what filling it is worth.
# 5. **What does a camera on your head know about your feet?** Alone, in which direction they are. How far, it can know
#    from a size that somebody told it, or from what they stand on.
#
# ## Further reading
#
# - J. Wang, D. Luvizon, W. Xu, L. Liu, K. Sarkar, C. Theobalt: *Scene-aware Egocentric 3D Human Pose Estimation*, CVPR
#   2023.
# - G. Moon, J. Y. Chang, K. M. Lee: *V2V-PoseNet*, CVPR 2018.
# - W. Xu et al.: *Mo²Cap²: Real-time Mobile 3D Motion Capture with a Cap-mounted Fisheye Camera*, IEEE VR 2019.
# - M. Bertalmio, A. L. Bertozzi, G. Sapiro: *Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting*, CVPR 2001.

# %% [markdown]
# # 05 · What does a lens do to a network that has never seen one?
#
# **You will** bend a camera's image with five numbers, find out where an image folds over itself, and watch a
# network that turns 2D keypoints into a 3D skeleton come apart, although every keypoint is reported as well as before.
#
# **You will learn** the Brown–Conrady lens model, radial and tangential distortion, when a lens can be undone, and
# why a *lifter* (a network from 2D keypoints over time to a 3D pose) depends on the lens it was trained with.
#
# **You need** vectors, derivatives, a little PyTorch. **Time:** 65 minutes, 35 without the exercises.
#
# This lesson prepares lesson 06, where the network learns to get used to a new lens within a few steps.

# %%
import numpy as np
import torch
from IPython.display import Markdown, display
from tqdm.auto import tqdm

from tutorial_lib import checkpoints, distortion
from tutorial_lib.adaptation.lens_test import LensTest
from tutorial_lib.datasets import splits
from tutorial_lib.display.claims import Claim, all_hold, is_above, is_within, record
from tutorial_lib.display.predict import Scale, predict
from tutorial_lib.display.preview import show, source
from tutorial_lib.lessons.camera_distortion import checks, demo_lens, figures, lenses, results
from tutorial_lib.training import resolve_device

# %% tags=["parameters"]
PROFILE = "quick"  # "quick": two cores, a minute. "full": more people, tighter intervals
SEED = 0
DEVICE = "auto"  # "cpu", "cuda", or "auto": demos and tests run on a graphics card if there is one
MOTION = "builtin"  # or a motion file: .npz, data_3d_h36m.npz, .bvh (docs/own_motion.md)

# %%
torch.manual_seed(SEED)
torch.set_num_threads(1)  # small networks: a second thread wins little, and costs much where others are at work
device = resolve_device(DEVICE)
SEEDS = range(SEED, SEED + (10 if PROFILE == "quick" else 30))
CLIPS = 12 if PROFILE == "quick" else 40
LESSON = "05_camera_distortion"
print(f"{PROFILE} profile, {len(SEEDS)} seeds of {CLIPS} clips")

# %% [markdown]
# ## 1. Five numbers bend the picture
#
# A pinhole camera sends a point at $(X, Y, Z)$ metres to $(x, y) = (X/Z,\, Y/Z)$. These are *focal-normalised*
# coordinates; their origin is the *principal point*, where the camera looks. A real lens then moves every point.
# With $r^2 = x^2 + y^2$:
#
# $$\begin{aligned}
# x_d &= x\,(1 + k_1 r^2 + k_2 r^4 + k_3 r^6) + 2 p_1 x y + p_2 (r^2 + 2x^2)\\
# y_d &= y\,(\underbrace{1 + k_1 r^2 + k_2 r^4 + k_3 r^6}_{\text{radial: along the ray}})
#      + \underbrace{p_1 (r^2 + 2y^2) + 2 p_2 x y}_{\text{tangential: a lens that sits askew}}
# \end{aligned}$$
#
# A negative radial term pulls the edges in (*barrel*), a positive one pushes them out (*pincushion*). This is the code
# that the whole course uses; nothing in these lessons is a copy of it:

# %%
source(distortion.distort)

# %% [markdown]
# > **Predict.** Set $k_1 = -1$ and leave the rest at zero. A point at radius $r$ lands at $r(1 - r^2)$. Move outwards:
# > at which radius does the image of the point *turn round and come back*? Decide before you drag.

# %%
fold_guess = predict(Scale(0, 1, 0.05))
fold_guess

# %% [markdown]
# In the demo, the dotted grid is what a pinhole would show, the blue one what the lens shows. On the right: where a
# point at radius $r$ ends up. The band is there because a tangential lens treats directions differently. Two buttons
# are of the order that calibrations of real cameras report (the numbers are *ours*): a phone, which bends nearly
# nothing, and an action camera, a strong barrel. Real tangential terms are about 0.001. The lenses d1 to d4, on which
# this lesson and the next one test, have $|p|$ up to 0.12 and are far stronger than real ones: they have to be, to do
# the harm that the paper of section 4 reports.

# %%
lens = demo_lens.lens_demo(device)
lens

# %% tags=["demo-test"]
lens.set(k1=-1.0).check()
assert "FOLDS" in lens.stage.state["note"]
r, low, high = lens.arrays["radius"]
assert abs(r[np.argmax(low)] - 1 / np.sqrt(3)) < 0.02 and np.allclose(low, high, atol=1e-6)
lens.set(k1=0.0, p2=0.1).check()
assert not np.allclose(*lens.arrays["radius"][1:], atol=1e-3)  # a tangential lens depends on the direction
turn = lens.set(k1=-1.0, p2=0.0).check().arrays["radius"]
lens.reset().check()
turns = turn[0][np.argmax(turn[1])]
print("the lens demo moves")

# %%
fold_guess.answer(
    float(turns),
    f"**What you saw.** The drawn curve, a point every {r[1] - r[0]:.4f}, turns round at $r = {turns:.3f}$. "
    r"$r(1 + k_1 r^2)$ rises until $1 + 3 k_1 r^2 = 0$, that is "
    r"until $r = 1/\sqrt{-3k_1}$ ($0.577$ for $k_1 = -1$), and falls afterwards: two different rays land on one pixel. "
    "The map *folds*. Beyond the fold nothing can be undone, by no software.",
)

# %% [markdown]
# **Your own camera.** `demo_lens.lens_demo(device, calibration="camera.yaml")` makes a button of your own lens, here
# and in section 3. It reads what OpenCV's calibration writes (YAML or JSON) and ROS's `camera_info`. OpenCV's order is
# $(k_1, k_2, p_1, p_2, k_3)$; `distortion.from_opencv` puts it into ours. A fisheye follows another formula, and is
# refused.
#
# Without a kernel, two sweeps as figures. Radial first, then tangential:

# %%
show(figures.radial_sweep())
show(figures.tangential_sweep())

# %% [markdown]
# ## 2. Where does a lens fold?
#
# With five coefficients no formula gives the radius of the fold, but there is a fact that makes it easy. Write
# $q = (p_2, p_1)$. Then the lens is $D(\mathbf{x}) = \mathbf{x}\,R(r^2) + 2\mathbf{x}\,(q\cdot\mathbf{x}) + q\,r^2$,
# and this is the gradient of the scalar function $\tfrac12\int_0^{r^2}\! R(u)\,du + (q\cdot \mathbf{x})\,r^2$.
# So its Jacobian is *symmetric*; and a gradient map whose Jacobian is positive definite on a disc is one-to-one there.
# In the middle it is the identity. An eigenvalue that turns negative farther out must pass zero, and there the
# determinant, the product of both eigenvalues, is zero. So to know whether a lens folds we only need the smallest
# determinant on every circle, and *that* has a closed form:

# %%
source(distortion.folds)

# %% [markdown]
# This matters for training. The paper (Cho et al., ICCV 2021) draws $k_1, k_2, k_3 \sim U[-\lambda_1, \lambda_1]$ and
# $p_1, p_2 \sim U[-\lambda_2, \lambda_2]$, and does not give the limits. Many such lenses fold.
#
# > **Predict.** With $\lambda_1 = 0.5$ (and $\lambda_2 = 0.05$), what share of random lenses folds somewhere within
# > $r \le 1$?

# %%
share_guess = predict(Scale(0, 100, 1, "%"))
share_guess

# %%
limits = [0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.4]
shares = figures.fold_shares(limits, (0.8, 1.0), SEED)
with share_guess.covered():
    show(figures.fold_figure(limits, shares))

# %%
within = {radius: values[limits.index(0.5)] for radius, values in shares.items()}
share_guess.answer(
    float(within[1.0]),
    f"At $\\lambda_1 = 0.5$ **{within[1.0]:.0f} %** fold within $r \\le 1$, and {within[0.8]:.0f} % within 0.8.",
)

# %% [markdown]
# **What follows.** A folded training example is a lie (two poses, one
# picture), so `sample_uniform` and `sample_stratified` draw again. *Ours*, because the paper is silent:
# $\lambda_1 = 1.4$, $\lambda_2 = 0.15$, no fold within $r \le 0.8$; one or two joints in a thousand of our training
# footage lie farther out.

# %%
print(f"λ1 = {distortion.RADIAL_LIMIT}, λ2 = {distortion.TANGENTIAL_LIMIT}, no fold within {distortion.FOLD_RADIUS}")
for name, preset in distortion.PRESETS.items():
    kind = "barrel" if demo_lens.radius_curve(preset * torch.tensor([1, 1, 1, 0, 0]))[1][40] < 0.5 else "pincushion"
    print(f"{name}: {kind:10s}", [round(v, 3) for v in preset.tolist()])

# %% [markdown]
# ## 3. The lifter meets a lens
#
# Now a person walks past the camera. A simulated detector reports 17 joints in every frame, with errors as real
# detectors make them: more at the wrists than at the hips, lasting for several frames, now and then left and right
# exchanged. A temporal network of 9 frames (VideoPose3D's architecture, lesson 04) turns them into a 3D skeleton.
# It was trained on undistorted footage only.
#
# Three numbers say how wrong it is. **MPJPE**: the mean distance of a joint from the truth, after the pelvis of the
# one is laid on that of the other. **P-MPJPE**: the same after the best rotation and scale, so only the *shape* counts.
# **PCKh** (at 0.5): the share of joints that are nearer than half a head segment (thorax to head top) to the truth, in
# 3D.
#
# > **Predict.** Which hurts more, barrel or pincushion of the same strength, $k_1 = -0.5$ or $k_1 = +0.5$ alone? And
# > how much of the harm does P-MPJPE forgive: a quarter, half, nearly all?

# %%
WORSE, FORGIVEN = "which hurts more?", "P-MPJPE forgives"
harm_guess = predict({WORSE: ["barrel", "pincushion", "no clear difference"], FORGIVEN: Scale(0, 100, 5, "%")})
harm_guess

# %% [markdown]
# *Mean pose, blind* is a lifter that looks at nothing: it always answers with the average pose of the people who were
# trained on. Who is worse than that would do better not to look.

# %%
lifter = demo_lens.lifter_demo(MOTION, SEED, device=device)
lifter

# %% tags=["demo-test"]
errors = {}
for name, values in lifter.presets.items():
    lifter.set(**values).check()
    errors[name] = lifter.arrays["score"].mpjpe
if MOTION == "builtin":
    assert errors["d2 pincushion, heavy"] > 1.5 * errors["no lens"], errors
    assert errors["d1 barrel, heavy"] > 1.2 * errors["no lens"], errors
    assert errors["a phone"] < 1.05 * errors["no lens"], errors
lifter.set(**lifter.presets["d2 pincushion, heavy"]).check()
assert lifter.arrays["gone"][0] > 0 or MOTION != "builtin", "the pincushion pushes joints out of the image"
print("the lifter demo moves")

# %% [markdown]
# **What you saw.** The detector works as well as before, and yet the skeleton leans and stretches: the network learned
# that *this much* foreshortening means *that* depth, and this size means that distance. The lens changes both. Press
# play: the error is no noise. It is largest where the person is far from the middle, and falls when they walk towards
# it. What is systematic can be learned.
#
# One thing is not as before. Behind d2 a part of the body leaves the image, and the sentence above the picture counts
# it. Our detector is simulated, and goes on where no sensor is. Set *beyond the edge* to *as last seen*: a joint that
# leaves the image then stays where it was last seen.
#
# Now the predictions, on many people: the same strength with both signs, and what is left of the harm if the answer may
# be scaled and turned. All differences are paired: the same people, viewpoints and detector errors.

# %%
model = checkpoints.load("plain-9f", device)
tests = [
    LensTest(splits.adaptation_split(MOTION, seed), seed, clips=CLIPS, calibration_clips=1, device=device)
    for seed in tqdm(SEEDS, desc="people")
]
SAME = {"no lens": 0.0, "barrel, k1 = −0.5": -0.5, "pincushion, k1 = 0.5": 0.5}
same = {
    name: [results.measure(model, test, torch.tensor([k1, 0, 0, 0, 0])) for test in tests] for name, k1 in SAME.items()
}
barrel, pincushion = list(SAME)[1:]
worse, told = results.harder(same, barrel, pincushion)
forgiven = {name: results.forgiven(same, name) for name in (barrel, pincushion)}
with harm_guess.covered():
    display(Markdown(results.growth_table(same)))

# %%
harm_guess.answer(
    {WORSE: worse.partition(",")[0] or "no clear difference", FORGIVEN: forgiven[pincushion]},
    f"{told}.\n\nP-MPJPE forgives {forgiven[barrel]:.0f} % of the growth behind the barrel and "
    f"{forgiven[pincushion]:.0f} % behind the pincushion (the mark).",
)

# %% [markdown]
# As a static figure, one frame while the pincushion grows:

# %%
show(figures.strength_sweep(MOTION, SEED, distortion.PRESETS["d2"]))

# %% [markdown]
# Why does the place in the image matter? The same pose at another distance from the principal point is bent
# differently. This is also why **the keypoints must never be re-centred on the hip before the network sees them**: the
# radius is the main cue to the lens.

# %% [markdown]
# ## 4. The paper's first table, on ours
#
# The paper (Cho et al., ICCV 2021) opens with a table: an off-the-shelf lifter on Human3.6M, undistorted and through
# two lenses. We ask the same of our lifter, with people and motions that it has never seen. The four test lenses
# d1 … d4 are *ours*: each was made so strong that the error on **validation** people grows by the paper's factor
# (`python -m tutorial_lib.lessons.camera_distortion.calibrate`).
# Whether it grows as much on **test** people is what we measure here.

# %%
LENSES = {"no lens": torch.zeros(5), **lenses.REAL, **distortion.PRESETS}
measured = {
    name: [results.measure(model, test, lens) for test in tests] for name, lens in tqdm(LENSES.items(), desc="lenses")
}
blind = [results.blind(test) for test in tests]
Markdown(results.score_table(measured, blind))

# %%
scores = {name: [one.score for one in per_seed] for name, per_seed in measured.items()}
show(figures.score_bars(scores | {"mean pose": blind}))

# %% [markdown]
# Real lenses cost little, and even behind d2 it is better to look than to answer with the mean pose. What kind of harm
# is it, and what leaves the image?

# %%
Markdown(results.growth_table(measured))

# %%
Markdown(results.edge_table(measured))

# %% [markdown]
# **What you saw.** About half of the harm is a wrong turn of the whole skeleton: the best scale alone forgives next to
# nothing, scale and rotation forgive half. The other half is shape. And joints that leave the image are no small print:
# behind d2 nearly half of all frames have one. When they stay where they were last seen, the error is *smaller*. A
# likely reason, not tested: the network was never shown a joint beyond the edge. So a good part of the harm that d2
# does here comes from places that no sensor shows; behind the barrels, whose pictures shrink, next to nothing does. The
# tables of this lesson and the next keep to the simulation that goes on, as synthetic distortion of keypoints does.

# %% [markdown]
# ## Claim cards
#
# A card puts the paper's figure beside ours and computes its own verdict. Seeds here are *test* seeds: other people,
# viewpoints and detector errors each time, one trained network.


# %%
def column(name, metric="mpjpe"):
    """One number per seed."""
    return np.array([getattr(score, metric) for score in scores[name]])


def growth(name, metric="mpjpe"):
    """How many times the error without a lens, per seed: paired."""
    return column(name, metric) / column("no lens", metric)


record(
    Claim(
        "heavy",
        LESSON,
        "Behind a heavy lens the error of a lifter that never saw one grows by more than half, behind d2 more than "
        "behind d1.",
        "Cho et al. 2021, table in the introduction (error relative to undistorted)",
        paper={"MPJPE, d1": 1.95, "MPJPE, d2": 2.76, "MPJPE, d2 - d1": 0.81, "P-MPJPE, d1": 1.77, "P-MPJPE, d2": 2.13},
        ours={
            "MPJPE, d1": growth("d1"),
            "MPJPE, d2": growth("d2"),
            "MPJPE, d2 - d1": growth("d2") - growth("d1"),
            "P-MPJPE, d1": growth("d1", "p_mpjpe"),
            "P-MPJPE, d2": growth("d2", "p_mpjpe"),
        },
        test=lambda m: all_hold(
            is_above(m["MPJPE, d1"], 1.5), is_above(m["MPJPE, d2"], 1.5), is_above(m["MPJPE, d2 - d1"])
        ),
        explanation="The strength of the lenses is ours, set on validation people so that MPJPE grows as in the paper "
        "there. What is measured here is that it carries over to people and motions never seen, and how much of the "
        "damage is shape (P-MPJPE; not part of the sentence).",
        if_undecided="The interval of one of the first three rows holds its limit: more seeds would tell.",
        unit="×",
    )
)

# %%
record(
    Claim(
        "moderate",
        LESSON,
        "Also a moderate lens costs about a third: the error grows by a quarter to a half.",
        "Cho et al. 2021, table 2, scenario 2, row Pavllo et al. (mean of d3 and d4 over undistorted)",
        paper={"MPJPE, d3 and d4": 1.33},
        ours={"MPJPE, d3 and d4": (growth("d3") + growth("d4")) / 2},
        test=lambda m: is_within(m["MPJPE, d3 and d4"], 1.25, 1.5),
        explanation="Strength set on validation people, as above. What counts as about a third is ours.",
        if_not="On test people these lenses do more harm than on the validation people who set their strength.",
        if_undecided="The interval holds one of the limits: test people differ, and more of them would tell.",
        unit="×",
    )
)

# %%
FALL = {name: column(name, "pckh") - column("no lens", "pckh") for name in ("d1", "d2")}
record(
    Claim(
        "pckh",
        LESSON,
        "The share of correct joints falls by 29 points behind d1 and by 49 behind d2, to within 5 points.",
        "Cho et al. 2021, table in the introduction (PCKh@0.5, change against undistorted)",
        paper={"d1": -29.4, "d2": -48.9, "d2 - d1": -19.5},
        ours=FALL | {"d2 - d1": FALL["d2"] - FALL["d1"]},
        test=lambda m: all_hold(is_within(m["d1"], -34.4, -24.4), is_within(m["d2"], -53.9, -43.9)),
        explanation="The last row says that it falls more behind d2. The paper does not say which head segment it "
        "uses; ours is thorax to head top, and the lenses were made to match the paper in MPJPE, not in PCKh.",
        if_not="It falls, but less far than in the paper.",
        if_undecided="It falls; whether as far as in the paper, these seeds do not tell.",
        unit="points",
    )
)

# %% [markdown]
# ## Exercises
#
# Each has a check that says what it expected. Replace the part between the marks.
#
# **1. Radial distortion** (5 minutes). Write the $k_1$ term for points of any leading shape.


# %%
def radial(points, k1):
    """(..., 2) focal-normalised points through a lens with k1 alone."""
    ### BEGIN SOLUTION
    return points * (1 + k1 * (points**2).sum(-1, keepdim=True))
    ### END SOLUTION


checks.radial(radial)

# %% [markdown]
# **2. The first fold** (10 minutes). For a lens with $k_1$ alone: at which radius does it fold? *Hint: sketch
# $r(1 + k_1 r^2)$.*


# %%
def first_fold(k1):
    """Radius of the first fold; float("inf") if there is none."""
    ### BEGIN SOLUTION
    return (-1 / (3 * k1)) ** 0.5 if k1 < 0 else float("inf")
    ### END SOLUTION


checks.first_fold(first_fold)

# %% [markdown]
# **3. Undistortion without derivatives** (15 minutes). The library inverts the lens with Newton's method. A simpler
# way: start at the distorted point and correct it by what is missing, again and again. When does this converge?


# %%
def fixed_point(seen, lens, steps):
    """Undistorted points after `steps` corrections x ← x + (seen − distort(x))."""
    ### BEGIN SOLUTION
    points = seen
    for _ in range(steps):
        points = points + (seen - distortion.distort(points, lens))
    return points
    ### END SOLUTION


checks.fixed_point(fixed_point)

# %% [markdown]
# ## Break it
#
# Ask for the impossible: undo a lens behind its fold. The library refuses and says what to look at, instead of
# returning a point that never was.

# %%
folding = torch.tensor([-1.0, 0, 0, 0, 0])
outermost = 1 / np.sqrt(3) * (1 - 1 / 3)  # the farthest pixel that any ray reaches
try:
    distortion.undistort(torch.tensor([[1.01 * outermost, 0.0]]), folding)
except ValueError as problem:
    print(problem)

# %% [markdown]
# ## Summary
#
# 1. A lens is five numbers: three radial (along the ray), two tangential (a lens that sits askew).
# 2. The map is a gradient, so it is one-to-one on every disc on which its symmetric Jacobian stays positive definite.
# 3. Random lenses often fold; folded examples must not be trained on.
# 4. Behind a heavy lens a lifter's error is nearly two or three times as large, although the detector errs no more than
#    before. Half of the growth is shape; behind d2 a good part comes from joints that no sensor would see. Real lenses
#    cost little.
# 5. The error is systematic, so a network can learn to undo it. Lesson 06 shows how, in a few steps.
#
# ## Further reading
#
# - H. Cho, Y. Cho, J. Yu, J. Kim: *Camera Distortion-aware 3D Human Pose Estimation in Video with Optimization-based
#   Meta-Learning*, ICCV 2021.
# - D. C. Brown: *Decentering distortion of lenses*, Photogrammetric Engineering, 1966.
# - D. Pavllo, C. Feichtenhofer, D. Grangier, M. Auli: *3D human pose estimation in video with temporal convolutions
#   and semi-supervised training*, CVPR 2019.

# %% [markdown]
# # 04 · What do the frames before and after tell about this one?
#
# **You will** take a network apart that looks at 27 or 243 frames at once, see which frames one output really depends
# on, play its skeletons beside the truth, and train on video that has no labels.
#
# **You will learn** dilated temporal convolutions, receptive fields, why one set of weights has two forms, how the
# papers count errors (protocols 1, 2, 3 and velocity), and how back-projection and bone lengths replace labels.
#
# **You need** convolutions, a camera's projection, a little PyTorch. **Time:** 60 minutes, 35 without the exercises.
#
# The *lifter* of this lesson (2D keypoints over time in, a 3D pose out) is the network that lessons 05 and 06 put
# behind distorting lenses. It is VideoPose3D (Pavllo et al., CVPR 2019), weight for weight.

# %%
import numpy as np
import torch
from IPython.display import Markdown
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.datasets.videos import videos_under_test
from tutorial_lib.display.claims import Claim, certainly_below, record
from tutorial_lib.display.preview import show, source
from tutorial_lib.display.tables import table
from tutorial_lib.lessons.temporal_lifting import (
    checks,
    demo_architecture,
    demo_few_labels,
    demo_forms,
    demo_lifting,
    experiment,
    figures,
    figures_architecture,
    recipes,
)
from tutorial_lib.lifting import (
    SingleFrameLifter,
    TemporalLifter,
    count_parameters,
    flops_per_frame,
    inference,
    lift_videos,
    semi_supervised,
)
from tutorial_lib.metrics import by_action
from tutorial_lib.metrics.by_action import per_action

# %% tags=["parameters"]
PROFILE = "quick"  # "quick": shipped networks, a minute. "full": trains all of them again, for hours
SEED = 0
DEVICE = "auto"  # where "full" trains: "cuda" where there is one; demos and tests run on the CPU
MOTION = "builtin"  # or a motion file; or Human3.6M's data_3d_h36m.npz (see section 7)
TRUST_PICKLE = False  # Human3.6M's files are pickles: True lets them run any code that their author put in

# %%
torch.manual_seed(SEED)
torch.set_num_threads(1)  # small networks: a second thread wins little, and costs much where others are at work
SEEDS = range(SEED, SEED + (5 if PROFILE == "quick" else 20))
LESSON = "04_temporal_lifting"
FOLDER = checkpoints.FOLDER
if PROFILE == "full":
    FOLDER = experiment.train_all("full", SEED, DEVICE, MOTION, trust=TRUST_PICKLE)
print(f"{PROFILE} profile, {len(SEEDS)} seeds")

# %% [markdown]
# ## 1. One frame is not enough
#
# A detector reports 17 joints in every frame of a video. Which 3D pose made them? From one frame alone there is no
# answer, only a guess: an arm that points at you and an arm that points away from you look the same, and the detector's
# error changes from frame to frame, so the guess trembles. The frames around it help with both. The question is how a
# network should look at them.
#
# A convolution over time looks at three neighbouring frames. Stack a second one on it, and it sees five; to see 243
# frames you would need 121 layers. VideoPose3D *dilates* instead: the second convolution looks at every third result
# of the first, the third at every ninth. The part of the input that one output can depend on is its **receptive
# field**.
#
# > **Predict.** Three layers of width 3, dilations 1, 3, 9: how many frames? And with five layers?
#
# The demo builds the network that you ask for and finds out *by its gradient* which input frames the marked output
# depends on; no formula is asked.

# %%
architecture = demo_architecture.architecture_demo()
architecture

# %% tags=["demo-test"]
for layers in (1, 2, 3, 4, 5):
    architecture.set(layers=layers, width=3, dilated=True, causal=False).check()
    assert architecture.arrays["field"] == 3**layers
architecture.set(layers=4, dilated=False).check()
assert architecture.arrays["field"] == 9  # without dilation it grows by two a layer
architecture.reset().check()
print("the architecture demo moves")

# %% [markdown]
# **What you saw.** With dilation the field multiplies by the width at every layer: $F = \prod_i w_i$, that is
# $3^5 = 243$; without it, it only adds, $F = 1 + \sum_i (w_i - 1)$. Five layers see 4.9 seconds of video. The
# convolutions alone reach every frame of the field by exactly one path: no gaps, nothing twice. The residual
# connections add paths of their own, which is why frames near the middle count more often.
#
# A **causal** network may not look into the future, for use while the video is still running. It is the same network
# with the output moved to the last frame of its field.

# %%
show(figures_architecture.depth_sweep())
show(figures_architecture.growth_figure())

# %% [markdown]
# ## 2. One set of weights, two forms
#
# In a long video, neighbouring outputs share most of their work: slide the dilated network along, and every
# intermediate result is computed once. For *training*, we want many random windows from many videos instead, each with
# one output. Then nearly all intermediate results of the dilated form would be thrown away, and a second form computes
# only what is needed: a convolution whose *stride* equals its width. And a convolution whose stride equals its width is
# no convolution any more: three frames side by side, times a matrix.

# %%
source(TemporalLifter._sequence)
source(TemporalLifter._windows)

# %% [markdown]
# > **Predict.** Same weights, same 27 frames: how far apart are the two outputs? And which form does less work for a
# > clip of 27 frames, and which for a minute of video?

# %%
forms = demo_forms.two_forms_demo("builtin", SEED)
forms

# %% tags=["demo-test"]
for length in (3, 60):
    forms.set(length=length).check()
    assert forms.arrays["difference"] < 1e-4
work = forms.arrays["work"]
assert work["sequence"] < work["windows"]  # a long clip: neighbours share
forms.set(length=3).check()
assert forms.arrays["work"]["windows"] < forms.arrays["work"]["sequence"]
forms.reset().check()
print("the demo of the two forms moves")

# %% [markdown]
# **What you saw.** The same numbers up to rounding. For a clip of a few frames the windows are cheaper; from about
# seven frames on, sharing wins.
#
# Two more details of VideoPose3D, both one line long:
#
# - **Edge padding.** The field of the first frame reaches back before the video began; the first frame is repeated
#   there (`lifting.pad_edges`).
# - **Mirror augmentation.** A mirrored person is another possible person. Mirroring changes the sign of $x$ *and*
#   exchanges left and right joints; twice is nothing (an *involution*). In training half the windows are mirrored; at
#   test time one can lift both the video and its mirror image, mirror the second result back, and average.

# %%
source(inference.flip)
source(inference.lift_flipped_average)

# %% [markdown]
# ## 3. Lift a video
#
# Six networks, trained alike (same footage, same number of windows), with receptive fields from 1 to 243 frames. The
# one-frame network is that of Martinez et al. (2017): linear layers only, two residual blocks. *Ours*: all are narrower
# than in the papers (128 channels, the single-frame network 256 so that it has as many parameters as the
# 243-frame network), and the detector is simulated; its errors last for several frames, as real ones do. Nobody in
# this video was trained on, and neither was the motion.
#
# > **Predict.** Set the detector's noise to 0. Does time still help? Set it to 3. Which of the two errors, joint
# > position or jitter, profits more from time?

# %%
lifting_demo = demo_lifting.lifting_demo(MOTION, SEED, FOLDER, trust=TRUST_PICKLE)
lifting_demo

# %% tags=["demo-test"]
lifting_demo.set(noise=3.0, network="243 frames").check()
worse = lifting_demo.arrays
lifting_demo.set(noise=0.0).check()
if MOTION == "builtin":
    assert worse["mpjpe"]["243 frames"] > lifting_demo.arrays["mpjpe"]["243 frames"]
    assert worse["velocity"]["243 frames"] < 0.5 * worse["velocity"]["1 frame"]
lifting_demo.reset().check()
print("the lifting demo moves")

# %% [markdown]
# **What you saw.** Press play with the noisy detector: the red skeleton (one frame) trembles, the blue one does not.
# *Jitter* is measured by the **velocity error**: how much a joint's step from frame to frame differs from the true
# step.

# %%
video = videos_under_test(MOTION, SEED, 2.0, trust=TRUST_PICKLE)[0]
networks = demo_lifting.load_networks(FOLDER)
show(demo_lifting.stills(video, {name: networks[name] for name in ("1 frame", "81 frames")}, [20, 35, 50, 65, 80]))

# %% [markdown]
# ## 4. As the papers count it
#
# **Protocol 1** (MPJPE): mean joint distance, hips on one spot. **Protocol 2** (P-MPJPE): after the best rotation,
# scale and shift. **Protocol 3** (N-MPJPE): after the best scale only. **Velocity** (MPJVE): MPJPE of the steps from
# frame to frame. The papers average over the frames of an *action* first, and then over actions.
#
# Human3.6M tests new people (S9, S11) who do what the others did in training. We hold that test (*known motions*), and
# a harder one, where the motions are new as well. Every network sees the same videos.

# %%
NOISES = (0.0, 1.0, 3.0)
NETWORKS = demo_lifting.NETWORKS
LIMIT = 10 if PROFILE == "quick" else 200
tested = {}  # (noise, network) -> one result per seed, new motions
known = {}  # network -> one result per seed, known motions
for seed in tqdm(SEEDS, desc="seeds"):
    for noise in NOISES:
        taken = videos_under_test(MOTION, seed, noise, trust=TRUST_PICKLE, limit=LIMIT)
        for name, model in networks.items():
            tested.setdefault((noise, name), []).append(per_action(lift_videos(model, taken)))
    taken = videos_under_test(MOTION, seed, known=True, trust=TRUST_PICKLE, limit=2 * LIMIT)
    for name, model in networks.items():
        known.setdefault(name, []).append(per_action(lift_videos(model, taken)))
ordinary = {name: known[name][0] for name in NETWORKS}
table(ordinary)

# %%
table(ordinary, "p_mpjpe")

# %%
table(ordinary, "n_mpjpe")

# %%
table(ordinary, "mpjve")

# %%
show(figures.noise_figure(tested, NOISES))

# %% [markdown]
# ## 5. Labels are expensive, video is not
#
# A motion-capture hall gives 3D labels; a camera in the street gives none. VideoPose3D learns from both at once:
#
# $$L = \underbrace{\mathrm{MPJPE}(\hat P, P)}_{\text{pose, labelled}}
#   + \underbrace{\tfrac{1}{z}\lVert\hat T - T\rVert}_{\text{trajectory, labelled}}
#   + \underbrace{\lVert\pi(\hat P + \hat T) - p\rVert}_{\text{back-projection, no label}}
#   + \underbrace{\tfrac{1}{|B|}\textstyle\sum_b\big|\overline{\ell_b}^{\,lab}
#   - \overline{\ell_b}^{\,unlab}\big|}_{\text{bone lengths, no label}}$$
#
# A second network, the *trajectory model*, says where the hip is before the camera; then pose and place together can be
# projected back into the picture, $\pi$, and there the keypoints $p$ are known. This needs the camera's *intrinsics*
# (focal length, principal point, lens), not its place in the room.

# %%
source(semi_supervised.joint_losses)

# %% [markdown]
# > **Predict.** Make the guess 1.4 times as large and put it 1.4 times as far away. Which of the losses objects? Then
# > turn it by 40 degrees.

# %%
explain = demo_few_labels.explain_demo(videos_under_test("builtin", SEED, 0.0)[0], 60)
explain

# %% tags=["demo-test"]
explain.set(size=1.4, distance=1.4, turn=0).check()
losses = explain.arrays["losses"]
assert losses["reprojection, linear"] < 1e-5 and losses["bones, L1"] > 0.05
explain.set(size=1.0, distance=1.0, turn=40).check()
losses = explain.arrays["losses"]
assert losses["reprojection, linear"] > 0.01 and losses["bones, L1"] < 1e-5
explain.set(turn=0, lens="d2 pincushion").check()
losses = explain.arrays["losses"]
assert losses["reprojection, linear"] > 0.01 and losses["reprojection, with the lens"] < 1e-5
explain.reset().check()
print("the loss demo moves")

# %% [markdown]
# **What you saw.** A giant far away and a dwarf nearby cast the same picture: back-projection is blind to scale, and
# the bone term is what holds it. A turned body has the right bones, and the picture objects. With a lens, the *linear*
# projection objects to the truth itself.
#
# **L1 or L2?** The paper's text calls the bone term an L2 loss; its code takes the mean absolute difference (L1) of the
# *batch means*. The difference matters near the goal: the slope of L2 fades, that of L1 does not.

# %%
source(semi_supervised.bone_length_loss)
show(figures.norm_figure())

# %% [markdown]
# **Warm-up.** $\pi$ clamps $x/z$ to $[-1, 1]$, because an untrained trajectory model may put the person behind the
# camera. Where the clamp acts, the gradient is zero: back-projection cannot repair a place that is very wrong. So for
# the first part of the training (ours: a fifth) only labelled terms count.
#
# ## 6. How many labels are enough?
#
# Five pairs of pose networks (27 frames, 64 channels, true keypoints as in the paper's experiment). Each pair had
# labels for a share of the training footage, one person's after the other's (the recording's many unidentified actors
# count as one person); the second of each pair also saw *all* the footage without labels.

# %%
share = demo_few_labels.share_demo(videos_under_test(MOTION, SEED, 0.0, trust=TRUST_PICKLE)[:5], FOLDER)
share

# %% tags=["demo-test"]
share.set(share=1.0).check()
everything = share.arrays["errors"][1.0, "labels only"]
share.set(share=0.01).check()
if MOTION == "builtin":
    assert share.arrays["errors"][0.01, "labels only"] > everything
share.reset().check()
print("the few-labels demo moves")

# %%
few = {}  # network -> MPJPE and N-MPJPE in mm, one per seed
FEW = [recipes.few_name(s, semi) for s in recipes.SHARES for semi in (False, True)]
FEW += [recipes.few_name(recipes.L2_SHARE, True, "l2")]
few_models = {name: checkpoints.load(f"temporal/{name}", folder=FOLDER) for name in FEW}
for seed in tqdm(SEEDS, desc="seeds"):
    taken = videos_under_test(MOTION, seed, 0.0, trust=TRUST_PICKLE, limit=10 if PROFILE == "quick" else 200)
    for name, model in few_models.items():
        few.setdefault(name, []).append(per_action(lift_videos(model, taken)))
show(figures.share_figure(few))

# %% [markdown]
# ## 7. Your own video, and Human3.6M
#
# `keypoint_files.load` reads the COCO-17 keypoints that detectors write (JSON), and VideoPose3D's custom `npz`. Here a
# file is made on the spot as a detector would write it, read again, and lifted; put your own file in its place. The
# networks were trained at 50 frames a second, so a video at another rate is resampled to 50 before it is lifted.

# %%
tracks = figures.example_tracks(SEED)
own = demo_lifting.own_video_demo(tracks, folder=FOLDER)
own

# %% tags=["demo-test"]
own.set(network="81 frames").check()
assert own.arrays["pose"].shape[1:] == (17, 3) and torch.isfinite(own.arrays["pose"]).all()
own.reset().check()
print("the own-video demo moves")

# %% [markdown]
# **Human3.6M** may not be passed on, but if you have it as VideoPose3D's `data_3d_h36m.npz` (and, beside it, a
# `data_2d_h36m_*.npz` of detections), set `MOTION` to it and `TRUST_PICKLE = True`. Then sections 3, 4 and 6 test on S9
# and S11 with their four cameras (S11's take *Directions* is dropped, its video is corrupted), and
# `PROFILE = "full"` trains on S1, S5, S6, S7, S8: the paper's protocol.
#
# ## Claim cards
#
# Seeds are *test* seeds: other people, viewpoints and detector errors each time; one trained network of each kind.


# %%
def average(results, metric="mpjpe"):
    """The mean over actions, one number per seed."""
    return np.array([by_action.average(errors, metric) for errors in results])


LONGER = ("9 frames", "27 frames", "81 frames", "243 frames")
record(
    Claim(
        "more-frames",
        LESSON,
        "More frames are better: a temporal network beats a single-frame network (new people, known motions).",
        "Pavllo et al. 2019, table 1a (protocol 1, Human3.6M: 51.8 with one frame, 46.8 with 243) and README (27, 81)",
        paper={"27 frames": -5.8, "81 frames": -7.9, "243 frames": -9.7},
        ours={name: 100 * (average(known[name]) / average(known["1 frame"]) - 1) for name in LONGER},
        test=lambda m: (
            certainly_below(m["27 frames"]) and certainly_below(m["81 frames"]) and certainly_below(m["243 frames"])
        ),
        explanation="Change against one frame. Holds when 27, 81 and 243 frames are each certainly better (paired over "
        "seeds). All had the same number of training steps, which is short for the longest.",
        unit="%",
    )
)

# %%
record(
    Claim(
        "new-motions",
        LESSON,
        "The same, when the motions are new as well (ours: harder than the papers' protocol).",
        "no paper: Human3.6M's test subjects do what the training subjects did",
        paper={},
        ours={name: 100 * (average(tested[1.0, name]) / average(tested[1.0, "1 frame"]) - 1) for name in LONGER},
        test=lambda m: (
            certainly_below(m["27 frames"]) and certainly_below(m["81 frames"]) and certainly_below(m["243 frames"])
        ),
        explanation="Change against one frame. What a network has learned about the course of a motion helps with that "
        "motion; with new ones, most of the error is the unfamiliar pose, and time mends only the detector's tremble.",
        unit="%",
    )
)

# %%
record(
    Claim(
        "causal",
        LESSON,
        "Doing without the future costs a little.",
        "Pavllo et al. 2019, table 1a: 49.0 causal against 46.8 mm, 243 frames (+4.7 %)",
        paper={"243 frames": 4.7},
        ours={"27 frames": 100 * (average(tested[1.0, "27, causal"]) / average(tested[1.0, "27 frames"]) - 1)},
        test=lambda m: all(values.mean() < 25 and not certainly_below(values) for values in m.values()),
        explanation="Holds when causal is not certainly better, and less than a quarter worse. The paper's number is "
        "for 243 frames.",
        unit="%",
    )
)

# %%
gain = {noise: average(tested[noise, "1 frame"]) - average(tested[noise, "81 frames"]) for noise in NOISES}
record(
    Claim(
        "bad-detector",
        LESSON,
        "Time helps most where the detector is worst.",
        "follows from Pavllo et al. 2019, section 6 (no table)",
        paper={},
        ours={f"gain of 81 frames over 1, noise {noise:g}": gain[noise] for noise in NOISES},
        test=lambda m: certainly_below(gain[NOISES[0]] - gain[NOISES[-1]]),
        explanation="Holds when the gain with the worst detector is certainly larger than with a perfect one.",
        unit="mm",
    )
)

# %%
record(
    Claim(
        "velocity",
        LESSON,
        "The velocity error falls by three quarters.",
        "Pavllo et al. 2019, table on velocity error: 76 % lower on average than single-frame",
        paper={"243 frames": -76.0},
        ours={name: 100 * (average(known[name], "mpjve") / average(known["1 frame"], "mpjve") - 1) for name in LONGER},
        test=lambda m: certainly_below(m["243 frames"], -50),
        explanation="Holds when the whole interval is below -50 %: the paper's order of size. How much jitter there is "
        "to remove depends on the detector, which is ours.",
        unit="%",
    )
)

# %%
pairs = {s: [recipes.few_name(s, semi) for semi in (False, True)] for s in recipes.SHARES}
record(
    Claim(
        "few-labels",
        LESSON,
        "With few labels, unlabelled video helps.",
        "Pavllo et al. 2019, README of its code: 10 % of S1 labelled, 80.7 supervised, 65.2 semi-supervised (-19 %)",
        paper={"1 %": None, "3 %": -19.2},
        ours={
            f"{100 * s:g} %": 100 * (average(few[semi]) / average(few[supervised]) - 1)
            for s, (supervised, semi) in pairs.items()
        },
        test=lambda m: certainly_below(m["1 %"]) and certainly_below(m["3 %"]),
        explanation="Holds when it certainly helps at 1 % and at 3 %. Ten per cent of one of five training subjects is "
        "about 2 % of the paper's footage. With all labels there is nothing left to win.",
        unit="%",
    )
)

# %%
l1, l2 = (few[recipes.few_name(recipes.L2_SHARE, True, norm)] for norm in ("l1", "l2"))
record(
    Claim(
        "bone-norm",
        LESSON,
        f"The bone term: L1, as in the code, against L2, as in the text ({100 * recipes.L2_SHARE:g} % labels).",
        "Pavllo et al. 2019: the text says L2, the code computes L1 (no table)",
        paper={},
        ours={"L1": average(l1), "L2": average(l2), "L2 - L1": average(l2) - average(l1)},
        test=lambda m: not certainly_below(m["L2 - L1"]),
        explanation="Holds when L2 is not certainly better. One training each: a small difference may be luck.",
        unit="mm",
    )
)

# %% [markdown]
# Sizes are counted at the paper's width, where they must agree to the last parameter:

# %%
# NBVAL_CHECK_OUTPUT
print(f"  1 frame,  Martinez et al.: {count_parameters(SingleFrameLifter()):10,d} parameters")
for frames in (27, 81, 243):
    wide = TemporalLifter(frames)
    flops = flops_per_frame(wide) / 1e6
    print(f"{frames:3d} frames: {count_parameters(wide):10,d} parameters, {flops:.2f} MFLOPs a frame")

# %%
sizes = {f"{frames} frames": TemporalLifter(frames) for frames in (27, 81, 243)}
record(
    Claim(
        "size",
        LESSON,
        "8.56, 12.75 and 16.95 million parameters; 17.09, 25.48 and 33.87 MFLOPs for one more frame.",
        "Pavllo et al. 2019, table on parameters and FLOPs",
        paper={
            "27 frames, parameters": 8.56, "81 frames, parameters": 12.75, "243 frames, parameters": 16.95,
            "27 frames, FLOPs": 17.09, "81 frames, FLOPs": 25.48, "243 frames, FLOPs": 33.87,
        },
        ours={
            **{f"{name}, parameters": [count_parameters(net) / 1e6] for name, net in sizes.items()},
            **{f"{name}, FLOPs": [flops_per_frame(net) / 1e6] for name, net in sizes.items()},
        },
        test=lambda m: np.allclose([v[0] for v in m.values()], [8.56, 12.75, 16.95, 17.09, 25.48, 33.87], atol=0.005),
        explanation="Counted, not measured: there is no spread.",
        unit="millions",
    )
)  # fmt: skip

# %% [markdown]
# ### And on real people?
#
# The networks were trained on invented *and* on real motion. The recording of real actors is not part of this
# repository; when the networks were trained, the same test was held with four actors that no training saw, and written
# into each checkpoint's JSON. Run this lesson with `MOTION` set to a motion file to measure it anew.

# %%
Markdown(figures.real_actor_table(FOLDER) + "\n\n" + checkpoints.CREDIT)

# %% [markdown]
# ## Exercises
#
# **1. The receptive field** (5 minutes). Filter widths in, frames out; with and without dilation.


# %%
def receptive_field(widths, dilated):
    """Frames that one output depends on; the dilation of a layer is the product of all widths before it, or 1."""
    ### BEGIN SOLUTION
    field, dilation = 1, 1
    for width in widths:
        field += (width - 1) * dilation
        if dilated:
            dilation *= width
    return field
    ### END SOLUTION


checks.receptive_field(receptive_field)

# %% [markdown]
# **2. The residual** (10 minutes). A valid convolution shortens its input by $(w - 1)\,d$ frames. What is added to its
# output must be cut to the same length, and belong to the same frames: the middle tap of the filter if the network is
# centred, the last tap if it is causal.


# %%
def residual_slice(x, width, dilation, causal):
    """The part of x (..., C, T) that is added to the output of a valid convolution of this width and dilation."""
    ### BEGIN SOLUTION
    lost = (width - 1) * dilation
    start = lost if causal else lost // 2
    return x[..., start : start + x.shape[-1] - lost]
    ### END SOLUTION


checks.residual_slice(residual_slice)

# %% [markdown]
# **3. Back-projection** (15 minutes). The loss that needs no label, with a linear camera.


# %%
def reprojection(pose, root, keypoints, focal, centre):
    """Mean distance between keypoints (B, 17, 2) and the projection of pose (B, 17, 3) + root (B, 1, 3).

    Clamp x/z and y/z to [-1, 1]; then multiply by focal (2,) and add centre (2,).
    """
    ### BEGIN SOLUTION
    place = pose + root
    plane = (place[..., :2] / place[..., 2:]).clamp(-1, 1)
    return (plane * focal + centre - keypoints).norm(dim=-1).mean()
    ### END SOLUTION


checks.reprojection(reprojection)

# %% [markdown]
# ## Break it
#
# Leave the warm-up out: put the person where an untrained trajectory model may put them, and look at how strongly
# back-projection pulls. *Predict where the curve is zero.*

# %%
show(figures.dead_gradient_figure(video))

# %% [markdown]
# ## Summary
#
# 1. Dilated convolutions multiply their receptive field at every layer: 243 frames with five layers, each used once.
# 2. The same weights run in two forms: slid over a video, or on windows, where a convolution becomes a matrix product.
# 3. Time removes the jitter first, and helps most where the detector is bad and the motion is known.
# 4. Back-projection turns video into a teacher, blind to scale; bone lengths give it the scale.
# 5. Unlabelled video helps when labels are few, and the gain fades as they become many.
#
# ## Further reading
#
# - D. Pavllo, C. Feichtenhofer, D. Grangier, M. Auli: *3D human pose estimation in video with temporal convolutions
#   and semi-supervised training*, CVPR 2019.
# - J. Martinez, R. Hossain, J. Romero, J. J. Little: *A simple yet effective baseline for 3D human pose estimation*,
#   ICCV 2017.
# - A. van den Oord et al.: *WaveNet: a generative model for raw audio*, 2016, where dilated convolutions in time began.

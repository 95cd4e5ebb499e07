# %% [markdown]
# # 04 · What do the frames before and after tell about this one?
#
# **You will** take a network apart that looks at 27 or 243 frames at once, see which frames one output really depends
# on, play its skeletons beside the truth, and train on video that has no labels.
#
# **You will learn** dilated temporal convolutions, receptive fields, why one set of weights has two forms, how the
# papers count errors (protocols 1, 2, 3 and velocity), and how back-projection and bone lengths replace labels.
#
# **You need** convolutions, a camera's projection, a little PyTorch. **Time:** 75 minutes, 45 without the exercises.
#
# The *lifter* of this lesson (2D keypoints over time in, a 3D pose out) is the network that lessons 05 and 06 put
# behind distorting lenses. It is VideoPose3D (Pavllo et al., CVPR 2019), weight for weight.

# %%
import numpy as np
import torch
from IPython.display import Markdown, display
from tqdm.auto import tqdm

from tutorial_lib import checkpoints
from tutorial_lib.datasets.videos import videos_under_test
from tutorial_lib.display.claims import Claim, all_hold, is_above, is_below, plus_minus, record
from tutorial_lib.display.predict import Scale, predict
from tutorial_lib.display.preview import show, source
from tutorial_lib.display.tables import folded, markdown, table
from tutorial_lib.lessons.temporal_lifting import (
    checks,
    demo_architecture,
    demo_explain,
    demo_few_labels,
    demo_forms,
    demo_lifting,
    demo_own_video,
    experiment,
    experiment_seeds,
    figures,
    figures_architecture,
    recipes,
    results,
)
from tutorial_lib.lifting import (
    SingleFrameLifter,
    TemporalLifter,
    count_parameters,
    flops_per_frame,
    inference,
    lift_track,
    lift_videos,
    semi_supervised,
)
from tutorial_lib.metrics import mpjpe
from tutorial_lib.metrics.by_action import average, per_action

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
FOUND = results.measured()  # several trainings of what the claims hang on
if PROFILE == "full":
    FOLDER = experiment.train_all("full", SEED, DEVICE, MOTION, trust=TRUST_PICKLE)
    parts = [experiment_seeds.run_all("seeds", seed, device=DEVICE) for seed in range(5)]
    FOUND = results.Results(results.collect(parts[0]))
print(f"{PROFILE} profile, {len(SEEDS)} test seeds")

# %% [markdown]
# ## 1. One frame is not enough
#
# A detector reports 17 joints in every frame of a video. Which 3D pose made them? From one frame alone there is no
# answer, only a guess: an arm that points at you and an arm that points away from you look the same, and the detector's
# error changes from frame to frame, so the guess trembles. The frames around it can help with both. The question is how
# a network should look at them.
#
# A recurrent network would read the frames one after another and keep what it needs in a state: nothing can be computed
# before the frame before it is done, and what was long ago has gone through every step since. A convolution over time
# computes all frames at once, and every frame of its field is equally near. It looks at three neighbouring frames.
# Stack a second one on it, and it sees five; to see 243 frames you would need 121 layers. VideoPose3D *dilates*
# instead: the second convolution looks at every third result of the first, the third at every ninth. The part of the
# input that one output can depend on is its **receptive field**.
#
# > **Predict.** Three layers of width 3, dilations 1, 3, 9: how many frames? And with five layers?
#
# The demo builds the network that you ask for and finds out *by its gradient* which input frames the marked output
# depends on; no formula is asked. Pull the output (the diamond) up by a layer.

# %%
THREE, FIVE = "three layers", "five layers"
sees = predict({THREE: ["7 frames", "13 frames", "27 frames"], FIVE: ["11 frames", "121 frames", "243 frames"]})
sees

# %%
architecture = demo_architecture.architecture_demo()
architecture

# %% tags=["demo-test"]
fields = {}
for layers in (1, 2, 3, 4, 5):
    architecture.set(layers=layers, width=3, dilated=True, causal=False).check()
    fields[layers] = architecture.arrays["field"]
    assert fields[layers] == 3**layers
architecture.set(layers=4, dilated=False).check()
assert architecture.arrays["field"] == 9  # without dilation it grows by two a layer
architecture.reset().check()
print("the architecture demo moves")

# %%
sees.answer(
    {THREE: f"{fields[3]} frames", FIVE: f"{fields[5]} frames"},
    f"**What you saw.** With dilation the field multiplies by the width at every layer: {fields[3]} frames with three, "
    f"{fields[5]} with five, {fields[5] / 50:.1f} seconds of video. In general it is "
    r"$F = \prod_i w_i$; without dilation it only adds, $F = 1 + \sum_i (w_i - 1)$. The convolutions alone reach every "
    "frame of the field by exactly one path: no gaps, nothing twice. The residual connections add paths of their own, "
    "which is why frames near the middle count more often.",
)

# %% [markdown]
# A **causal** network may not look into the future, for use while the video is still running. It is the same network
# with the output moved to the last frame of its field.
#
# And this is the whole network, as the paper's figure 2 draws it: $2J = 34$ numbers a frame come in; `3d9` is a filter
# of width 3 whose taps are 9 frames apart; below every column stands the tensor (frames, channels) that comes out when
# one pose is computed. The paper counts $B = 4$ *blocks* for 243 frames, the demo five *layers*: the first layer is no
# block. Convolutions are valid, so a block's input must be *sliced* at both ends before it can be added to its output.

# %%
show(figures_architecture.block_figure())
folded("What it costs: parameters and multiply-adds", figures_architecture.cost_table())

# %%
show(figures_architecture.growth_figure())

# %% [markdown]
# The paper trains it with Adam (amsgrad), batches of 1024 windows, dropout 0.25, a learning rate that falls by 5 %
# every epoch, and batch norms whose momentum falls from 0.1 to 0.001, so that their statistics settle at the end.
#
# ## 2. One set of weights, two forms
#
# In a long video, neighbouring outputs share most of their work: slide the dilated network along, and every
# intermediate result is computed once. For *training*, we want many random windows from many videos instead, each with
# one output. Then nearly all intermediate results of the dilated form would be thrown away, and a second form computes
# only what is needed: a convolution that moves on by its whole width from one output to the next (as its **stride**).
# And that is no convolution any more: three frames side by side, times a matrix.

# %%
source(TemporalLifter._sequence, TemporalLifter._windows)

# %% [markdown]
# > **Predict.** Same weights, same frames: how far apart are the two outputs? And which form does less work for a clip
# > of three frames, and which for a long video?

# %%
OUTPUTS, SHORT, LONG = "the outputs differ by", "less work, three frames", "less work, a long video"
ROUNDING = ["rounding alone", "some millimetres", "some centimetres"]
twice = predict({OUTPUTS: ROUNDING, SHORT: list(demo_forms.FORMS), LONG: list(demo_forms.FORMS)})
twice

# %% [markdown]
# *Play*, or drag the line on the right: the clip gets longer.

# %%
forms = demo_forms.two_forms_demo("builtin", SEED)
forms

# %% tags=["demo-test"]
work, apart = {}, 0.0
for length in (3, 60):
    forms.set(length=length).check()
    work[length], apart = forms.arrays["work"], max(apart, forms.arrays["difference"])
assert apart < 1e-4
assert work[60]["sequence"] < work[60]["windows"]  # a long clip: neighbours share
assert work[3]["windows"] < work[3]["sequence"]
forms.reset().check()
print("the demo of the two forms moves")

# %%
twice.answer(
    {
        OUTPUTS: ROUNDING[int(apart > 1e-3) + int(apart > 1e-2)],
        SHORT: min(work[3], key=work[3].get),
        LONG: min(work[60], key=work[60].get),
    },
    f"**What you saw.** They differ by less than {np.ceil(1e6 * apart):.0f} µm: rounding. A pose of a clip of 3 "
    f"frames takes {work[3]['windows']:.2f} million multiply-adds as windows and {work[3]['sequence']:.2f} as a "
    f"sequence, of 60 frames {work[60]['windows']:.2f} and {work[60]['sequence']:.2f}: sharing wins. So windows for "
    "training, one long sequence for a video.",
)

# %% [markdown]
# Two more details of VideoPose3D, both one line long:
#
# - **Edge padding.** The field of the first frame reaches back before the video began; the first frame is repeated
#   there (`lifting.pad_edges`).
# - **Mirror augmentation.** A mirrored person is another possible person. Mirroring changes the sign of $x$ *and*
#   exchanges left and right joints; twice is nothing (an *involution*). In training half the windows are mirrored; at
#   test time one can lift both the video and its mirror image, mirror the second result back, and average.

# %%
source(inference.flip, inference.lift_flipped_average)

# %% [markdown]
# ## 3. Lift a video
#
# Six networks, trained alike (same footage, same number of windows), with receptive fields from 1 to 243 frames, and a
# seventh that does not look: it answers with the mean pose of training people. Place every number between it and zero.
# The one-frame network is that of Martinez et al. (2017): linear layers only, two residual blocks. *Ours*: all are
# narrower than in the papers (128 channels, the single-frame network 256 so that it has as many parameters as the
# 243-frame network), and the detector is simulated; its errors last for several frames, as real ones do. (The paper
# runs Mask R-CNN or a cascaded pyramid network, CPN, on the videos of Human3.6M and HumanEva-I.) Nobody in this video
# was trained on, and neither was the motion.
#
# > **Predict.** Set the detector's noise to 0. Do 243 frames still beat one? Set it to 3. Which of the two errors
# > profits more from time, that of the joint's position or its *jitter*: how much its step from frame to frame differs
# > from the true step? And what is the jitter of the mean pose, which never moves, on a person who does?

# %%
STILL, PROFITS, STANDS = "noise 0: 243 frames", "noise 3: profits more", "jitter of the mean pose"
time_helps = predict(
    {
        STILL: ["beat one", "do not"],
        PROFITS: ["the position", "the jitter"],
        STANDS: Scale(0, 20, 0.5, "mm per frame"),
    }
)
time_helps

# %% [markdown]
# *Play* below the pictures lets the video run, and the line in the curve can be dragged to a moment.

# %%
lifting_demo = demo_lifting.lifting_demo(MOTION, SEED, FOLDER, trust=TRUST_PICKLE)
lifting_demo

# %% tags=["demo-test"]
worse = lifting_demo.set(noise=3.0, network="243 frames").check().arrays
perfect = lifting_demo.set(noise=0.0).check().arrays
if MOTION == "builtin":
    assert worse["mpjpe"]["243 frames"] > perfect["mpjpe"]["243 frames"]
    assert worse["velocity"]["243 frames"] < 0.5 * worse["velocity"]["1 frame"]
lifting_demo.reset().check()
print("the lifting demo moves")


# %%
def fall(arrays, key, digits):
    """What the clip's error is with one frame and with 243."""
    return f"{arrays[key]['1 frame']:.{digits}f} → {arrays[key]['243 frames']:.{digits}f}"


def kept(arrays, key):
    """The share of the error that 243 frames leave."""
    return arrays[key]["243 frames"] / arrays[key]["1 frame"]


time_helps.answer(
    {
        STILL: "beat one" if kept(perfect, "mpjpe") < 1 else "do not",
        PROFITS: "the jitter" if kept(worse, "velocity") < kept(worse, "mpjpe") else "the position",
        STANDS: worse["velocity"]["mean pose"],
    },
    "**What you saw.** Press play with the noisy detector: the orange-red skeleton (one frame) trembles, the other "
    "does not. *Jitter* is measured by the **velocity error**: how much a joint's step from frame to frame differs "
    f"from the true step. On this clip, from one frame to 243, without noise: MPJPE {fall(perfect, 'mpjpe', 0)} mm, "
    f"velocity {fall(perfect, 'velocity', 1)} mm per frame; with noise 3: {fall(worse, 'mpjpe', 0)} mm and "
    f"{fall(worse, 'velocity', 1)} mm per frame. Who never moves has the velocity of the motion itself as error, "
    f"{worse['velocity']['mean pose']:.1f} mm per frame: a small velocity error alone is no merit. One clip proves "
    "nothing; section 4 has the mean over all.",
)

# %%
video = videos_under_test(MOTION, SEED, 2.0, trust=TRUST_PICKLE)[0]
networks = demo_lifting.load_networks(FOLDER)

# %% [markdown]
# ## 4. As the papers count it
#
# **Protocol 1** (MPJPE): mean joint distance, pelvis laid on pelvis. **Protocol 2** (P-MPJPE): after the best rotation,
# scale and shift. **Protocol 3** (N-MPJPE): after the best scale only. **Velocity** (MPJVE): MPJPE of the steps from
# frame to frame. The papers average over the frames of an *action* first, and then over actions.
#
# Protocol 3 is for networks that learned without knowing the scale, as those of section 5.
#
# Human3.6M tests new people (S9, S11) who do what the others did in training. We hold that test (*known motions*), and
# a harder one, where the motions are new as well. Every network sees the same videos. The tables are of the known
# motions: one trained network each, the mean over the test seeds; *mean pose* does not look.

# %%
NOISES = (0.0, 1.0, 3.0)
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
ordinary = {name: figures.mean_errors(known[name]) for name in networks}
display(table(ordinary))
folded("Protocol 2, protocol 3, velocity", *(table(ordinary, metric) for metric in ("p_mpjpe", "n_mpjpe", "mpjve")))

# %%
show(figures.noise_figure(tested, NOISES))


# %%
def per_seed(measured, metric="mpjpe"):
    """The mean over actions, one number per test seed."""
    return np.array([average(errors, metric) for errors in measured])


def gain(noise, metric="mpjpe"):
    """What 243 frames win over one: per cent of the error, one number per test seed."""
    one, many = (per_seed(tested[noise, name], metric) for name in ("1 frame", "243 frames"))
    return 100 * (1 - many / one)


still = per_seed(tested[1.0, "mean pose"], "mpjve").mean()
Markdown(
    "**The answer.** New motions, these networks, mean over test seeds: from one frame to 243 the position error "
    "falls by "
    + ", ".join(f"{plus_minus(gain(noise))} % at noise {noise:g}" for noise in NOISES)
    + "; the velocity error by "
    + ", ".join(f"{plus_minus(gain(noise, 'mpjve'))} %" for noise in NOISES)
    + ". (With true keypoints the paper reports 37.2 mm for 243 frames, ten millimetres below its result with a "
    "detector. On motions that it knows, a network can win by time there, too: a claim card looks.) Who stands still "
    "has a "
    f"velocity error of {still:.1f} mm per frame: compare that with the table."
)

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
# (focal length, principal point, lens), not its place in the room. (Summaries of the paper sometimes say that only the
# extrinsics are needed. It is the other way round.)
#
# **Read it as an autoencoder.** The two networks are the *encoder*, the pose at its place is the *code*, and the camera
# is the *decoder*: it turns the code back into the keypoints, and it has no weights that could cheat. An ordinary
# autoencoder may write what it likes into its code. Here a labelled batch beside the other says what the code means,
# and the bone term says which codes are people.
#
# | part | ordinary autoencoder | here |
# |---|---|---|
# | input | $x$ | keypoints of $F$ frames, (F, 34) |
# | encoder | a network | pose model (17, 3) and trajectory model (1, 3) |
# | code | anything | a body in metres at its place |
# | decoder | a network | $\pi$: divide by depth, bend by the lens; nothing to learn |
# | reconstruction | distance of $\hat x$ and $x$ | distance of $\pi(\hat P + \hat T)$ and $p$ in the middle frame |

# %%
source(semi_supervised.joint_losses)

# %% [markdown]
# > **Predict.** Make the guess 1.4 times as large and put it 1.4 times as far away. Which of the losses objects? Then,
# > at its true size and place again, turn it by 40 degrees.

# %%
GIANT, TURNED = "a giant, far away", "turned"
WHO = ["back-projection", "the bone lengths", "both", "neither"]
objects = predict({GIANT: WHO, TURNED: WHO})
objects

# %% [markdown]
# In the scene, drag the guess by its head along its ray from the camera: size and distance change, the picture stays.

# %%
explain = demo_explain.explain_demo(videos_under_test("builtin", SEED, 0.0)[0], 60)
explain

# %% tags=["demo-test"]
explain.set(size=1.4, distance=1.4, turn=0, lens="none").check()
losses = giant = explain.arrays["losses"]
assert losses["reprojection, linear"] < 1e-5 and losses["bones, L1"] > 0.05
explain.set(size=1.0, distance=1.0, turn=40).check()
losses = turned = explain.arrays["losses"]
assert losses["reprojection, linear"] > 0.01 and losses["bones, L1"] < 1e-5
explain.set(turn=0, lens="d2 pincushion").check()
losses = bent = explain.arrays["losses"]
assert losses["reprojection, linear"] > 0.01 and losses["reprojection, with the lens"] < 1e-5
explain.reset().check()
print("the loss demo moves")


# %%
def objecting(losses):
    """Which of the two is more than a thousandth."""
    felt = losses["reprojection, linear"] > 1e-3, losses["bones, L1"] > 1e-3
    return WHO[[(True, False), (False, True), (True, True), (False, False)].index(felt)]


objects.answer(
    {GIANT: objecting(giant), TURNED: objecting(turned)},
    "**What you saw.** A giant far away and a dwarf nearby cast the same picture: back-projection is blind to scale "
    f"({giant['reprojection, linear']:.3f} half-widths), and the bone term holds it ({1000 * giant['bones, L1']:.0f} "
    f"mm). A turned body has the right bones ({1000 * turned['bones, L1']:.0f} mm), and the picture objects "
    f"({turned['reprojection, linear']:.3f}). With a lens, the *linear* projection objects to the truth itself: "
    f"{bent['reprojection, linear']:.3f} half-widths with d2, where the projection that knows the lens has "
    f"{bent['reprojection, with the lens']:.3f}. (The bars show each loss in per cent of its own largest value, the "
    "table has the values.)",
)

# %% [markdown]
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
# count as one person); the second of each pair also saw *all* the footage without labels. (The paper's figure 5 has
# three panels: 10 frames a second by protocol 3, the full rate by protocol 1, and true keypoints. This is the third.)
#
# > **Predict.** At which share of labels do videos without labels no longer pay, or do they always?

# %%
SHARES = [f"{100 * s:g} %" for s in recipes.SHARES]
stops = predict([*SHARES, "they always pay"])
stops

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
few_models["mean pose"] = networks["mean pose"]
for seed in tqdm(SEEDS, desc="seeds"):
    taken = videos_under_test(MOTION, seed, 0.0, trust=TRUST_PICKLE, limit=10 if PROFILE == "quick" else 200)
    for name, model in few_models.items():
        few.setdefault(name, []).append(per_action(lift_videos(model, taken)))
show(figures.share_figure(few))

# %%
pairs = {s: [recipes.few_name(s, semi) for semi in (False, True)] for s in recipes.SHARES}
won = {s: per_seed(few[semi]) - per_seed(few[labels]) for s, (labels, semi) in pairs.items()}
pays = [f"{100 * s:g} %" for s, difference in won.items() if is_below(difference)]
harms = [f"{100 * s:g} %" for s, difference in won.items() if is_above(difference)]
stops.answer(
    next((share for share in SHARES if share not in pays), "they always pay"),
    "**The answer.** Change by the video without labels, mm: "
    + ", ".join(f"{plus_minus(difference)} at {100 * s:g} %" for s, difference in won.items())
    + f". It pays at {', '.join(pays) or 'no share'}; it harms at {', '.join(harms) or 'no share'}. With all labels "
    "there is nothing left to teach, and half of the batch goes to losses that only guess. (One trained pair each: "
    "another training moves each number. The claim cards have several.)",
)

# %% [markdown]
# ### Through a lens
#
# Most video without labels was not filmed with a camera as good as the studio's. So: labels from undistorted footage
# (3 %), and all the video without labels through the heavy pincushion d2. One network back-projects along straight
# lines, the other through the lens. They are tested on people behind d2, and on people without a lens.
#
# > **Predict.** Behind d2, against labels only: what does the video change if $\pi$ knows the lens? And if it does not?

# %%
KNOWS, NOT = "it knows the lens", "it does not"
CHANGES = ["lower error", "nothing that these trainings tell", "higher error"]
through = predict({KNOWS: CHANGES, NOT: CHANGES})
through

# %%
LENS = {"labels only": "few-3-supervised", "straight": "few-3-d2-linear", "through the lens": "few-3-d2-lens"}
PLACES = {"behind d2 (mm)": "behind d2", "without a lens (mm)": "new, noise 0"}
rows = [
    [title, FOUND.steps(name), *(f"{FOUND.mean(name, place):.1f}" for place in PLACES.values())]
    for title, name in LENS.items()
]
rows.append(["mean pose", "–", *(f"{FOUND.blind(place, few=True):.1f}" for place in PLACES.values())])
with through.covered():
    display(Markdown(markdown(["3 % labels, and video through d2", "steps", *PLACES], rows, numbers=True)))

# %%
labels_only, straight, knowing = LENS.values()
behind = {key: FOUND.change(name, labels_only, "behind d2") for key, name in {KNOWS: knowing, NOT: straight}.items()}
lens_against_straight = FOUND.change(knowing, straight, "behind d2")
through.answer(
    {key: CHANGES[0] if is_below(c) else CHANGES[2] if is_above(c) else CHANGES[1] for key, c in behind.items()},
    f"**The answer.** Behind d2 the error changes by {plus_minus(behind[KNOWS])} % with a projection that knows the "
    f"lens, and by {plus_minus(behind[NOT])} % with a straight one (trainings: {len(behind[KNOWS])}). One would expect "
    "a straight projection to teach the network to explain the bend by the body, and so to do worse. "
    + (
        "So it came out: "
        if is_below(lens_against_straight)
        else "The opposite came out: "
        if is_above(lens_against_straight)
        else "These trainings do not tell: "
    )
    + f"through the lens against straight, {plus_minus(lens_against_straight)} %.",
)

# %% [markdown]
# ## 7. Your own video, and Human3.6M
#
# `keypoint_files.load` reads the COCO-17 keypoints that detectors write (JSON), and VideoPose3D's custom `npz`. Here a
# file is made on the spot as a detector would write it, read again, and lifted; put your own file in its place:
# `make keypoints VIDEO=film.mp4` makes one from a film (docs/own_motion.md). The networks were trained at 50 frames a
# second, so a video at another rate is resampled to 50 before it is lifted.

# %%
tracks = demo_own_video.example_tracks(SEED)
own = demo_own_video.own_video_demo(tracks, folder=FOLDER)
own

# %% tags=["demo-test"]
own.set(network="81 frames").check()
assert own.arrays["pose"].shape[1:] == (17, 3) and torch.isfinite(own.arrays["pose"]).all()
own.reset().check()
print("the own-video demo moves")

# %% [markdown]
# **COCO's joints are not Human3.6M's.** COCO has a face and no trunk. The reader builds hip, spine, thorax, neck and
# head from COCO's points; a network that was *trained* on raw COCO must get them raw. Both are 17 points, so a network
# that gets the wrong ones does not complain. It is only wrong:

# %%
raw = demo_own_video.example_tracks(SEED, layout="coco")[0]
lifter = networks["27 frames"]
with torch.no_grad():
    apart = mpjpe(lifter.lift(raw.keypoints), lift_track(lifter, tracks[0])).item()
print(f"raw COCO in a network of Human3.6M's joints: the poses are {1000 * apart:.0f} mm apart on average")
try:
    lift_track(lifter, raw)
except ValueError as problem:
    print("lift_track:", problem)

# %% [markdown]
# A lifter therefore knows its layout, it stands in its checkpoint, and mirroring exchanges the right pairs.
# VideoPose3D's network for videos in the wild takes COCO end to end:
#
# ```python
# whole = torch.load("pretrained_h36m_detectron_coco.bin", weights_only=False)  # a pickle: only from whom you trust
# lifter = TemporalLifter(243, layout="coco").load_videopose3d(whole).eval()
# tracks = keypoint_files.load("mine.json", size=(1920, 1080), fps=25, layout="coco")
# demo_own_video.own_video_demo(tracks, networks={"in the wild": lifter})
# ```

# %% [markdown]
# <details><summary><b>Human3.6M</b>, if you have it</summary>
#
# It may not be passed on. With VideoPose3D's `data_3d_h36m.npz` (and, beside it, a `data_2d_h36m_*.npz` of detections),
# set `MOTION` to it and `TRUST_PICKLE = True`. Then sections 3, 4 and 6 test on S9 and S11 with their four cameras
# (S11's take *Directions* is dropped, its video is corrupted), and `PROFILE = "full"` trains on S1, S5, S6, S7, S8: the
# paper's protocol.
#
# </details>
#
# ## Is it trained, and was it luck?
#
# The networks above are one training each. What the cards claim was trained again, from several seeds: other weights,
# viewpoints, detector errors and batches, and for few labels other people who have them. (*Ours*: without dropout,
# whose dice take a third of a step here.) Each kind's learning rate was chosen on validation people, inside its grid.

# %%
show(figures.training_figure(FOUND))
folded("The table, training by training", figures.luck_table(FOUND))

# %% [markdown]
# Would more training change a verdict? The same differences after half of the training lie folded below.

# %%
KNOWN, NEW, TRUE = "known, noise 1", "new, noise 1", "new, noise 0"
folded(
    "After half of the training",
    figures.halved(
        FOUND,
        {
            "27 frames against 1, known motions": ("lifter-27f", "lifter-1f", KNOWN, "mpjpe"),
            "243 frames against 1, known motions": ("lifter-243f", "lifter-1f", KNOWN, "mpjpe"),
            "243 frames against 1, new motions": ("lifter-243f", "lifter-1f", NEW, "mpjpe"),
            "velocity, 243 frames against 1": ("lifter-243f", "lifter-1f", KNOWN, "mpjve"),
            "video without labels, 1 %": ("few-1-semi", "few-1-supervised", TRUE, "mpjpe"),
            "video without labels, 3 %": ("few-3-semi", "few-3-supervised", TRUE, "mpjpe"),
        },
    ),
)

# %% [markdown]
# ## Claim cards
#
# A value is one training, tested on five test seeds (other people, viewpoints and detector errors each); the intervals
# are over the trainings, so they hold the luck of a training. Differences are paired: the same footage, the same tests.
# A single training has no interval, and its verdict is *undecided*.


# %%
def trained(*names):
    """How often all of these networks were trained, in words."""
    count = len(FOUND.trainings(*names))
    return "one training: no interval, no verdict" if count == 1 else f"{count} trainings"


record(
    Claim(
        "more-frames",
        LESSON,
        "More frames are better: 27 and 243 frames beat one (new people, known motions).",
        "Pavllo et al. 2019, table 1a (protocol 1, Human3.6M: 51.8 with one frame, 46.8 with 243) and README (27)",
        paper={"27 frames": -5.8, "243 frames": -9.7},
        ours={
            "27 frames": FOUND.change("lifter-27f", "lifter-1f", KNOWN),
            "243 frames": FOUND.change("lifter-243f", "lifter-1f", KNOWN),
        },
        test=lambda m: all_hold(is_below(m["27 frames"]), is_below(m["243 frames"])),
        explanation=f"Change against one frame, which has {FOUND.mean('lifter-1f', KNOWN):.1f} mm; the mean pose has "
        f"{FOUND.blind(KNOWN):.0f}. All had the same number of training steps "
        f"({trained('lifter-1f', 'lifter-27f', 'lifter-243f')}).",
        unit="%",
    ),
    Claim(
        "new-motions",
        LESSON,
        "The same, when the motions are new as well (ours: harder than the papers' protocol).",
        "no paper: Human3.6M's test subjects do what the training subjects did",
        paper={},
        ours={
            "27 frames": FOUND.change("lifter-27f", "lifter-1f", NEW),
            "243 frames": FOUND.change("lifter-243f", "lifter-1f", NEW),
        },
        test=lambda m: all_hold(is_below(m["27 frames"]), is_below(m["243 frames"])),
        explanation=f"Change against one frame, which has {FOUND.mean('lifter-1f', NEW):.1f} mm; the mean pose has "
        f"{FOUND.blind(NEW):.0f}. What a network has learned about the course of a motion helps with that motion; with "
        f"new ones much of the error is the unfamiliar pose ({trained('lifter-1f', 'lifter-27f', 'lifter-243f')}).",
        unit="%",
    ),
    Claim(
        "perfect-keypoints",
        LESSON,
        "With true keypoints, too, 243 frames beat one (known motions).",
        "Pavllo et al. 2019: 37.2 mm with true keypoints, 243 frames (no single frame beside it)",
        paper={},
        ours={
            "known motions": FOUND.change("lifter-243f", "lifter-1f", "known, noise 0"),
            "new motions": FOUND.change("lifter-243f", "lifter-1f", TRUE),
        },
        test=lambda m: is_below(m["known motions"]),
        explanation="Nothing trembles here: what time can win is which of the poses that cast this picture fits the "
        f"moments around it. The networks were trained on detected keypoints ({trained('lifter-1f', 'lifter-243f')}).",
        unit="%",
    ),
    Claim(
        "causal",
        LESSON,
        "Doing without the future costs something, but less than 10 % (243 frames, known motions).",
        "Pavllo et al. 2019, table 1a: 49.0 causal against 46.8 mm",
        paper={"known motions": 4.7},
        ours={"known motions": FOUND.change("causal-243f", "lifter-243f", KNOWN)},
        test=lambda m: all_hold(is_above(m["known motions"]), is_below(m["known motions"], 10)),
        explanation=f"{trained('causal-243f', 'lifter-243f').capitalize()}. Centred: "
        f"{FOUND.mean('lifter-243f', KNOWN):.1f} mm; the mean pose: {FOUND.blind(KNOWN):.0f}. Training steps: causal "
        f"{FOUND.steps('causal-243f')}, centred {FOUND.steps('lifter-243f')}.",
        unit="%",
    ),
)

# %%
worst, best = NOISES[-1], NOISES[0]
won_by_time = {noise: FOUND.difference("lifter-1f", "lifter-243f", f"new, noise {noise:g}") for noise in (best, worst)}
L1, L2 = (recipes.few_name(recipes.L2_SHARE, True, norm) for norm in ("l1", "l2"))
record(
    Claim(
        "bad-detector",
        LESSON,
        "Time wins more with a bad detector (noise 3) than with a perfect one (new motions).",
        "follows from Pavllo et al. 2019, section 6 (no table)",
        paper={},
        ours={f"won by 243 frames, noise {noise:g}": values for noise, values in won_by_time.items()}
        | {"difference": won_by_time[worst] - won_by_time[best]},
        test=lambda m: is_above(m["difference"]),
        explanation=f"{trained('lifter-1f', 'lifter-243f').capitalize()}.",
        unit="mm",
    ),
    Claim(
        "velocity",
        LESSON,
        "The velocity error of 243 frames is at least three quarters lower than that of one.",
        "Pavllo et al. 2019, table on velocity error: 76 % lower on average than single-frame",
        paper={"243 frames": -76.0},
        ours={
            "27 frames": FOUND.change("lifter-27f", "lifter-1f", KNOWN, "mpjve"),
            "243 frames": FOUND.change("lifter-243f", "lifter-1f", KNOWN, "mpjve"),
        },
        test=lambda m: is_below(m["243 frames"], -75),
        explanation="How much jitter there is to remove depends on the detector, which is ours. One frame has "
        f"{FOUND.mean('lifter-1f', KNOWN, 'mpjve'):.1f} mm per frame, 243 have "
        f"{FOUND.mean('lifter-243f', KNOWN, 'mpjve'):.1f}, and the mean pose, which never moves, "
        f"{FOUND.blind(KNOWN, 'mpjve'):.1f} ({trained('lifter-1f', 'lifter-27f', 'lifter-243f')}).",
        unit="%",
    ),
    Claim(
        "few-labels",
        LESSON,
        "With 1 % and with 3 % of the labels, unlabelled video helps.",
        "Pavllo et al. 2019, README of its code: 10 % of S1 labelled, 80.7 supervised, 65.2 semi-supervised",
        paper={"10 % of one of five subjects": -19.2},
        ours={f"{100 * share:g} %": FOUND.change(*reversed(pairs[share]), TRUE) for share in recipes.SHARES[:2]},
        test=lambda m: all_hold(*(is_below(change) for change in m.values())),
        explanation="The paper's share is about 2 % of its footage. Labels only: "
        + ", ".join(f"{FOUND.mean(pairs[share][0], TRUE):.0f} mm at {100 * share:g} %" for share in recipes.SHARES[:2])
        + f"; the mean pose has {FOUND.blind(TRUE, few=True):.0f} "
        f"({trained(*(name for share in recipes.SHARES[:2] for name in pairs[share]))}).",
        unit="%",
    ),
    Claim(
        "bone-norm",
        LESSON,
        f"In the bone term, L1 (the code) ends below L2 (the text), with {100 * recipes.L2_SHARE:g} % of the labels.",
        "Pavllo et al. 2019: the text says L2, the code computes L1 (no table)",
        paper={},
        ours={"L1 minus L2": FOUND.difference(L1, L2, TRUE)},
        test=lambda m: is_below(m["L1 minus L2"]),
        explanation=f"{trained(L1, L2).capitalize()}. L1 has {FOUND.mean(L1, TRUE):.1f} mm, the mean pose "
        f"{FOUND.blind(TRUE, few=True):.0f}.",
        unit="mm",
    ),
)

# %%
record(
    Claim(
        "through-a-lens",
        LESSON,
        "Unlabelled video through d2 helps behind d2 if back-projection knows the lens, and more than if it does not.",
        "ours: the paper's code projects through Human3.6M's lenses, and measures no others",
        paper={},
        ours={
            "through the lens, against labels only": FOUND.change("few-3-d2-lens", "few-3-supervised", "behind d2"),
            "straight, against labels only": FOUND.change("few-3-d2-linear", "few-3-supervised", "behind d2"),
            "through the lens, against straight": FOUND.change("few-3-d2-lens", "few-3-d2-linear", "behind d2"),
        },
        test=lambda m: all_hold(
            is_below(m["through the lens, against labels only"]), is_below(m["through the lens, against straight"])
        ),
        explanation=f"{trained(*LENS.values()).capitalize()}; section 6 has the steps. Lesson 05 takes the lens up.",
        unit="%",
    )
)

# %% [markdown]
# Sizes are counted at the paper's width, where they must agree with the paper's to its last printed digit.

# %%
# NBVAL_CHECK_OUTPUT
print(f"One frame, Martinez et al.: {count_parameters(SingleFrameLifter()):,d} parameters.")

# %%
sizes = {f"{frames} frames": TemporalLifter(frames) for frames in (27, 81, 243)}
record(
    Claim(
        "size",
        LESSON,
        "8.56, 12.75 and 16.95 million parameters; 17.09, 25.48 and 33.87 MFLOPs for one more frame.",
        "Pavllo et al. 2019, table on parameters and FLOPs",
        paper={
            "27 frames, parameters": 8560, "81 frames, parameters": 12750, "243 frames, parameters": 16950,
            "27 frames, FLOPs": 17090, "81 frames, FLOPs": 25480, "243 frames, FLOPs": 33870,
        },
        ours={
            **{f"{name}, parameters": [count_parameters(net) / 1e3] for name, net in sizes.items()},
            **{f"{name}, FLOPs": [flops_per_frame(net) / 1e3] for name, net in sizes.items()},
        },
        test=lambda m: np.allclose([v[0] for v in m.values()], [8560, 12750, 16950, 17090, 25480, 33870], atol=5),
        explanation="Counted, not measured: there is no spread. The paper prints two decimals of a million.",
        unit="thousands",
    )
)  # fmt: skip

# %% [markdown]
# ### And on real people?
#
# The networks were trained on invented *and* on real motion. The recording of real actors is not part of this
# repository; when the networks were trained, the same test was held with four actors that no training saw, and written
# into each checkpoint's JSON. Run this lesson with `MOTION` set to a motion file to measure it anew.

# %%
folded("The table of real actors", figures.real_actor_table(FOUND, FOLDER), checkpoints.CREDIT)

# %%
real = {name: checkpoints.record(f"temporal/{name}", FOLDER).get("real_actors") for name in FEW}
known_on_them = all(real.values())
changed = {s: np.subtract(*(real[n]["mpjpe_mm"] for n in reversed(pair))) for s, pair in pairs.items() if known_on_them}
harmed = [f"{100 * s:g} %" for s, difference in changed.items() if is_above(difference)]
Markdown(
    "On them, the video without labels changes the error by "
    + ", ".join(f"{plus_minus(difference)} mm at {100 * s:g} %" for s, difference in changed.items())
    + f". It harms at {', '.join(harmed) or 'no share'}."
    if known_on_them
    else "These networks were not tested on them."
)

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
# back-projection pulls.
#
# > **Predict.** Where is that pull zero?

# %%
ZERO = ["behind the camera", "far behind the person", "nowhere"]
dead = predict(ZERO)
dead

# %%
pulls = figures.dead_gradient_figure(video)
with dead.covered():
    show(pulls)

# %%
depths, strength = np.asarray(pulls.data[0].x), np.asarray(pulls.data[0].y)
none = depths[strength < 1e-6]
dead.answer(
    ZERO[2] if not len(none) else ZERO[int(none.mean() > 0)],
    f"**What you saw.** Nothing pulls at {len(none)} of {len(depths)} places"
    + (f", from {none.min():.1f} to {none.max():.1f} m" if len(none) else "")
    + ". There every joint's $x/z$ is clamped, and a clamp has no slope. Hence the warm-up.",
)

# %% [markdown]
# ## Summary
#
# 1. *What do the frames before and after tell?* Where the joints cannot have jumped to: they take the tremble out
#    first. How much they also tell about the pose hangs on the detector and on whether the motion is known; the cards
#    say it.
# 2. Dilated convolutions multiply their receptive field at every layer: 243 frames with five layers, each used once.
#    The same weights run in two forms: slid over a video, or on windows, where a convolution becomes a matrix product.
# 3. Compare with who does not look: the mean pose never trembles, and its velocity error is the motion itself.
# 4. Back-projection turns video into a teacher, an autoencoder whose decoder is the camera. It is blind to scale, and
#    bone lengths give it the scale. How long such video pays as labels become many, the curve of section 6 says.
# 5. A network knows one frame rate, one camera, one order of joints. Bring your video to them before you lift it.
#
# ## Further reading
#
# - D. Pavllo, C. Feichtenhofer, D. Grangier, M. Auli: *3D human pose estimation in video with temporal convolutions
#   and semi-supervised training*, CVPR 2019.
# - J. Martinez, R. Hossain, J. Romero, J. J. Little: *A simple yet effective baseline for 3D human pose estimation*,
#   ICCV 2017.
# - A. van den Oord et al.: *WaveNet: a generative model for raw audio*, 2016, where dilated convolutions in time began.

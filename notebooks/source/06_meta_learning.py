# %% [markdown]
# # 06 · Can a network learn to get used to a lens within five steps?
#
# **You will** drag a lens out of shape and watch a network re-learn, live, from a handful of frames; first with a few
# labelled frames, then with none at all.
#
# **You will learn** MAML (learning a start from which one gradient step helps), why its gradient is of second order,
# how a network can be adapted without labels, and which of the paper's claims survive measurement.
#
# **You need** lesson 05 (lenses, the three error measures) and gradients. The network is the temporal lifter of
# lesson 04 with 9 frames. **Time:** 60 minutes, 40 without the exercises.

# %%
import numpy as np
import torch
from IPython.display import Markdown

from tutorial_lib import adaptation, checkpoints, distortion, skeleton, training
from tutorial_lib.adaptation import maml
from tutorial_lib.adaptation.comparison import HEAVY, MODERATE, compare_networks
from tutorial_lib.adaptation.lens_test import ALONE, LABELLED, SCENARIOS, LensTest
from tutorial_lib.datasets import footage, splits
from tutorial_lib.display.claims import Claim, certainly_below, record
from tutorial_lib.display.figures import curves
from tutorial_lib.display.preview import show, source
from tutorial_lib.lessons.meta_learning import checks, demo_adapt, demo_toy, figures
from tutorial_lib.lifting import TemporalLifter, count_parameters, flops_per_frame

# %% tags=["parameters"]
PROFILE = "quick"  # "quick": shipped networks, a minute. "full": trains all of them again, for hours
SEED = 0
DEVICE = "auto"  # "cuda" where there is one; the demo itself always runs on the CPU
MOTION = "builtin"  # or a motion file: .npz as in the README, data_3d_h36m.npz, .bvh

# %%
torch.manual_seed(SEED)
torch.set_num_threads(1)  # small networks: a second thread wins little, and costs much where others are at work
LESSON = "06_meta_learning"
FULL = PROFILE == "full"
SEEDS = range(SEED, SEED + (20 if FULL else 8))
CLIPS = 40 if FULL else 5
FOLDER = checkpoints.FOLDER
device = training.resolve_device(DEVICE)
if FULL:
    from tutorial_lib.lessons.meta_learning.experiment import train_all

    FOLDER = train_all("full" if device.type == "cuda" else "shipped", SEED, str(device))
print(f"{PROFILE} profile, {len(SEEDS)} seeds of {CLIPS} test clips")

# %% [markdown]
# ## 1. Learning to learn, in one picture
#
# Ordinary training asks: *which weights θ are good for all tasks at once?* Meta-learning asks: *from which θ is one
# gradient step enough for each of them?* MAML (Finn et al. 2017) puts the step into the objective:
#
# $$\theta_i' = \theta - \alpha\,\nabla_\theta \mathcal L_i(\theta)\qquad\text{(inner step, on the support set)}$$
# $$\min_\theta \sum_i \mathcal L_i(\theta_i')\qquad\text{(outer loss, on the query set)}$$
#
# The outer gradient goes *through* the inner step: $\nabla_\theta \mathcal L_i(\theta_i') = (I - \alpha H_i)\,\nabla
# \mathcal L_i(\theta_i')$ with the Hessian $H_i$. That is the second order in MAML; without $H_i$ it is called
# first-order MAML.
#
# Here θ has two numbers, and there are three tasks: two steep bowls, and a long flat valley.
#
# > **Predict.** With a step size that just solves a steep bowl in one step, where should θ stand: in the middle, near
# > the steep bowls, or in the valley?

# %%
toy = demo_toy.toy_demo()
toy

# %% tags=["demo-test"]
toy.set(alpha=0.25, outer=60).check()
assert toy.arrays["loss"][-1] < 0.6 * toy.arrays["joint"][-1]  # trained for the step beats trained for the mean
assert np.allclose(toy.arrays["theta"], demo_toy.three_bowls().optimum(0.25), atol=1e-3)
toy.set(alpha=0.0).check()
assert np.isclose(toy.arrays["loss"][-1], toy.arrays["joint"][-1])  # without an inner step both are the same
toy.reset().check()
print("the toy moves")

# %% [markdown]
# **What you saw.** In the valley. The steep bowls can be reached in one step from anywhere; the flat direction of the
# valley cannot, so θ has to stand there already. Joint training cares for the steep bowls, because *before* the step
# they cost most. Move α to 0 and both become the same; move α to 0.4 and the step overshoots: now θ goes elsewhere
# again. *A good start depends on the step that will be taken.*
#
# Without a kernel: the loss after one step, for both starts, as α grows.

# %%
show(figures.alpha_figure())

# %% [markdown]
# ## 2. A lens is a task
#
# Real videos through a hundred known lenses do not exist. The paper makes them up: take undistorted footage, and
# distort the *keypoints*. There are two ways. (a) Let a frozen detector find the keypoints in the undistorted video,
# and distort what it found; (b) project the true 3D joints through the lens. Way (a) keeps the detector's errors, so
# training looks more like testing. A task is one lens, with support and query windows:

# %%
source(adaptation.draw_tasks)

# %% [markdown]
# **A misprint worth a minute.** In the paper's Algorithm 1 the outer loss is summed over tasks
# $\mathcal T_{rand} \sim p_{rand}$, the inner step over $\mathcal T_{strat} \sim p_{strat}$: taken literally, the
# network would adapt to one lens and be judged on another. Then the best inner step is none. The formula on the next
# page has the same task in both places, and so have we: *query = same lens, other frames*.
#
# **Stratified sampling.** With 8 lenses a step, chance often leaves out the strong barrels. So $k_1$ of task $i$ comes
# from the $i$-th of $N$ equal strata; only $k_1$, as in the paper.

# %%
show(figures.strata_figure())

# %% [markdown]
# The objective itself, first for any model, then for a lifter. `vmap` runs all tasks at once; the batch norms keep the
# statistics of the pretraining in every step (why: the docstring of the module), and dropout is off, so inner, outer
# and test steps are the same function.

# %%
source(maml.maml_loss, adaptation.meta_loss)

# %% [markdown]
# ### Watch it train
#
# Three seconds of the real thing, from the randomly pretrained network. The number to watch is the gain of the inner
# step: the query loss after the step minus before it. You can interrupt it; the demo below goes on working.

# %%
lifter = checkpoints.load("random-9f", folder=FOLDER)
generator = torch.Generator().manual_seed(SEED)
training_footage = footage.capture_clips(splits.builtin_split(SEED).calibration, generator, limit=40)


def episode(step):
    lenses = distortion.sample_stratified(4, generator=generator)
    support, query = adaptation.draw_tasks(training_footage, lenses, 9, support=32, query=16, generator=generator)
    return adaptation.meta_loss(lifter, support, query, rate=0.03)


history = training.fit(lifter, episode, 40, rate=1e-4, label="meta-steps")
print(f"{len(history.loss)} meta-steps; the loss went through second derivatives and stayed finite")

# %% [markdown]
# ## 3. Adapt, now
#
# Two ways to get used to a new camera, as in the paper.
#
# - **Scenario 1, a labelled recording.** Somebody with markers walked about in front of the new camera. A few windows
#   with known 3D poses are the support set; a few gradient steps on MPJPE.
# - **Scenario 2, the test video alone.** No labels. But bones do not change their length, and left and right are
#   alike. The loss is the *inconsistency* of the predicted skeleton, divided by its size (otherwise a skeleton that
#   shrinks to a point would be perfect).
#
# > **Predict.** Choose the heavy pincushion (d2). How many millimetres will 5 steps win for the *plain* network, and
# > how many for *ours*? And with 20 steps instead of 5? Then switch to scenario 2: will the plain network get better or
# > worse?

# %%
demo = demo_adapt.adaptation_demo(MOTION, SEED, folder=FOLDER)
demo

# %% tags=["demo-test"]
first = {}
for title in demo_adapt.MODELS:
    demo.set(model=title, scenario=LABELLED).check()
    first[title] = demo.arrays["errors"][0]
    assert len(demo.arrays["errors"]) == 6
if MOTION == "builtin":
    assert first["ours: pretraining + MAML"] < first["plain"], first
demo.set(scenario=ALONE, count=0).check()
assert torch.equal(demo.arrays["before"], demo.arrays["after"])  # no step, no change
demo.reset().check()
again = demo.arrays["errors"]
demo.set(k1=0.0).check()
demo.reset().check()
assert again == demo.arrays["errors"]  # the same value, the same picture
print("the adaptation demo moves")

# %% [markdown]
# **What you saw.** Every move ran a whole training: copy the network, 5 gradient steps, all frames lifted again after
# each. The plain network starts far off and improves slowly. The networks that have met random lenses start much
# nearer. The loop you have just moved:

# %%
source(adaptation.adapt)

# %% [markdown]
# ## 4. The whole test
#
# Now every network takes every test: four lenses, both scenarios, people and motions that no training saw. All models
# see the same frames and noise. Each model's step size was chosen on *validation* people and random lenses
# (`adaptation.rate_search`), so nobody wins by a better rate.

# %%
abouts = {name: checkpoints.record(name, FOLDER) for name in checkpoints.names(FOLDER)}
comparison = compare_networks(
    networks={name: checkpoints.load(name, device, FOLDER) for name in abouts},
    rates={name: about["test_rates"] for name, about in abouts.items()},
    steps=abouts["ours-9f"]["test_steps"],
    seeds=SEEDS,
    motion=MOTION,
    clips=CLIPS,
    watched=("plain-9f", "random-9f", "maml-9f", "ours-9f"),
    labelled_only=("plain-27f", "ours-27f", "ours-3f"),  # for claim 5
    device=device,
)
NINE = {
    "plain": "plain-9f",
    "random": "random-9f",
    "MAML": "maml-9f",
    "+ strata": "stratified-9f",
    "ours": "ours-9f",
    "ours, 3D": "ours-truth-9f",  # tasks made from the true 3D joints
    "ours, self": "ours-selfsup-9f",  # episodes whose inner step has no labels
}
Markdown(figures.error_table(comparison, list(NINE.values())))

# %%
show(figures.error_bars(comparison, NINE, LABELLED))

# %% [markdown]
# ### Step by step
#
# > **Predict.** Which curve falls steepest, and which starts lowest? Are these the same?

# %%
SHOWN = {title: NINE[title] for title in ("plain", "random", "MAML", "ours")}
for scenario in SCENARIOS:
    show(figures.step_figure(comparison, SHOWN, scenario))

# %% [markdown]
# ## Claim cards
#
# The paper's figures are from Human3.6M with full-width networks; ours from small networks on other motion. So *effect
# sizes* are compared, not millimetres. The intervals are over test seeds (other people, viewpoints, detector errors,
# labelled windows), with one trained network each: they say nothing about the luck of a training.


# %%
clean = comparison.errors("plain-9f", LABELLED, ["undistorted"])


def growth(lenses):
    """The plain lifter's error behind the lenses, un-adapted, as a multiple of its undistorted error."""
    return comparison.errors("plain-9f", LABELLED, lenses, step=0) / clean


record(
    Claim(
        "degradation",
        LESSON,
        "(1) Un-adapted, the plain lifter degrades strongly behind heavy and clearly behind moderate lenses.",
        "Cho et al. 2021, introduction and table 2 (error relative to undistorted)",
        paper={"heavy": 2.35, "moderate": 1.33},
        ours={"heavy": growth(HEAVY), "moderate": growth(MODERATE)},
        test=lambda m: m["heavy"].mean() > 1.5 and m["moderate"].mean() > 1.1,
        explanation="The strength of the lenses was set on validation people so that it matches the paper there.",
        unit="×",
    )
)

# %%
record(
    Claim(
        "scenario-1",
        LESSON,
        "(2a) With a small labelled recording, ours ends below the plain lifter that was fine-tuned in the same way.",
        "Cho et al. 2021, table 2, scenario 1: 79.9 → 62.0 (heavy), 65.0 → 53.6 (moderate), against Pavllo et al.",
        paper={"heavy": -22.4, "moderate": -17.5},
        ours={
            "heavy": comparison.change("ours-9f", "plain-9f", LABELLED, HEAVY),
            "moderate": comparison.change("ours-9f", "plain-9f", LABELLED, MODERATE),
        },
        test=lambda m: certainly_below(m["heavy"]) and certainly_below(m["moderate"]),
        explanation="Holds when both intervals lie below zero. Behind moderate lenses the plain lifter has little to "
        "lose, and every network that must serve all lenses pays for it with some accuracy near the undistorted case.",
        unit="%",
    )
)

# %%
record(
    Claim(
        "scenario-2",
        LESSON,
        "(2b) From the test video alone, ours ends below the un-adapted plain lifter.",
        "Cho et al. 2021, table 2, scenario 2: 114.1 → 66.1 (heavy), 64.5 → 51.6 (moderate), against Pavllo et al.",
        paper={"heavy": -42.1, "moderate": -20.0},
        ours={
            "heavy": comparison.change("ours-9f", "plain-9f", ALONE, HEAVY, reference_step=0),
            "moderate": comparison.change("ours-9f", "plain-9f", ALONE, MODERATE, reference_step=0),
        },
        test=lambda m: certainly_below(m["heavy"]) and certainly_below(m["moderate"]),
        explanation="As in the paper, the plain lifter is not adapted here. The next two cards ask where the gain "
        "comes from.",
        unit="%",
    )
)

# %%
record(
    Claim(
        "beyond-pretraining",
        LESSON,
        "(2c) The gain over pretraining on random lenses alone, at equal budget and equally adapted.",
        "not in the paper: it compares MAML with the base model only",
        paper={},
        ours={
            "scenario 1, heavy": comparison.change("ours-9f", "random-9f", LABELLED, HEAVY),
            "scenario 1, moderate": comparison.change("ours-9f", "random-9f", LABELLED, MODERATE),
            "scenario 2, heavy": comparison.change("ours-9f", "random-9f", ALONE, HEAVY),
            "scenario 2, moderate": comparison.change("ours-9f", "random-9f", ALONE, MODERATE),
        },
        test=lambda m: certainly_below(m["scenario 1, heavy"]) and certainly_below(m["scenario 2, heavy"]),
        explanation="A network that has met thousands of lenses recognises a lens from the nine frames in front of it: "
        "that is adaptation in the forward pass, and it leaves little for gradient steps to win.",
        unit="%",
    )
)


# %%
record(
    Claim(
        "label-free-steps",
        LESSON,
        "(2d) The label-free steps themselves lower the error behind heavy lenses.",
        "Cho et al. 2021, scenario 2 (the paper reports no error before these steps)",
        paper={},
        ours={
            "plain": comparison.own_change("plain-9f", ALONE, HEAVY),
            "random lenses": comparison.own_change("random-9f", ALONE, HEAVY),
            "ours, as in the paper": comparison.own_change("ours-9f", ALONE, HEAVY),
            "ours, episodes without labels": comparison.own_change("ours-selfsup-9f", ALONE, HEAVY),
        },
        test=lambda m: certainly_below(m["ours, as in the paper"]),
        explanation="Equal bones are necessary for a right skeleton, not sufficient: the gradient of a bone loss need "
        "not point to the truth. The paper's inner step uses labels, so nothing teaches the network to gain from a "
        "step without them. The last row is our remedy: episodes whose inner step has no labels.",
        unit="%",
    )
)

# %%
ABLATION = {
    "base": "plain-9f",
    "+ MAML": "maml-9f",
    "+ stratified": "stratified-9f",
    "+ random pretraining": "ours-9f",
}
record(
    Claim(
        "ablation",
        LESSON,
        "(3) MAML, then stratified sampling, then pretraining on random lenses each lower the error (d1, d2).",
        "Cho et al. 2021, table 3, 9 frames, scenario 1, mean of d1 and d2 in mm",
        paper={"base": 81.9, "+ MAML": 70.5, "+ stratified": 69.0, "+ random pretraining": 64.6},
        ours={title: comparison.errors(name, LABELLED, HEAVY) for title, name in ABLATION.items()},
        test=lambda m: all(certainly_below(b - a) for a, b in zip(list(m.values())[:-1], list(m.values())[1:])),
        explanation="Holds when every single step down is certain at 95 % (paired over seeds). Here '+ MAML' starts "
        "from the plain network, not from random weights (ours), and all rows saw equally many windows. Stratified "
        "sampling is a small step in the paper, too (2 %), and the hardest to tell from chance.",
        unit="mm",
    )
)

# %%
record(
    Claim(
        "two-ways",
        LESSON,
        "(4) Tasks made from detected 2D keypoints beat tasks made from the true 3D joints.",
        "Cho et al. 2021, table 4: 62.0 against 64.7 (scenario 1), 66.1 against 71.3 (scenario 2), heavy",
        paper={"scenario 1, heavy": -4.2, "scenario 2, heavy": -7.3},
        ours={
            "scenario 1, heavy": comparison.change("ours-9f", "ours-truth-9f", LABELLED, HEAVY),
            "scenario 2, heavy": comparison.change("ours-9f", "ours-truth-9f", ALONE, HEAVY),
        },
        test=lambda m: certainly_below(m["scenario 1, heavy"]) and certainly_below(m["scenario 2, heavy"]),
        explanation="The detector here is simulated; how much its errors matter depends on how strong they are.",
        unit="%",
    )
)

# %% [markdown]
# For claim 5 the sizes are counted at the paper's width of 1024 channels, and once more at ours.

# %%
# NBVAL_CHECK_OUTPUT
for frames in (3, 9, 27):
    wide = TemporalLifter(frames)
    print(
        f"{frames:2d} frames, 1024 channels: {count_parameters(wide):9,d} parameters, "
        f"{flops_per_frame(wide):10,d} FLOPs a frame"
    )

# %%
lens_names = (*HEAVY, *MODERATE)
record(
    Claim(
        "frames",
        LESSON,
        "(5) More frames are better: 3, 9, 27; and adaptation costs nothing at test time.",
        "Cho et al. 2021, table 5, scenario 1, mean over all distortions in mm",
        paper={"plain 27f": 72.4, "ours 3f": 75.0, "ours 9f": 59.8, "ours 27f": 57.6},
        ours={
            "plain 27f": comparison.errors("plain-27f", LABELLED, lens_names),
            "ours 3f": comparison.errors("ours-3f", LABELLED, lens_names),
            "ours 9f": comparison.errors("ours-9f", LABELLED, lens_names),
            "ours 27f": comparison.errors("ours-27f", LABELLED, lens_names),
        },
        test=lambda m: (
            certainly_below(m["ours 9f"] - m["ours 3f"])
            and certainly_below(m["ours 27f"] - m["ours 9f"])
            and certainly_below(m["ours 27f"] - m["plain 27f"])
        ),
        explanation="Holds when 9 beats 3, 27 beats 9, and ours beats plain at 27 frames, each certain at 95 % "
        "(paired). Where a step is not certain, the spread between the people tested is larger than what a longer "
        "input wins. The adapted network has the same layers and sizes as before, so a frame costs exactly the same.",
        unit="mm",
    )
)

# %%
first = {
    title: comparison.errors(name, LABELLED, HEAVY, step=1) - comparison.errors(name, LABELLED, HEAVY, step=0)
    for title, name in SHOWN.items()
}
record(
    Claim(
        "first-step",
        LESSON,
        "(6) During adaptation, the meta-trained network is ahead at every step.",
        "Cho et al. 2021, figure on performance changes during adaptation (no table)",
        paper={},
        ours={
            **{f"{title}, before": comparison.errors(name, LABELLED, HEAVY, step=0) for title, name in SHOWN.items()},
            **{f"{title}, first step": first[title] for title in SHOWN},
            **{f"{title}, at the end": comparison.errors(name, LABELLED, HEAVY) for title, name in SHOWN.items()},
        },
        test=lambda m: all(
            certainly_below(m[f"ours, {when}"] - m[f"{other}, {when}"])
            for other in ("plain", "MAML", "random")
            for when in ("before", "at the end")
        ),
        explanation="Holds when ours is below every other network before and at the end, each certain at 95 % "
        "(paired). The rows 'first step' say what one step changes.",
        unit="mm",
    )
)

# %% [markdown]
# ### And on real people?
#
# The networks were trained on builtin motion *and* real motion capture. The optional recording of real actors is not
# part of this repository; when the checkpoints were trained, the same test was held with four actors that no training
# saw, and written into each checkpoint's JSON. Run this lesson with `MOTION` set to a motion file to measure it anew.

# %%
Markdown(figures.real_actor_table({name: abouts[name] for name in NINE.values()}) + "\n\n" + checkpoints.CREDIT)

# %% [markdown]
# ## Exercises
#
# **1. The inner step** (10 minutes). One gradient step that can itself be differentiated. *What is missing if you
# forget `create_graph=True`?*


# %%
def inner_step(w, loss, alpha):
    """w after one gradient step on loss(w), differentiable with respect to w."""
    ### BEGIN SOLUTION
    (gradient,) = torch.autograd.grad(loss(w), w, create_graph=True)
    return w - alpha * gradient
    ### END SOLUTION


checks.inner_step(inner_step)

# %% [markdown]
# **2. Strata** (5 minutes). Draw `count` values of $k_1$ in $[-\lambda, \lambda]$, the $i$-th from the $i$-th stratum.


# %%
def stratify(count, limit, generator):
    """(count,) values, one in each of `count` equal parts of [-limit, limit]."""
    ### BEGIN SOLUTION
    u = torch.rand(count, generator=generator)
    return -limit + 2 * limit * (torch.arange(count) + u) / count
    ### END SOLUTION


checks.stratify(stratify)

# %% [markdown]
# **3. Equal sides** (15 minutes). The symmetry half of the label-free loss, blind to the skeleton's size.


# %%
def symmetry_loss(pose):
    """Scale-free difference between left and right bones of (frames, 17, 3)."""
    ### BEGIN SOLUTION
    from tutorial_lib.skeleton import SYMMETRIC_BONES, bone_lengths

    bones = bone_lengths(pose)
    left, right = (list(side) for side in zip(*SYMMETRIC_BONES))
    return (bones[:, left] - bones[:, right]).abs().sum(-1).mean() / bones.mean()
    ### END SOLUTION


checks.symmetry_loss(symmetry_loss)

# %% [markdown]
# ## Break it
#
# Take the division by the bone length away, give the label-free loss a large step, and look at the size of the
# skeleton. *Predict what "perfect consistency" looks like.*

# %%
video = LensTest(splits.builtin_split(SEED), SEED, clips=1, calibration_clips=1).through(distortion.PRESETS["d2"])
sizes = {"with the division": [], "without": []}
for name, values in sizes.items():
    victim = checkpoints.load("plain-9f", folder=FOLDER)
    optimiser = torch.optim.Adam(victim.parameters(), 3e-3)
    for _ in range(40):
        pose = victim.lift(video.video)
        mean_bone = skeleton.bone_lengths(pose).mean()
        values.append(mean_bone.item())
        loss = adaptation.self_supervised_loss(pose)
        if name == "without":
            loss = loss * mean_bone  # undoes the division
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
show(
    curves(
        {name: (np.arange(40), 100 * np.array(values)) for name, values in sizes.items()},
        x_title="steps (far too large)",
        y_title="mean bone length (cm)",
        x_range=(0, 40),
        title="A skeleton of length zero is perfectly consistent",
    )
)

# %% [markdown]
# ## Summary
#
# 1. A lens is a task; lenses can be made up, so tasks are free.
# 2. MAML trains the start for the step: its gradient goes through the inner gradient (second order).
# 3. Meeting random lenses in training is most of the gain: such a network recognises a lens from the frames it sees.
# 4. A few labelled windows help the plain network most; what MAML adds to random lenses is small, and label-free steps
#    by themselves win next to nothing, unless the network was trained to gain from them.
# 5. Every number above was measured on people and motions never trained on, and red cards stay red.
#
# ## Further reading
#
# - C. Finn, P. Abbeel, S. Levine: *Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks*, ICML 2017.
# - H. Cho, Y. Cho, J. Yu, J. Kim: *Camera Distortion-aware 3D Human Pose Estimation in Video with Optimization-based
#   Meta-Learning*, ICCV 2021.
# - J. Zhang, X. Nie, J. Feng: *Inference Stage Optimization for Cross-scenario 3D Human Pose Estimation*, NeurIPS 2020.

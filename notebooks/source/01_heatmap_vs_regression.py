# %% [markdown]
# # 01 · How should a network say where a joint is?
#
# **You will** follow one wrist of one person: turn it into a map and back, train a network to paint that map, ask four
# trained networks where the wrist is, and spoil their photos by hand. At the end stands a table: *choose this when*.
#
# **You will learn** coordinate regression, heat maps and three ways to read them, soft-argmax (integral regression),
# residual log-likelihood (RLE), quantisation error, PCK.
#
# **You need** convolutions, a little probability, a little PyTorch. **Time:** 120 minutes, 70 without the exercises;
# section 6 and the cards can wait for a second sitting, and an hour is left.
#
# Everything later in the course begins with joints in a picture: first a person is found (*top-down*: a detector cuts
# them out; *bottom-up*: joints first, people later), then their joints, then the third dimension. Here somebody has cut
# the person out already, and we ask about the last layer of the network that finds the joints: its *head*. What comes
# before it is the *backbone*. *Run all cells first*: what stands here as a picture then moves.

# %%
import numpy as np
import torch
from IPython.display import Markdown, display

from tutorial_lib import checkpoints, heatmaps
from tutorial_lib.datasets.photos import photo_set
from tutorial_lib.display.claims import Claim, all_hold, is_above, is_below, is_within, plus_minus, record
from tutorial_lib.display.predict import Scale, predict
from tutorial_lib.display.preview import show, source
from tutorial_lib.display.tables import folded
from tutorial_lib.heatmaps import RLE, KeypointNet, cost, map_loss
from tutorial_lib.lessons.heatmap_vs_regression import (
    checks,
    costs,
    demo_ambiguity,
    demo_look,
    demo_robustness,
    demo_targets,
    experiment,
    figures,
    measures,
    results,
)
from tutorial_lib.lessons.heatmap_vs_regression.demo_look import WRIST
from tutorial_lib.lessons.heatmap_vs_regression.results import measured, winners
from tutorial_lib.lessons.heatmap_vs_regression.watch import Watch

# %% tags=["parameters"]
PROFILE = "quick"  # "quick": shipped networks, a minute. "full": trains all of them again, wider and longer
SEED = 0
DEVICE = "auto"  # where "full" trains: "cuda" where there is one; demos and tests run on the CPU
MOTION = "builtin"  # this lesson's photos are drawn with builtin motion

# %%
torch.manual_seed(SEED)
torch.set_num_threads(1)  # small networks: a second thread wins little, and costs much where others are at work
LESSON = "01_heatmap_vs_regression"
FOLDER = checkpoints.FOLDER if PROFILE == "quick" else experiment.run_all(PROFILE, device=DEVICE)
FOUND = experiment.results(FOLDER)  # every measured value of every training seed
BUDGET = FOUND["budget"]
NETWORKS = {name: experiment.load(f"lab-{head}-4", FOLDER) for name, (head, _) in results.ROWS.items()}
STRIDES = (2, 4, 8, 16)
TEST = photo_set("test", 128, BUDGET["size"], setting="lab")
PERSON = demo_look.one_person(TEST)  # the one who accompanies this lesson
PHOTO, TRUTH = TEST.select(slice(PERSON, PERSON + 1)).image[0], TEST.keypoints[PERSON, WRIST]
print(f"{PROFILE} profile, {BUDGET['seeds']} training seeds; the wrist is at x, y = {TRUTH[0]:.2f}, {TRUTH[1]:.2f}")

# %% [markdown]
# Places are *screen coordinates*: x and y from −1 to 1 across the photo, y downwards. A *half width* is 1.
#
# ## 1. Three ways to say where
#
# A network looks at a photo and must say where the left wrist is. It can
#
# - **say two numbers** (*coordinate regression*): $\hat{\mathbf x} = W\mathbf f + \mathbf b$ from its last features
#   $\mathbf f$, trained by the distance to the truth. DeepPose (2014) did this;
# - **paint a picture** (*heat map*): one value per cell, trained towards a bump
#   $H(\mathbf u) = \exp\!\big(-\lVert\mathbf u - \mathbf u^*\rVert^2 / 2\sigma^2\big)$ around the true place
#   $\mathbf u^*$. Where the picture is highest, there is the joint: $\hat{\mathbf u} = \arg\max H$;
# - **paint, then average** (*soft-argmax, integral regression*): $p = \mathrm{softmax}(H)$,
#   $\hat{\mathbf x} = \sum_{\mathbf u} p(\mathbf u)\, \mathbf x(\mathbf u)$, trained by the distance to the truth
#   again, through the picture.
#
# A map is coarser than the photo: one cell stands for *stride* × *stride* pixels. `argmax` names a cell, and the joint
# may be anywhere in it. Two repairs read between the cells. The **quarter shift** (2016) moves a quarter cell towards
# the higher neighbour. **DARK** (2020) takes the logarithm, because the logarithm of a bump is a parabola, and jumps to
# the top of the parabola with one Newton step, $\hat{\mathbf u} = \mathbf m - (\nabla^2 \log H)^{-1}\,\nabla \log H$.

# %%
source(heatmaps.quarter_shift)

# %% [markdown]
# > **Predict.** A perfect map with stride 4. How far from the truth is `argmax` on average, in pixels? And where within
# > its cell must the joint be for the quarter shift to be right?

# %%
OFF, RIGHT = "argmax is off by", "the quarter shift is right"
SPOTS = {"near the middle": (0.05, 0.05), "a quarter off, in x": (0.25, 0.05),
         "a quarter off, in x and y": (0.25, 0.25), "at the border": (0.49, 0.49)}  # fmt: skip
grid_guess = predict({OFF: Scale(0, 4, 0.1, "px"), RIGHT: list(SPOTS)})
grid_guess

# %% [markdown]
# Our wrist and its target map, then the cells around it, then the error of all four decoders while the wrist crosses
# one cell: *play* moves it, and you can drag it in the photo. *Temperature* belongs to the soft-argmax: the map is
# divided by it before the softmax.

# %%
target = demo_targets.target_demo(PHOTO, TRUTH)
target

# %% tags=["demo-test"]
target.set(**target.presets["our wrist"]).check()
worst = {name: values.max().item() for name, values in target.arrays["errors"].items()}
assert worst["DARK"] < 0.01 < 1.9 < worst["argmax"]
target.set(**target.presets["rounded targets"]).check()  # what is lost before training, no decoder brings back
assert target.arrays["errors"]["DARK"].max() > 1.9
target.reset().set(temperature=1.0).check()
assert target.arrays["errors"]["soft-argmax"].min() > 2  # a bump of height 1 is nearly flat as a logit
for corner in ((1.0, 1.0), (1.0, BUDGET["size"] - 1.0), (BUDGET["size"] - 1.0, BUDGET["size"] - 1.0)):
    target.set(x=corner[0], y=corner[1]).check()  # a marker that leaves the close-up is left out
target.reset().check()
print("the target demo moves")

# %%
exact = figures.quantisation_table(STRIDES, range(SEED, SEED + 20))  # decoder -> (strides, seeds) pixels
grid_px = {name: errors[STRIDES.index(4)].mean() for name, errors in exact.items()}
spot_px = demo_targets.quarter_errors(SPOTS)
grid_guess.answer(
    {OFF: grid_px["argmax"], RIGHT: min(spot_px, key=spot_px.__getitem__)},
    "**What you saw.** `argmax` is best in the middle of the cell and worst at its border; what is left in the middle "
    "is the joint's offset in $y$. The quarter shift draws the same curve twice, and smaller. It is right where the "
    "joint is a quarter cell off the middle in *both* directions: with stride 4 it is off by "
    + ", ".join(f"{px:.2f} px {spot}" for spot, px in spot_px.items())
    + ". In the very middle both neighbours are equally high, a tie, so it does not move: that is the yellow spike. "
    "DARK lies on zero, as long as the map is an exact bump: choose *rounded targets* (the bump sits in the middle of "
    "its cell, as in SimpleBaseline), and DARK is no better than `argmax`; choose *noise*, and it needs the blur "
    "first. The green wave is the soft-argmax of a bump that was *not* trained for it: at a low temperature it is "
    "nearly `argmax`, and at temperature 1 its marker walks away to the middle of the photo.\n\n"
    "**On average** over joints anywhere in their cells `argmax` is off by the mean distance of a point of the unit "
    rf"square from its middle, $(\sqrt 2 + \operatorname{{arsinh}} 1)/6 = 0.3826$ cells: {grid_px['argmax']:.2f} px, "
    f"the quarter shift by {grid_px['quarter shift']:.2f} px, as if the square had half the side, DARK by "
    f"{grid_px['DARK']:.2f} px. The *mean place*, the average under the bump itself, is what a network trained through "
    f"the soft-argmax learns to paint: it pays nothing for the grid ({grid_px['mean place']:.2f} px).",
)

# %%
show(figures.quantisation_figure(STRIDES))

# %% [markdown]
# ## 2. What a loss does with doubt
#
# A wrist is behind the back. From the photo alone it may be left or right of the body. What does each way of
# answering do with that? Squared error is smallest at the *mean* of the possible places, absolute error at their
# *median*. A heat map trained by squared error is, in every cell, the mean of the possible bumps: it keeps both.
#
# > **Predict.** Place A has probability 0.6, place B 0.4. Where does each method put the joint, and is that a place
# > where it *can* be? Who jumps when the probability goes from 0.52 to 0.48?

# %%
SAYS = {"squared error": "L2: the mean", "absolute error": "L1: the median", "the map's peak": "argmax of the map",
        "the map's mean": "soft-argmax of the map"}  # fmt: skip
JUMPS = "who jumps?"
doubt_guess = predict(dict.fromkeys(SAYS, ["at A", "between", "at B"]) | {JUMPS: list(SAYS)})
doubt_guess

# %% [markdown]
# Drag A or B; *play* turns the odds.

# %%
ambiguity = demo_ambiguity.ambiguity_demo()
ambiguity

# %% tags=["demo-test"]
ambiguity.set(p=0.6, apart=1.2).check()
said = ambiguity.arrays["said"]
assert abs(said["L2: the mean"] + 0.12) < 0.01 and abs(said["soft-argmax of the map"] + 0.12) < 0.02
assert abs(said["argmax of the map"] + 0.6) < 0.02  # one of the two places
ambiguity.set(p=0.4).check()
assert abs(ambiguity.arrays["said"]["argmax of the map"] - 0.6) < 0.02
before, after = (ambiguity.set(p=p).check().arrays["said"] for p in (0.52, 0.48))
ambiguity.reset().check()
print("the ambiguity demo moves")

# %%
places = {"at A": -0.6, "between": 0.0, "at B": 0.6}
nearest = {short: min(places, key=lambda spot: abs(places[spot] - said[name])) for short, name in SAYS.items()}
doubt_guess.answer(
    nearest | {JUMPS: [short for short, name in SAYS.items() if abs(after[name] - before[name]) > 0.6]},
    "**What you saw.** A is at −0.6, B at 0.6. With 0.6 for A the answers are "
    + ", ".join(f"{said[name]:.2f} ({name})" for name in SAYS.values())
    + ". The mean lies where the joint never is. The median and the map's peak choose a side, and jump to the other "
    "when the odds turn: from 0.52 to 0.48 they move by "
    f"{after['L1: the median'] - before['L1: the median']:.2f} and "
    f"{after['argmax of the map'] - before['argmax of the map']:.2f} half widths. The soft-argmax of this map falls "
    "between again: an average is an average. (Trained *through* the soft-argmax, a map need not show both places at "
    "all: only its mean is judged.)",
)

# %% [markdown]
# **RLE** (residual log-likelihood, 2021) keeps the two numbers and adds two widths: the network says $\hat{\mathbf x}$
# *and* $\hat\sigma$, and pays, in nats (natural logarithms),
#
# $$-\log p(\mathbf x^*) = \log \hat\sigma_x \hat\sigma_y - \log q(\mathbf z) - \log r(\mathbf z), \qquad
# \mathbf z = (\mathbf x^* - \hat{\mathbf x}) / \hat\sigma,$$
#
# with a Laplace density $q$ and a small normalising flow for the rest, $r$, shared by all joints and thrown away after
# training. In doubt it may widen, and a joint with a wide $\hat\sigma$ pulls less: the clear joints teach more. It
# still has one middle. This is our form, a density. The paper's code makes another sum small, with the flow around a
# normal distribution and counted twice; both are raced below, and a third in which all joints pull alike.

# %%
source(RLE.log_density, RLE.log_residual)

# %% [markdown]
# ## 3. One backbone, four heads
#
# For a fair race everything but the head must be equal. The backbone has four stages, each halves the picture. The
# regression heads pool the last stage and multiply; the map heads climb back up to the map's stride. (*Ours*: papers
# use ResNet-50 and photos of 256 × 192 pixels. Our photos have 64 × 64 pixels and are drawn, with a renderer that
# knows every joint, also the hidden ones. The demos show people seen from the front, in one laboratory.)

# %%
source(KeypointNet.forward, map_loss)

# %% [markdown]
# ### Train one yourself
#
# This is all that a training is. It takes about 20 seconds; the picture below the cell is drawn anew while it runs.
# Say what you expect, then run it (again) and watch; change `HEAD`, `RATE` or `SIGMA`.
#
# > **Predict.** Before training the answer is anywhere. Which comes first: an error below that of the *mean pose*,
# > which looks at nothing, or an answer within 5 px of our wrist? And where will it end? (The shipped networks see
# > more.)

# %%
FIRST, ENDS = "first comes", "at last the mean error is"
COMES = ["better than the mean pose", "our wrist within 5 px", "neither: too few steps"]
own_guess = predict({FIRST: COMES, ENDS: Scale(0, 10, 0.1, "px")})
own_guess

# %%
HEAD, RATE, SIGMA, STEPS, BATCH = "heatmap", 0.003, 1.5, 800, 16
LEARN = photo_set("train", 1500, 64, setting="lab")
OTHERS = photo_set("test", 64, 64, setting="lab")
blind_px = measures.mean_error(LEARN.keypoints.mean(0).expand_as(OTHERS.keypoints), OTHERS)
watch = Watch(OTHERS, demo_look.one_person(OTHERS), blind_px, STEPS)

torch.manual_seed(SEED)
network = KeypointNet(HEAD, channels=(8, 16, 32, 64), width=24, sigma=SIGMA)
optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
with own_guess.covered():
    for step in range(STEPS):
        if step % 80 == 0:
            watch.show(step, network)
        batch = LEARN.select(torch.randint(len(LEARN), (BATCH,)))
        loss = network.loss(batch.image, batch.keypoints, batch.inside)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    watch.show(STEPS, network)

# %% tags=["volatile"]
passed = next((step for step, error in watch.points if error < blind_px), None)
found = next((step for step, error in watch.wrist if error < 5), None)
begun = [step for step in (passed, found) if step is not None]
own_guess.answer(
    {
        FIRST: [text for text, step in zip(COMES, (passed, found)) if begun and step == min(begun)] or COMES[-1],
        ENDS: watch.points[-1][1],
    },
    f"**What you saw.** The mean pose has {blind_px:.2f} px. This network "
    + ("has not passed it yet" if passed is None else f"has passed it at step {passed}")
    + f" and ends at {watch.points[-1][1]:.2f} px after {STEPS} steps of {BATCH} photos. Our wrist "
    + ("was never within 5 px" if found is None else f"is within 5 px at step {found} for the first time")
    + f", and at last {watch.wrist[-1][1]:.1f} px off. A map first learns where wrists usually are, a wide cloud low "
    "beside the body; a raised arm comes late. The networks below had "
    f"{BUDGET['steps']} steps of {BUDGET['batch']}, of {BUDGET['photos']} photos, and a wider backbone.",
)

# %% [markdown]
# ### Ask four trained networks
#
# Now the networks that ship with the course, trained on people seen from the front. The blue shade is what the chosen
# network *believes* of the joint: a heat map is itself, an integral map its softmax, RLE the Laplace density around its
# two numbers. Plain regression believes nothing but two numbers.
#
# > **Predict.** *The most doubtful wrist* is in the photo whose heat map has the highest second peak. Where is the
# > truth? And who answers at one of the two peaks (within a cell, 4 px), and not between them or elsewhere?

# %%
WHERE, WHO = "the truth is", "at a peak is"
AT = ["at the higher peak", "at the lower peak", "at neither (over 4 px from both)"]
look_guess = predict({WHERE: AT, WHO: [name for name in NETWORKS if name != "heat map"] + ["nobody"]})
look_guess

# %%
look = demo_look.look_demo(NETWORKS, TEST)
look

# %% tags=["demo-test"]
for preset in look.presets.values():
    look.set(**preset).check()
asked = {}
for name in NETWORKS:
    look.set(network=name, photo=PERSON, joint=WRIST).check()
    asked[name] = look.arrays["px"][name][WRIST].item()
assert look.set(network="regression").check().arrays["heat"] is None
doubtful = look.set(**look.presets["the most doubtful wrist"]).check().arrays
look.reset().check()
print("the look demo moves")

# %%
unsure = look.presets["the most doubtful wrist"]["photo"]
peaks, heights = demo_look.two_peaks(measures.outputs(NETWORKS["heat map"], TEST.image)[unsure, WRIST][None])
half = BUDGET["size"] / 2
from_truth = half * (peaks[0] - doubtful["truth"][WRIST]).norm(dim=-1)
from_peak = {name: half * (peaks[0] - p[WRIST]).norm(dim=-1).min().item() for name, p in doubtful["points"].items()}
look_guess.answer(
    {
        WHERE: AT[int(from_truth.argmin())] if from_truth.min() < 4 else AT[2],
        WHO: [name for name in NETWORKS if name != "heat map" and from_peak[name] < 4] or "nobody",
    },
    "**What you saw.** On our wrist the heads are off by "
    + ", ".join(f"{px:.1f} px ({name})" for name, px in asked.items())
    + ". On the doubtful one by "
    + ", ".join(f"{px[WRIST]:.1f} px ({name})" for name, px in doubtful["px"].items())
    + f"; there the second peak has {100 * heights[0, 1] / heights[0, 0]:.0f} % of the height of the first, the truth "
    f"is {from_truth[0]:.0f} px from the first and {from_truth[1]:.0f} px from the second, and the answers are "
    + ", ".join(f"{px:.1f} px ({name})" for name, px in from_peak.items())
    + " from the nearer of the two. The heat map is read at its highest peak, so it answers near one of the places; "
    "the others were trained to make the *expected* distance small, and may answer between. RLE may widen its "
    "σ̂ instead: compare *RLE on our wrist* with *RLE's doubt*.",
)

# %% [markdown]
# ## 4. What a head costs
#
# > **Predict.** Which head needs the least arithmetic? By what factor does a heat map need more memory than regression:
# > in training, and in the numbers that leave the network?

# %%
LEAST, KEPT, LEAVES = "least arithmetic", "training keeps", "leaving the network"
cost_guess = predict({LEAST: list(NETWORKS), KEPT: Scale(1, 20, 0.1, "times"), LEAVES: Scale(1, 300, 1, "times")})
cost_guess

# %% tags=["volatile"]
with cost_guess.covered():
    display(Markdown(costs.cost_table(NETWORKS)))

# %%
one = {name: cost(model) for name, model in NETWORKS.items()}
kept = costs.training_kb(NETWORKS["heat map"]) / costs.training_kb(NETWORKS["regression"])
more = one["heat map"].output / one["regression"].output
least = min(c.multiply_adds for c in one.values())
cost_guess.answer(
    {LEAST: [name for name, c in one.items() if c.multiply_adds < 1.02 * least], KEPT: kept, LEAVES: more},
    "**The answer.** Regression, and RLE, whose flow only training needs: the map heads multiply "
    f"{one['heat map'].multiply_adds / one['regression'].multiply_adds:.1f} times as often, and {more:.0f} times as "
    f"many numbers leave the network. What training keeps differs far less ({kept:.1f} times): most of it is the "
    "backbone's. Counted for one photo; training memory is what autograd keeps of it for the way back, with RLE's "
    "flow. The milliseconds are your machine's, from the picture to the joints.",
)

# %% [markdown]
# With a larger photo, the map grows with its area, the two numbers do not. That is why regression survives on phones:
# it has no way back up, and nothing to search for a peak.
#
# ## 5. The race
#
# The measures first.
#
# - **Mean error** in pixels of the 64-pixel photo, over all joints in the picture.
# - **Sides forgiven**: the same, but a person whose left and right fit better when exchanged, all at once, is exchanged
#   first. The difference to the mean error is what it costs to take a back for a front. **Turned round** is the share
#   of such people.
# - **PCK**, the percentage of correct keypoints: a joint counts as found if it is nearer to the truth than a share of
#   the torso. One threshold hides much, so look at the whole curve: its left part shows precision, its right part
#   blunders.
# - **Answers that look at nothing**: the mean pose or the median pose of all training photos for everybody, and the
#   pose of another person, drawn by lot. Whoever does not beat them has learned nothing from the photo.
#
# Two kinds of photos: people *seen from everywhere*, before many backgrounds, often with something in the way; and
# people *seen from the front*, in one laboratory, as in lesson 02. Our person is one of the latter.
#
# The rules: equal photos, batches, steps and schedule. Each head chose its learning rate, and the heat maps the width
# of their bump, on *validation* photos in short runs. Each climbs the same ladder until its best (a star) has a worse
# neighbour on both sides.

# %%
folded("What was tried, and what was chosen", results.search_table(FOUND))

# %%
heat = next(row for row in FOUND["search"] if row["kind"] == "world-heatmap-4")
by_width = {one["sigma"]: one["error_px"] for one in heat["tried"] if one["rate"] == heat["rate"]}
Markdown(
    "**The width of the bump.** The same network at the same rate, by σ in cells: "
    + ", ".join(f"{by_width[width]:.2f} px ({width:g})" for width in sorted(by_width))
    + ". A thin bump is one bright cell among hundreds of dark ones, and painting nothing is nearly right; a wide one "
    "says little about where."
)

# %% [markdown]
# > **Predict,** for people seen from everywhere. Which curve is highest on the far left, which is the exact answers? Do
# > curves cross? How far below the best is the mean pose at a fifth of the torso?

# %%
LEFT, CROSS, BELOW = "highest on the left", "curves", "the mean pose is lower by"
CROSSED = ["cross", "do not: one leads all the way", "the seeds do not tell"]
CROSS_TOLD = dict(
    zip(CROSSED, ["The lead changes.", "The lead stays.", "Whether the lead changes, the seeds do not tell."])
)
curve_guess = predict({LEFT: list(results.ROWS), CROSS: CROSSED, BELOW: Scale(0, 100, 1, "points")})
curve_guess

# %%
with curve_guess.covered():
    show(results.pck_sweep(FOUND))

# %%
pck = {name: measured(FOUND, name, "pck") for name in results.ROWS}  # (seeds, thresholds)
left, right = (winners({name: -row[:, end] for name, row in pck.items()}) for end in (0, -1))
blind, fifth = np.array(FOUND["blind"]["world"]["mean pose"]["pck"]), FOUND["thresholds"].index(0.2)
highest = max(row[:, fifth].mean() for row in pck.values())
led = CROSSED[0] if not {*left} & {*right} else CROSSED[1] if left == right and len(left) == 1 else CROSSED[2]
curve_guess.answer(
    {LEFT: left, CROSS: led, BELOW: float(100 * (highest - blind[fifth]))},
    f"**The answer,** seen from everywhere. Within {FOUND['thresholds'][0]:g} of the torso most joints are found by "
    f"*{' or '.join(left)}* ({left[0]}: {100 * pck[left[0]][:, 0].mean():.0f} %, the mean pose {100 * blind[0]:.0f} "
    f"%); within {FOUND['thresholds'][-1]:g} by *{' or '.join(right)}* ({right[0]}: "
    f"{100 * pck[right[0]][:, -1].mean():.1f} %, the mean pose {100 * blind[-1]:.1f} %). More than one name: the "
    f"seeds do not tell them apart. {CROSS_TOLD[led]} At a fifth of the torso the best finds {100 * highest:.0f} %, "
    f"the mean pose {100 * blind[fifth]:.0f} %.",
)

# %% [markdown]
# People seen from everywhere:

# %%
Markdown(results.results_table(FOUND))

# %%
folded("The same, people seen from the front", results.results_table(FOUND, "lab"))

# %%
flat = FOUND["blind"]["world"]["mean pose"]
shares = {name: 100 * (1 - measured(FOUND, name, "forgiving_px") / measured(FOUND, name)) for name in results.ROWS}
Markdown(
    "Behind ±: half the 95 % interval over training seeds (Student's t). **How much of the error is doubt about left "
    "and right?** Forgiving it takes away "
    + ", ".join(f"{plus_minus(share)} % ({name})" for name, share in shares.items())
    + " of the error of people seen from everywhere. The rest is elsewhere: limbs that are hidden, and places that are "
    "not exact. *Hidden joints* need a careful look, for even an answer that looks at nothing does differently "
    f"there: the mean pose is off by {flat['hidden_px']:.2f} px on hidden joints, by {flat['visible_px']:.2f} px on "
    "those that are seen."
)

# %%
largest = 0.0  # the shipped networks are tried again, now, here, and must give what was recorded
for setting in results.SETTINGS:
    sample = photo_set("test", experiment.SAMPLE, BUDGET["size"], setting=setting)
    for name, (head, decoder) in results.ROWS.items():
        points = measures.predict(experiment.load(f"{setting}-{head}-4", FOLDER), sample)[decoder]
        now, recorded = measures.mean_error(points, sample), FOUND["sample_error_px"][f"{setting}-{head}-4"][decoder]
        assert abs(now - recorded) < 0.02, f"{name}, {setting}: {now:.3f} px now, {recorded:.3f} recorded"
        largest = max(largest, abs(now - recorded))
Markdown(
    "**No number stands on trust.** The shipped networks were tried again just now, on "
    f"{experiment.SAMPLE} photos of each kind; the largest difference to what was recorded is {largest:.3f} px."
)

# %% [markdown]
# Did everybody have time enough? Whole trainings of a quarter of the steps, of all, and of twice as many. (The learning
# rate falls to nothing over every one of them, so half a training is no short training.)

# %%
show(results.steps_figure(FOUND))

# %%
orders = {
    length: sorted(results.ROWS, key=lambda name: measured(FOUND, name, length=length).mean())
    for length in ("short", "usual", "long")
}
Markdown(
    "**Best first** after a quarter of the steps: "
    + "; after all: ".join(", ".join(orders[length]) for length in ("short", "usual"))
    + f"; after twice as many ({BUDGET['long_seeds']} seeds): {', '.join(orders['long'])}. "
    + ("More time changes the order no more." if orders["usual"] == orders["long"] else "More time still changes it.")
)

# %% [markdown]
# > **Predict.** With few photos, is the gap between regression and heat map wider or narrower? And from stride 4 to 8
# > the grid alone costs `argmax` 1.5 px more: what does it cost a *trained* heat map?

# %%
FEW, COARSER = "with few photos the gap is", "a trained map pays"
GAPS = {True: "wider", False: "narrower", None: "the seeds do not tell"}
more_guess = predict({FEW: list(GAPS.values()), COARSER: Scale(-1, 4, 0.1, "px more")})
more_guess

# %%
with more_guess.covered():
    show(results.data_figure(FOUND))
    show(results.stride_figure(FOUND))

# %%
gap = {
    few: measured(FOUND, "regression", few=few, length="short") - measured(FOUND, "heat map", few=few, length="short")
    for few in (True, False)
}
by_stride = {(s, d): measured(FOUND, "heat map", decoder=d, stride=s) for s in (2, 4, 8) for d in ("argmax", "DARK")}
coarser, on_paper = (by_stride[8, "argmax"] - by_stride[4, "argmax"]).mean(), 4 * heatmaps.MEAN_RESIDUAL
more_guess.answer(
    {FEW: GAPS[is_above(gap[True] - gap[False])], COARSER: float(coarser)},
    f"**The answer.** Regression minus heat map: {plus_minus(gap[True], 2)} px with {BUDGET['few']} photos, "
    f"{plus_minus(gap[False], 2)} px with {BUDGET['photos']}. From stride 4 to 8 `argmax` pays {coarser:.2f} px, "
    f"where the grid alone costs {on_paper:.2f} px more"
    + (": errors of different origin do not add up, the larger one hides the smaller." if coarser < on_paper else "."),
)

# %% [markdown]
# ## 6. Make the photo worse
#
# One thing at a time: move the crop, hide the legs, blur, take pixels away.
#
# > **Predict.** Nobody showed these networks badly centred crops. Which head suffers most when the person is no longer
# > in the middle? And which suffers most from blur?

# %%
SHIFT, BLUR = "the shifted crop costs most", "blur costs most"
worse_guess = predict({SHIFT: list(NETWORKS), BLUR: list(NETWORKS)})
worse_guess

# %% [markdown]
# *Play* makes it worse; the grey disc can be dragged. The curves are means over 24 photos.

# %%
robustness = demo_robustness.robustness_demo(NETWORKS, TEST.select(slice(0, 24)), PERSON)
robustness

# %% tags=["demo-test"]
for preset in robustness.presets.values():
    robustness.set(**preset).check()
for name in NETWORKS:
    robustness.set(kind="blur", strength=1.0, network=name).check()
assert all(row[-1] != row[0] for row in robustness.arrays["sweep"].values())  # blur leaves nobody as they were
robustness.reset().check()
print("the robustness demo moves")

# %% [markdown]
# The same over all training seeds and test photos of people seen from everywhere, at one strength of each (a disc of
# 0.4, a shift of 0.3 half widths, a blur of 2 pixels):

# %%
Markdown(results.worse_table(FOUND))

# %%
lost = {
    kind: {name: measured(FOUND, name, kind) - measured(FOUND, name) for name in results.ROWS}
    for kind in ("shift", "blur", "disc")
}
most = {kind: winners({name: -px for name, px in row.items()}) for kind, row in lost.items()}
worse_guess.answer(
    {SHIFT: most["shift"], BLUR: most["blur"]},
    "**In the table.** "
    + "; ".join(
        f"{text} costs *{' or '.join(most[kind])}* most ({most[kind][0]}: {lost[kind][most[kind][0]].mean():+.2f} px)"
        for kind, text in (("shift", "A shifted crop"), ("blur", "blur"), ("disc", "the disc"))
    )
    + ". More than one name: the seeds do not tell them apart. A convolution does not care where a person is, and the "
    "map heads are convolutions from the photo to the peak; a linear layer has learned where people stand. "
    + ("That explains the crop. " if {*most["shift"]} <= {"regression", "RLE"} else "That alone does not explain the "
       "crop. ")
    + "Why blur and disc rank the heads as they do, this experiment does not tell.",
)  # fmt: skip

# %% [markdown]
# **Does a head know when it is wrong?** A heat map has the height of its peak, an integral map the spread of its
# softmax, RLE its σ̂. For every joint, take the half of the photos on which the head is surest: if what it says is
# worth something, the error there is smaller. (Joint by joint, because "hips are easier than wrists" is no news.)

# %%
Markdown(results.trust_table(FOUND))

# %% [markdown]
# ## 7. Choose this when
#
# The answer to the title, as far as these experiments carry. A name stands alone where it is certainly better (95 %,
# paired seeds) than each that is not named beside it.

# %%
Markdown(results.choice_table(FOUND, NETWORKS))

# %% [markdown]
# What no table of ours says: a heat map can show *two* people's wrists, regression needs somebody to cut people out
# first. And at 256 pixels and 4 of stride a map is 16 times as large as ours, so the rows on cost weigh more.
#
# ## Claim cards
#
# Seeds are *training* seeds: other weights at the start, other batches. *Certain* means: the 95 % interval over seeds
# lies on one side. Two heads of one seed saw the same batches, so differences are taken seed by seed, and printed so.


# %%
def paired(better, worse, **run):
    """One difference a seed, in pixels: negative where the first is better."""
    return measured(FOUND, better, **run) - measured(FOUND, worse, **run)


def both(better, worse):
    """The difference in both kinds of photos, for a card."""
    return {f"{better} − {worse}, {text}": paired(better, worse, setting=s) for s, text in results.SETTINGS.items()}


LONGER = f"After twice the steps ({BUDGET['long_seeds']} seeds, seen from everywhere): "
UNDECIDED = f"{BUDGET['seeds']} seeds do not tell; more of them, or longer trainings, would."
record(
    Claim(
        "heat-map-wins",
        LESSON,
        "With equal backbone, photos and steps, a heat map beats plain regression, on both kinds of photos.",
        "Xiao et al. 2018 (SimpleBaseline): 70.4 AP on COCO, ResNet-50 with a heat map; no regression beside it",
        paper=None,
        ours=both("heat map", "regression"),
        test=lambda m: all_hold(*map(is_below, m.values())),
        explanation="Read by DARK. " + LONGER + f"{paired('heat map', 'regression', length='long').mean():+.2f} px.",
        if_undecided=UNDECIDED,
        unit="px, mean error",
    )
)

# %%
record(
    Claim(
        "integral-wins",
        LESSON,
        "Through a map, the same loss on the same two numbers gives better numbers, on both kinds of photos.",
        "Sun et al. 2018 (integral regression), the idea of the paper; no figure taken from it",
        paper=None,
        ours=both("integral", "regression"),
        test=lambda m: all_hold(*map(is_below, m.values())),
        explanation="Regression and the integral network differ in nothing but the way to the numbers. "
        + LONGER
        + f"{paired('integral', 'regression', length='long').mean():+.2f} px. Lesson 02 asks the same in space: there "
        "a network also says the depth, from a volume, and errors are millimetres of a pose from its root. A verdict "
        "here is one on two coordinates of the picture.",
        if_undecided=UNDECIDED,
        unit="px, mean error",
    )
)

# %%
record(
    Claim(
        "gap-and-data",
        LESSON,
        "The gap between regression and heat map shrinks with data.",
        "often said; no table",
        paper=None,
        ours={
            f"gap with {BUDGET['few']} photos": gap[True],
            f"gap with {BUDGET['photos']} photos": gap[False],
            "many minus few": gap[False] - gap[True],
        },
        test=lambda m: is_below(m["many minus few"]),
        explanation="Both after a quarter of the steps, with the best weights on validation photos, so that nobody is "
        "judged by what was learned by heart.",
        if_undecided=UNDECIDED,
        unit="px, regression minus heat map",
    )
)

# %%
middle = (measured(FOUND, "regression") + measured(FOUND, "heat map")) / 2
record(
    Claim(
        "rle",
        LESSON,
        "A heat map beats plain regression, and RLE closes at least half of the gap.",
        "Li et al. 2021 (RLE), the aim of the paper; no figure taken from it (on COCO, 270 epochs)",
        paper=None,
        ours={
            "heat map − regression": paired("heat map", "regression"),
            "RLE − regression": paired("RLE", "regression"),
            "RLE, the paper's sum − regression": paired("released", "regression"),
            "RLE, all joints pull alike − regression": paired("even", "regression"),
            "RLE − half way to the heat map": measured(FOUND, "RLE") - middle,
        },
        test=lambda m: all_hold(is_below(m["heat map − regression"]), is_below(m["RLE − half way to the heat map"])),
        explanation="Our form is judged, two others stand beside it, seen from everywhere. "
        + LONGER
        + f"RLE − regression {paired('RLE', 'regression', length='long').mean():+.2f} px.",
        if_not="A likelihood pulls a place with a force of 1 / σ̂, so what is doubted is hardly learned from. With that "
        f"taken away (*all joints pull alike*) our form's error is {plus_minus(paired('RLE', 'even'), 2)} px smaller: "
        "part of the answer. The rest this experiment does not explain.",
        if_undecided=UNDECIDED,
        unit="px, mean error",
    )
)

# %%
record(
    Claim(
        "left-right",
        LESSON,
        "Most of the error is people whose left and right are taken for one another.",
        "a guess of an earlier edition of this lesson",
        paper=None,
        ours=shares,
        test=lambda m: all_hold(*(is_above(share, 50) for share in m.values())),
        explanation="The share of the error that disappears when whole people may be exchanged, seen from everywhere.",
        if_not="It is an easy thing to believe of photos of 64 pixels; “turned round” in the table says how often.",
        if_undecided=UNDECIDED,
        unit="%",
    )
)

# %%
gain = {
    f"{side} px photo, {cells} cells": 100
    * (
        measured(FOUND, "heat map", "torso", "quarter shift", stride=2, shrunk=small)
        - measured(FOUND, "heat map", "torso", "DARK", stride=2, shrunk=small)
    )
    for side, cells, small in (
        (BUDGET["size"] // 2, BUDGET["size"] // 4, True),
        (BUDGET["size"], BUDGET["size"] // 2, False),
    )
}
(coarse, fine) = gain.values()
record(
    Claim(
        "dark",
        LESSON,
        "What DARK gains over the quarter shift grows as the resolution falls.",
        "Zhang et al. 2020 (DARK): 59.3 to 62.6 AP at 128 × 96 pixels, 74.4 to 75.6 AP at 256 × 192",
        paper=None,
        ours=gain | {"coarse minus fine": coarse - fine},
        test=lambda m: is_above(m["coarse minus fine"]),
        explanation="As in the paper the photo shrinks together with the map, and the stride (here 2) stays.",
        if_not="DARK needs two cells on each side of the peak; where there are few cells, it answers like argmax.",
        if_undecided=UNDECIDED,
        unit="% of the torso, mean error",
    )
)

# %%
record(
    Claim(
        "resolution",
        LESSON,
        "The coarser the grid, the larger the error of a heat map that is read by argmax: strides 2, 4, 8.",
        "Zhang et al. 2020 (DARK), section 1 (quantisation); no table of strides",
        paper=None,
        ours={
            f"stride {b} − stride {a}, {d}": by_stride[b, d] - by_stride[a, d]
            for d in ("argmax", "DARK")
            for a, b in ((2, 4), (4, 8))
        },
        test=lambda m: all_hold(*(is_above(m[f"stride {b} − stride {a}, argmax"]) for a, b in ((2, 4), (4, 8)))),
        explanation="All with the rate of stride 4; each stride chose the width of its bumps. DARK stands beside it: "
        "what it leaves is not the grid.",
        if_not="A finer map has more cells to paint right in the same time.",
        if_undecided=UNDECIDED,
        unit="px, mean error",
    )
)

# %%
relative = {name: (errors / np.array(STRIDES)[:, None]).mean(0) for name, errors in exact.items()}
record(
    Claim(
        "quantisation",
        LESSON,
        "On perfect maps argmax is off by 0.383 cells, the quarter shift by half of that, DARK not at all.",
        "closed form: (√2 + arsinh 1) / 6 cells (no paper)",
        paper={"argmax": heatmaps.MEAN_RESIDUAL, "quarter shift": heatmaps.MEAN_RESIDUAL / 2, "DARK": 0.0},
        ours={name: relative[name] for name in ("argmax", "quarter shift", "DARK")},
        test=lambda m: all_hold(
            is_within(m["argmax"] / heatmaps.MEAN_RESIDUAL, 0.98, 1.02),
            is_within(m["quarter shift"] / heatmaps.MEAN_RESIDUAL, 0.49, 0.51),
            is_below(m["DARK"], 0.01),
        ),
        explanation="Seeds are 400 random joints each, on grids of four strides. Holds within 2 % of the closed form, "
        "which stands in the column of the paper.",
        if_undecided="More joints would tell.",
        unit="cells, mean error",
    )
)

# %%
record(
    Claim(
        "cost",
        LESSON,
        "Regression is the cheap way: at least a fifth less arithmetic than a heat map, and fewer numbers out.",
        "counted (no table); Li et al. 2021 name the cost of heat maps as their reason to regress",
        paper=None,
        ours={f"{name}, multiply-adds": [c.multiply_adds / 1e6] for name, c in one.items()}
        | {f"{name}, numbers out": [c.output] for name, c in one.items()},
        test=lambda m: bool(
            m["regression, multiply-adds"][0] < 0.8 * m["heat map, multiply-adds"][0]
            and m["regression, numbers out"][0] < m["heat map, numbers out"][0]
        ),
        explanation="Counted, not measured: there is no spread. The backbone is most of both; the larger the backbone, "
        "the smaller the difference.",
        unit="millions, and numbers",
    )
)

# %%
ratio = {name: measured(FOUND, name, "surest_px") / measured(FOUND, name) for name in ("RLE", "heat map", "integral")}
record(
    Claim(
        "knows",
        LESSON,
        "Heads that say how sure they are know when they err: on the surest half errors are at least a fifth smaller.",
        "Li et al. 2021 (RLE) score a joint by 1 − mean σ̂; heat maps are scored by their peak; no such figure",
        paper=None,
        ours={name: 100 * values for name, values in ratio.items()},
        test=lambda m: all_hold(*(is_below(share, 80) for share in m.values())),
        explanation="The error on the half of the photos on which a head is surest, as a share of its error on all; "
        "asked joint by joint. 100 % is a head that knows nothing.",
        if_not="At least one of them knows less than that.",
        if_undecided=UNDECIDED,
        unit="%",
    )
)

# %% [markdown]
# ## Exercises
#
# **1. The target map** (10 minutes). What a heat-map network is trained to paint, for one joint.


# %%
def target_map(point, cells, sigma):
    """Gaussian bump (cells, cells) with peak 1 around `point` (2,), x and y in [-1, 1]; rows are y.

    The centre of cell i is at (2 i + 1) / cells - 1; sigma counts cells. Keep the dtype of `point`.
    """
    ### BEGIN SOLUTION
    centres = (2 * torch.arange(cells, dtype=point.dtype) + 1) / cells - 1
    away = ((centres[:, None] - point[1]) ** 2 + (centres[None, :] - point[0]) ** 2) * (cells / 2) ** 2
    return torch.exp(-away / (2 * sigma**2))
    ### END SOLUTION


checks.target_map(target_map)

# %% [markdown]
# **2. The quarter shift** (5 minutes). In one dimension.


# %%
def quarter(row):
    """Place of the peak of `row` (cells,) in cells: a quarter cell towards the higher neighbour.

    No shift at the border, and none if both neighbours are equal.
    """
    ### BEGIN SOLUTION
    peak = int(row.argmax())
    if 0 < peak < len(row) - 1:
        return peak + 0.25 * torch.sign(row[peak + 1] - row[peak - 1]).item()
    return float(peak)
    ### END SOLUTION


checks.quarter(quarter)

# %% [markdown]
# **3. Soft-argmax and its gradient** (15 minutes). Why can a network be trained through an average, but not through
# `argmax`? Derive $\partial \hat x / \partial h_i$ for $\hat x = \sum_i p_i x_i$, $p = \mathrm{softmax}(h)$, on paper;
# then write it down. No autograd.


# %%
def soft_place(logits):
    """Mean place (2,), x and y in [-1, 1], under the softmax of `logits` (rows, columns), and its gradient.

    The gradient is (2, rows, columns): d x / d logits, d y / d logits.
    """
    ### BEGIN SOLUTION
    rows, columns = logits.shape
    p = torch.softmax(logits.flatten(), 0).reshape(rows, columns)
    y, x = ((2 * torch.arange(n, dtype=logits.dtype) + 1) / n - 1 for n in (rows, columns))
    mean_x, mean_y = (p * x).sum(), (p * y[:, None]).sum()
    gradient = torch.stack([p * (x - mean_x), p * (y[:, None] - mean_y)])
    return torch.stack([mean_x, mean_y]), gradient
    ### END SOLUTION


checks.soft_place(soft_place)

# %% [markdown]
# **4. DARK's step** (10 minutes). Five by five cells around the peak of a perfect bump. Take the logarithm, then slope
# and curvature by differences of neighbours, then one Newton step from the middle cell. On a bump it must be exact.


# %%
def dark_step(cells):
    """Peak (2,), x and y in cells, of a bump `cells` (5, 5) whose highest cell is (2, 2); rows are y.

    Newton's step from the middle of the log map: m - H^-1 g, with gradient g and second derivatives H.
    """
    ### BEGIN SOLUTION
    h = torch.log(cells)
    gradient = torch.stack([h[2, 3] - h[2, 1], h[3, 2] - h[1, 2]]) / 2
    xx, yy = h[2, 3] - 2 * h[2, 2] + h[2, 1], h[3, 2] - 2 * h[2, 2] + h[1, 2]
    xy = (h[3, 3] - h[3, 1] - h[1, 3] + h[1, 1]) / 4
    hessian = torch.stack([torch.stack([xx, xy]), torch.stack([xy, yy])])
    return 2 - torch.linalg.solve(hessian, gradient)
    ### END SOLUTION


checks.dark_step(dark_step)

# %% [markdown]
# **5. An answer with a width** (10 minutes). RLE without its flow: the negative log-likelihood of Laplace errors, whose
# density along one axis is $\exp(-\sqrt 2\,|x^* - \mu| / \sigma) \,/\, (\sqrt 2\, \sigma)$: variance $\sigma^2$.


# %%
def likelihood(mu, sigma, target):
    """Mean over joints of -log density of `target` (joints, 2), both axes together, a scalar.

    `mu` (joints, 2) is where the network says they are, `sigma` (joints, 2) how wide.
    """
    ### BEGIN SOLUTION
    z = (target - mu).abs() / sigma
    each = torch.log(sigma) + 2**0.5 * z + np.log(2) / 2
    return each.sum(-1).mean()
    ### END SOLUTION


checks.likelihood(likelihood)

# %% [markdown]
# ## Break it
#
# The heat-map network and the integral network have the same layers; only their losses differ. So read the *trained*
# heat map by soft-argmax.
#
# > **Predict.** How large is the error with temperature 1, and what happens as the temperature falls to 0.01?

# %%
AT_ONE, FALLS = "with temperature 1", "as it falls, the error"
WAYS = ["falls all the way", "falls, then rises", "rises all the way", "does something else"]
cool_guess = predict({AT_ONE: Scale(0, 30, 0.5, "px"), FALLS: WAYS})
cool_guess

# %%
as_logits = results.temperature_errors(NETWORKS["heat map"], TEST, [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0])
with cool_guess.covered():
    show(results.temperature_figure(NETWORKS["heat map"], TEST, as_logits))

# %%
coolest, falling = min(as_logits, key=as_logits.__getitem__), [as_logits[t] for t in sorted(as_logits)[::-1]]
rises = np.diff(falling) > 0
drowned = heatmaps.soft_argmax(heatmaps.gaussian_target(torch.tensor([-0.6875, 0.0]), 16, 2.0))[0]  # at cell 2 of 16
way = 0 if not rises.any() else 2 if rises.all() else 1 if (rises[:-1] <= rises[1:]).all() else 3
cool_guess.answer(
    {AT_ONE: as_logits[1.0], FALLS: WAYS[way]},
    f"**The answer.** With temperature 1 a bump of height 1 is nearly flat ({as_logits[1.0]:.1f} px), and the answer "
    f"falls to the middle of the photo: a bump at cell 2 of 16 is read as cell {8 * (drowned + 1) - 0.5:.1f}. Of those "
    "tried, "
    f"{coolest:g} is best ({as_logits[coolest]:.1f} px). Much less is no way out: then the average has become `argmax` "
    f"again, with its grid ({as_logits[0.01]:.1f} px at 0.01); and a network trained through it would get no gradient "
    "from any cell but one (exercise 3).",
)

# %% [markdown]
# ## Summary
#
# 1. A grid costs 0.383 cells on average; a quarter shift repairs half of it, DARK all of it where the map is a bump.
# 2. In doubt, squared error answers with the mean, absolute error with the median, a heat map keeps all places.
# 3. How should a network say where a joint is? As the mean place of a map that it learned through that mean: at equal
#    cost of training nothing here was more exact. With a bump where doubt must be seen or two places kept; with two
#    plain numbers where arithmetic and memory count. Section 7 has what was measured.
# 4. A head that says how sure it is (RLE's width, a map's peak or spread) must show that its doubt follows its errors.
# 5. Put an answer that looks at nothing beside every error, and train until more time changes the order no more.
#
# ## Further reading
#
# - A. Toshev, C. Szegedy: *DeepPose: human pose estimation via deep neural networks*, CVPR 2014.
# - J. Tompson, A. Jain, Y. LeCun, C. Bregler: *Joint training of a convolutional network and a graphical model for
#   human pose estimation*, NIPS 2014.
# - B. Xiao, H. Wu, Y. Wei: *Simple baselines for human pose estimation and tracking*, ECCV 2018.
# - X. Sun, B. Xiao, F. Wei, S. Liang, Y. Wei: *Integral human pose regression*, ECCV 2018.
# - F. Zhang, X. Zhu, H. Dai, M. Ye, C. Zhu: *Distribution-aware coordinate representation for human pose estimation*
#   (DARK), CVPR 2020.
# - J. Li et al.: *Human pose regression with residual log-likelihood estimation* (RLE), ICCV 2021.

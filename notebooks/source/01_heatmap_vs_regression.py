# %% [markdown]
# # 01 · How should a network say where a joint is?
#
# **You will** turn a joint into a map and back, give four networks the same photos and the same time, spoil their
# photos by hand, and see which of them had the better way to answer.
#
# **You will learn** coordinate regression, heat maps and three ways to read them, soft-argmax (integral regression),
# residual log-likelihood (RLE), quantisation error, PCK.
#
# **You need** convolutions, a little probability, a little PyTorch. **Time:** 75 minutes, 35 without the exercises.
#
# Everything later in the course begins with joints in a picture. This lesson is about the last layer that finds them.

# %%
import numpy as np
import torch
from IPython.display import Markdown

from tutorial_lib import checkpoints, heatmaps
from tutorial_lib.datasets.photos import photo_set
from tutorial_lib.display.claims import Claim, certainly_below, record
from tutorial_lib.display.predict import Scale, predict
from tutorial_lib.display.preview import show, source
from tutorial_lib.heatmaps import RLE, KeypointNet, coordinate_loss, cost, map_loss
from tutorial_lib.lessons.heatmap_vs_regression import checks, demo_targets, experiment, figures, measures, results
from tutorial_lib.lessons.heatmap_vs_regression.demo_ambiguity import ambiguity_demo
from tutorial_lib.lessons.heatmap_vs_regression.demo_robustness import robustness_demo

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
NETWORKS = {name: experiment.load(f"{kind}-long", FOLDER) for name, (kind, _) in results.ROWS.items()}
STRIDES = (2, 4, 8, 16)
TEST = photo_set("test", BUDGET["test"], BUDGET["size"])
print(f"{PROFILE} profile, {BUDGET['seeds']} training seeds, {len(TEST)} test photos of {BUDGET['size']} pixels")

# %% [markdown]
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
source(heatmaps.gaussian_target)
source(heatmaps.quarter_shift)
source(heatmaps.soft_argmax, heatmaps.expectation)

# %% [markdown]
# > **Predict.** A perfect map with stride 4. How far from the truth is `argmax` on average, in pixels? And where within
# > its cell must the joint be for the quarter shift to be right?

# %%
OFF, RIGHT = "argmax is off by", "the quarter shift is right"
WHERE = {"in the middle of the cell": 0.0, "half way to the border": 0.25, "at the border": 0.5}
grid_guess = predict({OFF: Scale(0, 4, 0.1, "px"), RIGHT: list(WHERE)})
grid_guess

# %% [markdown]
# First the joint and its map, then the cells around it, then the error of all four decoders while the joint crosses one
# cell. *Temperature* is that of the soft-argmax.

# %%
target = demo_targets.target_demo()
target

# %% tags=["demo-test"]
target.set(stride=4, noise=0.0, centre="exact", blur=False, y=target.first["y"]).check()
beside = target.arrays["offset"].abs() > 0.02  # exactly in the middle no neighbour is higher: it stays where it is
shifted = target.arrays["errors"]["quarter shift"][beside]
exact_at = target.arrays["offset"][beside][shifted.argmin()].abs().item()
worst = {name: values.max().item() for name, values in target.arrays["errors"].items()}
assert worst["DARK"] < 0.01 < 1.9 < worst["argmax"]
target.set(centre="rounded").check()  # what is lost before training, no decoder brings back
assert target.arrays["errors"]["DARK"].max() > 1.9
target.set(centre="exact", temperature=1.0).check()
assert target.arrays["errors"]["soft-argmax"].min() > 5  # a bump of height 1 is nearly flat as a logit
target.reset().check()
print("the target demo moves")

# %% [markdown]
# **What you saw.** `argmax` is best in the middle of the cell and worst at its border; what is left in the middle is
# the joint's offset in $y$. The quarter shift draws the same curve twice, and smaller. DARK lies on zero, as long as
# the map is an exact bump: choose *rounded targets* (the bump sits in the middle of its cell, as in SimpleBaseline),
# and DARK is no better than `argmax`; choose *noise*, and it needs the blur first.
#
# How much does the grid cost on average? The joint is anywhere in its cell; the mean distance of a point of the unit
# square from its middle is $(\sqrt 2 + \operatorname{arsinh} 1)/6 = 0.3826$ cells. A perfect quarter shift leaves a
# square of half the side, so half of that. (A single joint may be lucky, as the one below is with stride 16.)

# %%
show(figures.target_sweep())
show(figures.quantisation_figure(STRIDES))

# %%
exact = figures.quantisation_table(STRIDES, range(SEED, SEED + 5))  # decoder -> (strides, seeds) pixels
for name, errors in exact.items():
    print(f"{name:14s}" + "  ".join(f"stride {s}: {e.mean() / s:.4f} cells" for s, e in zip(STRIDES, errors)))

# %%
off = exact["argmax"][STRIDES.index(4)].mean()
grid_guess.answer(
    {OFF: float(off), RIGHT: min(WHERE, key=lambda place: abs(WHERE[place] - exact_at))},
    f"{off:.2f} pixels on average, 0.383 cells of 4. The quarter shift always moves by a quarter of a cell, so it is "
    f"right where the joint is a quarter of a cell from the middle: the demo found {exact_at:.2f}.",
)

# %% [markdown]
# ## 2. What a loss does with doubt
#
# The wrist is behind the back. From the photo alone it may be left or right of the body. What does each way of
# answering do with that? Squared error is smallest at the *mean* of the possible places, absolute error at their
# *median*. A heat map trained by squared error is, in every cell, the mean of the possible bumps: it keeps both.
#
# > **Predict.** Place A has probability 0.6, place B 0.4. Where does each method put the joint? Which of the answers is
# > a place where the joint *can* be? What changes when you go from 0.52 to 0.48?

# %%
CAN, TURN = "a place where the joint can be", "from 0.52 to 0.48"
TURNS = ["every answer moves a little", "some answers jump to the other place"]
doubt_guess = predict({CAN: ["both averages", "median and peak", "all four", "none"], TURN: TURNS})
doubt_guess

# %%
ambiguity = ambiguity_demo()
ambiguity

# %% tags=["demo-test"]
ambiguity.set(p=0.6, apart=1.2).check()
said, hits = ambiguity.arrays["said"], ambiguity.arrays["hits"]
assert abs(said["L2: the mean"] + 0.12) < 0.01 and abs(said["soft-argmax of the map"] + 0.12) < 0.02
assert abs(said["argmax of the map"] + 0.6) < 0.02  # one of the two places
ambiguity.set(p=0.4).check()
assert abs(ambiguity.arrays["said"]["argmax of the map"] - 0.6) < 0.02
before = ambiguity.set(p=0.52).check().arrays["said"]
after = ambiguity.set(p=0.48).check().arrays["said"]
ambiguity.reset().check()
print("the ambiguity demo moves")

# %%
there = {name: share > 0.2 for name, share in hits.items()}  # how often the truth lies right there
averages = {name: near for name, near in there.items() if "mean" in name or "soft" in name}
sides = {name: near for name, near in there.items() if name not in averages}
found_at = {(True, True): "all four", (True, False): "both averages", (False, True): "median and peak"}
jumped = [name for name in before if abs(before[name] - after[name]) > 0.5]
doubt_guess.answer(
    {CAN: found_at.get((all(averages.values()), all(sides.values())), "none"), TURN: TURNS[bool(jumped)]},
    "With odds of 0.6 to 0.4: " + ", ".join(f"{name} at {place:+.2f}" for name, place in said.items()) + ". The places "
    f"are at -0.60 and +0.60. What jumps when the odds turn: {', '.join(jumped) or 'nothing'}.",
)

# %% [markdown]
# **What you saw.** The mean lies where the joint never is. The median and the map's peak choose a side, and jump to
# the other when the odds turn. The soft-argmax of this map falls between again: an average is an average. (Trained
# *through* the soft-argmax, a map need not show both places at all: only its mean is judged.)
#
# **RLE** (residual log-likelihood, 2021) keeps the two numbers and adds two widths: the network says $\hat{\mathbf x}$
# *and* $\hat\sigma$, and pays
#
# $$-\log p(\mathbf x^*) = \log \hat\sigma_x \hat\sigma_y - \log q(\mathbf z) - \log r(\mathbf z), \qquad
# \mathbf z = (\mathbf x^* - \hat{\mathbf x}) / \hat\sigma,$$
#
# with a Laplace density $q$ and a small normalising flow for the rest, $r$, shared by all joints and thrown away after
# training. In doubt it may widen, and a joint with a wide $\hat\sigma$ pulls less: the clear joints teach more. It
# still has one middle.

# %%
show(figures.ambiguity_sweep())
source(coordinate_loss)
source(RLE.log_density, RLE.log_residual)

# %% [markdown]
# The same in a trained network. Of all wrists in the test photos, this is the one whose map has the highest *second*
# peak. Two peaks, one for each arm; two heads that answer with one of the places between:

# %%
show(results.doubt_figure(NETWORKS, TEST))

# %% [markdown]
# ## 3. One backbone, four heads
#
# For a fair race everything but the head must be equal. The backbone has four stages, each halves the picture. The
# regression heads pool the last stage and multiply; the map heads climb back up to the map's stride. (*Ours*: papers
# use ResNet-50 and photos of 256 × 192 pixels. Our photos have 64 × 64 pixels and are drawn, with a renderer that
# knows every joint, also the hidden ones.)

# %%
source(KeypointNet.forward, KeypointNet.loss)
source(map_loss)

# %% [markdown]
# > **Predict.** Which head needs the least arithmetic? And how many times as much as regression does the heat map
# > need?

# %%
LEAST, TIMES = "the least arithmetic", "the heat map needs, times regression's"
cost_guess = predict({LEAST: [*NETWORKS, "all the same"], TIMES: Scale(1, 5, 0.1, "×")})
cost_guess

# %%
Markdown(results.cost_table(NETWORKS))

# %%
work = {name: heatmaps.cost(model).multiply_adds for name, model in NETWORKS.items()}
least = [name for name in work if work[name] <= 1.01 * min(work.values())]
times = work["heat map"] / work["regression"]
cost_guess.answer(
    {LEAST: least, TIMES: float(times)},
    f"Least, to within one per cent: {', '.join(least)}. The heat map needs {times:.2f} times regression's "
    "multiply-adds: its way back up to the map works on many more places than the pooled end of the backbone.",
)

# %% [markdown]
# Counted for one photo. The last column is what autograd keeps of one photo for the way back; RLE's flow, which only
# training needs, is in it. Now measured on your machine, from the picture to the joints:

# %% tags=["volatile"]
Markdown(results.speed_table(NETWORKS))

# %% [markdown]
# With a larger photo, the map grows with its area, the two numbers do not. That is why regression survives on phones:
# it has no way back up, and nothing to search for a peak.
#
# ## 4. Make the photo worse
#
# Four trained networks and two dozen photos of people that they never saw. Drag a grey disc over the legs, move the
# crop, take pixels away.
#
# > **Predict.** Nobody showed these networks badly centred crops. Which head suffers most when the person is no longer
# > in the middle? And which suffers most from blur?

# %%
AWAY, BLURRED = "suffers most away from the middle", "suffers most from blur"
worse_guess = predict({AWAY: list(NETWORKS), BLURRED: list(NETWORKS)})
worse_guess

# %%
robustness = robustness_demo(NETWORKS, TEST.select(slice(0, 24)))
robustness

# %% tags=["demo-test"]
robustness.set(radius=0.0, shift_x=0.0, blur=0.0).check()
plain = {name: torch.nanmean(errors).item() for name, errors in robustness.arrays["errors"].items()}
robustness.set(shift_x=0.3).check()
moved = {name: torch.nanmean(errors).item() for name, errors in robustness.arrays["errors"].items()}
assert moved["regression"] - plain["regression"] > moved["heat map"] - plain["heat map"] > 0
robustness.set(shift_x=0.0, blur=4.0).check()
blurred = {name: torch.nanmean(errors).item() for name, errors in robustness.arrays["errors"].items()}
robustness.reset().check()
print("the robustness demo moves")

# %%
harm = {
    what: {name: spoiled[name] - plain[name] for name in plain} for what, spoiled in ((AWAY, moved), (BLURRED, blurred))
}
worse_guess.answer(
    {what: max(by_head, key=by_head.__getitem__) for what, by_head in harm.items()},
    "On these two dozen photos the error grows by (px): "
    + "; ".join(
        f"{what.removeprefix('suffers most ')}: " + ", ".join(f"{name} {value:.1f}" for name, value in by_head.items())
        for what, by_head in harm.items()
    )
    + ".",
)

# %%
few = TEST.select(slice(0, 200))
show(figures.robustness_figure(NETWORKS, few, "shift", [0.0, 0.1, 0.2, 0.3, 0.4]))
show(figures.robustness_figure(NETWORKS, few, "disc", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]))
show(figures.robustness_figure(NETWORKS, few, "blur", [0.0, 1.0, 2.0, 3.0, 4.0]))

# %% [markdown]
# **What you saw.** A badly centred crop hurts the regression heads most. A convolution does not care where a person is,
# and the map heads are convolutions from the photo to the peak; the linear layer has learned that people stand in the
# middle. Behind the disc and under blur it is the other way round: where there is nothing to see, there is no peak, and
# the head that knows best what an average person looks like wins.
#
# ## 5. The race
#
# A joint counts as found if it is nearer to the truth than a share of the torso: **PCK**, the percentage of correct
# keypoints. One threshold hides much, so look at the whole curve: its left part shows precision, its right part
# blunders.
#
# The rules: equal photos, batches, steps and schedule. Each head chose its learning rate, and the heat maps the width
# of their bump, on *validation* photos in short runs; all heads had the same choices. A star marks what was chosen
# (some heads took the largest rate there was: they are, if anything, the ones at a disadvantage):

# %%
for kind in dict.fromkeys(row["kind"] for row in FOUND["search"]):
    tried = [row for row in FOUND["search"] if row["kind"] == kind]
    best = min(tried, key=lambda row: row["error_px"])
    for row in tried:
        star = "*" if row is best else " "
        bump = f", σ {row['sigma']:g} cells" if kind.startswith("heatmap") else ""
        print(f"{kind:13s}{star} rate {row['rate']:<6g} {row['error_px']:6.2f} px{bump}")

# %% [markdown]
# > **Predict.** Which curve is highest on the left, at a tenth of the torso? Is it highest on the right, too?

# %%
LEFT, STAYS = "highest at a tenth of the torso", "and at the right end"
race_guess = predict({LEFT: list(results.ROWS), STAYS: ["the same head", "another head"]})
race_guess

# %%
show(results.pck_curves(FOUND))
Markdown(results.results_table(FOUND))

# %%
found_joints = {name: np.mean(experiment.values(FOUND, *pair, "pck"), 0) for name, pair in results.ROWS.items()}
tenth = int(np.argmin(np.abs(np.array(FOUND["thresholds"]) - 0.1)))
left, right = (max(found_joints, key=lambda name: found_joints[name][at]) for at in (tenth, -1))
race_guess.answer(
    {LEFT: left, STAYS: "the same head" if left == right else "another head"},
    f"At a tenth of the torso {left} finds {100 * found_joints[left][tenth]:.0f} %, regression "
    f"{100 * found_joints['regression'][tenth]:.0f} %; at the right end {right} is ahead with "
    f"{100 * found_joints[right][-1]:.0f} %. Means over training seeds; the bands say how sure that is.",
)

# %% [markdown]
# In brackets: the standard deviation over training seeds. Two columns deserve a second look. *Left/right exchanged* is
# near one half for all heads: so small a network, trained so shortly on so small photos, hardly knows whether it sees a
# back or a front. This is the doubt of section 2, and it is why the mean error of every head is a few pixels. And
# *hidden joints* are not worse than seen ones: what is hidden is mostly close to the trunk, where guessing is easy.
#
# The table is of short trainings, so that there can be several seeds of each. The networks of sections 2 to 4 were
# trained four times as long, once. The shipped networks are measured again, now, here, and must give what was recorded:

# %%
for name, (kind, decoder) in results.ROWS.items():
    again = measures.measure(measures.predict(NETWORKS[name], TEST)[decoder], TEST)
    recorded = experiment.values(FOUND, f"{kind}-long", decoder)[0]
    assert abs(again["error_px"] - recorded) < 0.02, f"{name}: {again['error_px']:.3f} px now, {recorded:.3f} recorded"
    print(f"{name:11s} {again['error_px']:.2f} px measured now, {recorded:.2f} px recorded")

# %%
show(results.steps_figure(FOUND))
show(results.data_figure(FOUND))
show(results.stride_figure(FOUND))

# %% [markdown]
# ## Claim cards
#
# Seeds are *training* seeds: other weights at the start, other batches. All cards on trained networks use the same test
# photos, and two heads of one seed saw the same batches, so differences are taken seed by seed.


# %%
def over_seeds(name, measured="error_px", suffix="", decoder=None):
    """One value a seed for a name of `results.ROWS`."""
    kind, usual = results.ROWS[name]
    return np.array(experiment.values(FOUND, kind + suffix, decoder or usual, measured))


long = {name: over_seeds(name, suffix="-long").mean() for name in results.ROWS}
MORE = f"after {BUDGET['long_steps']} steps instead of {BUDGET['steps']} ({BUDGET['long_seeds']} seed)"
record(
    Claim(
        "heat-map-wins",
        LESSON,
        "With equal backbone, photos and steps, a heat map beats plain regression.",
        "Xiao et al. 2018 (SimpleBaseline): 70.4 AP on COCO, ResNet-50 with a heat map; no regression beside it",
        paper={},
        ours={name: over_seeds(name) for name in ("regression", "heat map")}
        | {"heat map, argmax": over_seeds("heat map", decoder="argmax")},
        test=lambda m: certainly_below(m["heat map"] - m["regression"]),
        explanation="Holds when the heat map, read by DARK, is certainly better (at 95 %, paired). It depends on "
        f"how the map is read: see the last row. And {MORE}: regression {long['regression']:.2f}, "
        f"heat map {long['heat map']:.2f} px.",
        unit="px, mean error",
    )
)

# %%
record(
    Claim(
        "integral-wins",
        LESSON,
        "Through a map, the same loss on the same two numbers gives better numbers.",
        "Sun et al. 2018 (integral regression), the idea of the paper; no figure taken from it",
        paper={},
        ours={name: over_seeds(name) for name in ("regression", "heat map", "integral")},
        test=lambda m: certainly_below(m["integral"] - m["regression"]),
        explanation="Regression and the integral network differ in nothing but the way to the numbers. A map keeps "
        "what is seen where it is seen; a linear layer has to learn places anew for every cell and joint. "
        f"{MORE[0].upper() + MORE[1:]}: regression {long['regression']:.2f}, integral {long['integral']:.2f} px.",
        unit="px, mean error",
    )
)

# %%
gap = {
    suffix: over_seeds("regression", suffix=suffix) - over_seeds("heat map", suffix=suffix) for suffix in ("-few", "")
}
record(
    Claim(
        "gap-and-data",
        LESSON,
        "The gap between regression and heat map shrinks with data.",
        "often said; no table",
        paper={},
        ours={
            f"gap with {BUDGET['few']} photos": gap["-few"],
            f"gap with {BUDGET['photos']} photos": gap[""],
        },
        test=lambda m: certainly_below(gap[""] - gap["-few"]),
        explanation=f"Holds when the gap is certainly smaller with {BUDGET['photos']} photos. It does not vanish, and "
        f"it grows again with patience: {MORE}, it is {long['regression'] - long['heat map']:.2f} px. With few "
        f"photos the trainings have {BUDGET['few_steps']} steps, and still see every photo more often.",
        unit="px, regression minus heat map",
    )
)

# %%
record(
    Claim(
        "rle",
        LESSON,
        "RLE closes at least half of the gap between regression and heat map, at no cost at test time.",
        "Li et al. 2021 (RLE), the aim of the paper; no figure taken from it (on COCO, 270 epochs)",
        paper={},
        ours={name: over_seeds(name) for name in ("regression", "RLE", "heat map")},
        test=lambda m: certainly_below(m["RLE"] - (m["regression"] + m["heat map"]) / 2),
        explanation="A likely reason, not tested: joints in doubt get a wide σ̂ and pull less, so what is hard is "
        "learned later, and these trainings are short. Four learning rates did not change it, nor did a trial with the "
        "paper's own sum (its extra Laplace term cancels in our density): 5.32 px on validation photos after 300 "
        f"steps, 5.40 without, plain regression 5.18. And {MORE}: regression {long['regression']:.2f}, "
        f"RLE {long['RLE']:.2f} px.",
        unit="px, mean error",
    )
)

# %%
by_stride = {
    (stride, decoder): np.array(experiment.values(FOUND, f"heatmap-{stride}", decoder))
    for stride in experiment.SIGMAS
    for decoder in measures.DECODERS
}
gain = {
    (base, stride): by_stride[stride, base] - by_stride[stride, "DARK"]
    for base in ("quarter shift", "argmax")
    for stride in experiment.SIGMAS
}
coarse = measures.predict(experiment.load("heatmap-8", FOLDER), TEST)
fallen_back = (coarse["DARK"] == coarse["argmax"]).all(-1).float().mean().item()
record(
    Claim(
        "dark",
        LESSON,
        "What DARK gains over the quarter shift grows as the resolution falls.",
        "Zhang et al. 2020 (DARK): 59.3 to 62.6 AP at 128 × 96 pixels, 74.4 to 75.6 AP at 256 × 192",
        paper={},
        ours={f"over the {base}, stride {stride}": values for (base, stride), values in gain.items()},
        test=lambda m: (
            certainly_below(gain["quarter shift", 2] - gain["quarter shift", 4])
            and certainly_below(gain["quarter shift", 4] - gain["quarter shift", 8])
        ),
        explanation="In the paper the photo shrinks with the map; here only the map does, down to 8 × 8 cells. DARK "
        "needs two cells on each side of the peak, the quarter shift one. At stride 8 DARK gives up on "
        f"{100 * fallen_back:.0f} % of the joints, and answers like argmax. Over argmax, the gain is largest there.",
        unit="px, mean error",
    )
)

# %%
record(
    Claim(
        "resolution",
        LESSON,
        "The grid drives the error of a heat map that is read by argmax.",
        "Zhang et al. 2020 (DARK), section 1 (quantisation); no table of strides",
        paper={},
        ours={f"stride {s}, {d}": by_stride[s, d] for s in experiment.SIGMAS for d in ("argmax", "DARK")},
        test=lambda m: (
            certainly_below(by_stride[4, "argmax"] - by_stride[8, "argmax"])
            and certainly_below(by_stride[2, "argmax"] - by_stride[4, "argmax"])
        ),
        explanation="Holds when argmax certainly gets worse from stride 2 to 4 and from 4 to 8. Most of the error is "
        "doubt, which no grid repairs; and where a finer map is harder to learn in the same time, that eats the gain.",
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
        paper={},
        ours={name: relative[name] for name in ("argmax", "quarter shift", "DARK", "soft-argmax")},
        test=lambda m: (
            abs(m["argmax"].mean() / heatmaps.MEAN_RESIDUAL - 1) < 0.02
            and abs(m["quarter shift"].mean() / heatmaps.MEAN_RESIDUAL - 0.5) < 0.02
            and max(m["DARK"].max(), m["soft-argmax"].max()) < 0.01
        ),
        explanation="Seeds are 400 random joints each, on grids of four strides. Holds within 2 % of the closed form.",
        unit="cells, mean error",
    )
)

# %%
costs = {name: cost(network) for name, network in NETWORKS.items()}
record(
    Claim(
        "cost",
        LESSON,
        "Regression is the cheap way: less arithmetic, far fewer numbers out.",
        "counted (no table); Li et al. 2021 name the cost of heat maps as their reason to regress",
        paper={},
        ours={f"{name}, multiply-adds": [c.multiply_adds / 1e6] for name, c in costs.items()},
        test=lambda m: m["regression, multiply-adds"][0] < 0.8 * m["heat map, multiply-adds"][0],
        explanation="Holds when regression saves at least a fifth. Counted, not measured: there is no spread. The "
        "backbone is most of both; the larger the backbone, the smaller the difference.",
        unit="millions",
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
# **2. The quarter shift** (10 minutes). In one dimension.


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
# **4. What the grid costs** (5 minutes). By formula, or by throwing darts.


# %%
def grid_cost(stride):
    """Mean error in pixels of argmax on a perfect map whose cells are `stride` pixels wide."""
    ### BEGIN SOLUTION
    return stride * (2**0.5 + np.arcsinh(1.0)) / 6
    ### END SOLUTION


checks.grid_cost(grid_cost)

# %% [markdown]
# ## Break it
#
# The heat-map network and the integral network have the same layers; only their losses differ. So read the *trained*
# heat map by soft-argmax.
#
# > **Predict.** How large is the error with temperature 1? And what happens to it as the temperature falls?

# %%
HOT, COOLS = "with temperature 1", "as it falls"
COOL = ["it falls all the way", "it falls, then rises again", "it rises"]
hot_guess = predict({HOT: Scale(0, 20, 0.5, "px"), COOLS: COOL})
hot_guess

# %%
TEMPERATURES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
read_warm = results.temperature_figure(NETWORKS["heat map"], TEST, TEMPERATURES)
show(read_warm)

# %%
by_temperature = np.array(read_warm.data[0].y)
best = int(by_temperature.argmin())
hot_guess.answer(
    {HOT: float(by_temperature[-1]), COOLS: COOL[2] if best == len(TEMPERATURES) - 1 else COOL[int(best > 0)]},
    f"{by_temperature[-1]:.1f} px with temperature 1, {by_temperature[best]:.1f} px with {TEMPERATURES[best]:g}, "
    f"{by_temperature[0]:.1f} px with {TEMPERATURES[0]:g}.",
)

# %% [markdown]
# With temperature 1 a bump of height 1 is nearly flat, and the answer falls to the middle of the photo: a bump at cell
# 8 of 64 is read as cell 31. A tenth is enough here. Much less is not better: then the average has become `argmax`
# again, with its grid; and a network trained through it would get no gradient from any cell but one (exercise 3).
#
# ## Summary
#
# 1. A grid costs 0.383 cells on average; a quarter shift repairs half of it, DARK all of it where the map is a bump.
# 2. In doubt, squared error answers with the mean, absolute error with the median, a heat map keeps all places.
# 3. The way through a map makes better numbers; how much better depends on how the map is read and trained.
# 4. Regression is cheap: no way back up, two numbers a joint. It suffers most where people stand elsewhere than usual.
# 5. In a short training most of the error is doubt about left and right, not the grid: measure before you refine it.
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

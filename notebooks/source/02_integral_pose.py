# %% [markdown]
# # 02 · Can an average be sharper than a maximum?
#
# **You will** read one trained network in two ways, follow the left wrist of one person from the target over the loss
# to the answer, train a small network yourself, and repeat an experiment of four approaches.
#
# **You will learn** soft-argmax and integral regression in 1D, 2D and 3D, half a cell, temperature, heat-map losses and
# their floor, augmentation that moves the labels, and what a second loss is worth.
#
# **You need** softmax, expectation, cross entropy, a little PyTorch. **Time:** 85 minutes, 45 without the exercises.
#
# The lesson follows a student report from ETH Zürich (Pantalos and Rudin 2019), which builds on Sun et al. (ECCV 2018).
# *Run all cells first*: what stands here as a picture then moves.

# %%
import math

import numpy as np
import torch
from IPython.display import Markdown, display

from tutorial_lib import checkpoints, integral
from tutorial_lib.datasets import augmentation
from tutorial_lib.datasets.photos import photo_set
from tutorial_lib.display.claims import Claim, all_hold, is_above, is_below, record
from tutorial_lib.display.predict import Scale, predict
from tutorial_lib.display.preview import show, source
from tutorial_lib.integral import losses, poses, targets
from tutorial_lib.lessons.integral_pose import (
    checks,
    demo_build_up,
    demo_loss_mixer,
    demo_photos,
    demo_training,
    experiment,
    figures,
    learning,
    recipes,
    results,
    trainings,
)
from tutorial_lib.skeleton import JOINTS

# %% tags=["parameters"]
PROFILE = "quick"  # "quick": shipped networks, a minute. "full": trains ResNet-50 on large photos, for a GPU and days
SEED = 0
DEVICE = "auto"  # where "full" trains: "cuda" where there is one; demos and tests run on the CPU
MOTION = "builtin"  # this lesson photographs the course's own people; other motion is not looked at

# %%
torch.manual_seed(SEED)
torch.set_num_threads(1)  # small networks: a second thread wins little, and costs much where others are at work
LESSON = "02_integral_pose"
FOLDER = checkpoints.FOLDER if PROFILE == "quick" else experiment.run_all("full", device=DEVICE)
FOUND = experiment.results(FOLDER)  # every measured value of every training seed
BUDGET = FOUND["budget"]
nets = {method: recipes.load(method, FOLDER) for method in recipes.SHIPPED}
photos = photo_set("test", BUDGET["test"], BUDGET["size"], setting="lab")
truth = learning.truth(photos)
PERSON = demo_photos.pointing(photos, truth)  # the one photo of this lesson
wrist, elbow = truth[PERSON, demo_photos.WRIST], truth[PERSON, demo_photos.ELBOW]
print(f"{PROFILE} profile, every network trained with {len(FOUND['seeds'])} seeds, {len(photos)} test photos")

# %% [markdown]
# ## 1. One network, two answers
#
# Below is one person, and what a trained network believes about the left wrist. For every joint the network gives a
# score to each cell of a *volume*: some cells across the picture, some down, some in depth. A softmax makes the scores
# a cloud of probability; the orange veil is this cloud, summed over the depth. Two ways to turn a cloud into one place:
# take its *peak*, the best cell, or its *mean*. Places are counted in half widths of the picture, so its borders are at
# -1 and 1; *entropy* says how far the cloud is spread, from 0 (one cell) to the logarithm of the number of cells.
#
# Errors are in millimetres. **MPJPE** is the mean distance of the 17 joints from the truth, after both poses are put
# with the hip at the origin. **After alignment** (P-MPJPE), the pose may first be turned, moved and scaled to fit. And
# **PCKh** is the share of joints that are off by less than half the length of the head, here in 3D.
#
# > **Predict.** The same network, the same clouds, over all joints and all test photos: which reading has the smaller
# > error, and by how much? Would you rather trust the peak or somebody who never looks at the photo?

# %%
READING, APART, TRUST = "smaller error", "they differ by", "I would trust"
reading = predict(
    {
        READING: ["the peak", "the mean"],
        APART: Scale(0, 1000, 20, "mm"),
        TRUST: ["the peak", "who never looks, and says the mean pose"],
    }
)
reading

# %% [markdown]
# In the photo, drag the joint onto another one: the demo changes over to that. In the curve, drag the upright line: the
# photo then shows one *slice* of the volume instead of the sum of all.

# %%
half_widths = poses.half_width(photos.box, photos.pose[:, 0, 2])
few = slice(PERSON, PERSON + 40)
inside_volume = demo_photos.depth_demo(
    {
        "integral loss": nets["integral"],
        "integral, then + Gaussian": nets["gaussian-later"],
        "Gaussian alone": nets["heat-map"],
    },
    photos.image[few], truth[few], half_widths[few],
)  # fmt: skip
inside_volume

# %% tags=["demo-test"]
missed = {}
for name, settings in inside_volume.presets.items():
    inside_volume.set(**settings).check()
    at, _, at_peaks = inside_volume.arrays["metres"]
    missed[name] = (at_peaks - at).norm(dim=-1).mean()
assert inside_volume.arrays["predicted"].shape == (17, 3)
assert missed["integral loss"] > missed["integral, then + Gaussian"]
inside_volume.set(photo=3, joint=16).check()
inside_volume.reset().check()
print("the demo of the volume moves")

# %%
error = {method: results.per_seed(FOUND, method) for method in recipes.METHODS}
peak = {m: results.per_seed(FOUND, m, "test, argmax") for m, way in recipes.METHODS.items() if way.mix is not None}
blind = {name: parts["test"]["mpjpe_mm"] for name, parts in FOUND["baselines"].items()}
at_peak, at_mean = peak["integral"].mean(), error["integral"].mean()
reading.answer(
    {
        READING: "the mean" if at_mean < at_peak else "the peak",
        APART: float(abs(at_peak - at_mean)),
        TRUST: "the peak" if at_peak < blind["mean pose"] else "who never looks, and says the mean pose",
    },
    f"**What you saw.** Read at the peak, the network that was trained with the integral loss is off by "
    f"**{at_peak:.0f} mm**. Read at the mean, the very same network is off by **{at_mean:.0f} mm**. Always to say the "
    f"mean pose of the training photos, without a look, gives {blind['mean pose']:.0f} mm; to say another person's "
    f"pose gives {blind['chance']:.0f}. So an average *can* be sharper than a maximum: cells are "
    f"{2000 * half_widths.mean() / BUDGET['cells']:.0f} mm wide here, and the cloud was trained so that its *mean* is "
    "right. Nobody asked where its peak is.",
)

# %% [markdown]
# Trained with a heat-map loss, too, or with nothing else, and read in both ways (mean over training seeds, from the
# smallest to the largest). The rest of the lesson is about why.

# %%
Markdown(results.reading_table(FOUND))

# %% [markdown]
# ## 2. From the highest cell to the average cell
#
# A heat-map network gives every cell $\mathbf p$ a score $\mathbf H_k(\mathbf p)$ for joint $k$. Usually one takes the
# cell with the highest score (the numbers of the equations are the report's):
#
# $$\mathbf J_k = \arg\max_{\mathbf p} \mathbf H_k(\mathbf p) \tag{1}$$
#
# This has two defects. The answer is always the middle of a cell, however fine the truth is. And it has no gradient:
# push any score a little, and the answer stays where it is. *Integral regression* takes the mean place instead:
#
# $$\mathbf J_k = \int_{\Omega} \mathbf p \cdot \tilde{\mathbf H}_k(\mathbf p)
#   = \sum_{p_z=1}^{D} \sum_{p_y=1}^{H} \sum_{p_x=1}^{W} \mathbf p \cdot \tilde{\mathbf H}_k(\mathbf p) \tag{2, 3}$$
#
# $$\tilde{\mathbf H}_k(\mathbf p) = \frac{e^{\mathbf H_k(\mathbf p)}}{\int_{\mathbf q} e^{\mathbf H_k(\mathbf q)}}
#   \tag{4}$$
#
# In 1D this is one line: softmax, then the sum of probability times place. In 2D and 3D nothing new happens: $x$ does
# not depend on $y$ and $z$, so we first sum over the other axes (the *marginal*), and then do the same.

# %%
source(integral.marginals, integral.expectation)

# %% [markdown]
# The demo starts with a map as a heat-map network is *trained to make it*: a blob of height 1, 2 cells wide, at $x = 8$
# of 64 cells. Drag the blob to another place, and in the curve on the right pull its peak up: $\beta$ does that.
#
# > **Predict.** The peak is at 8. Where is the mean of the softmax?

# %%
drowned = predict(Scale(0, 63, 0.5, "(cell)"))
drowned

# %%
build_up = demo_build_up.build_up_demo()
build_up

# %% tags=["demo-test"]
means = {}
for beta, place in ((1, 31.3), (10, 9.44), (100, 8.00)):
    build_up.set(axes=2, x=8.0, sigma=2.0, beta=beta).check()
    means[beta] = build_up.arrays["mean"][0].item()
    assert abs(means[beta] - place) < 0.05
build_up.set(x=20.25, beta=20).check()
assert abs(build_up.arrays["error"]) < 0.1 and build_up.arrays["peak"][0] == 20
build_up.set(half_pixel=False).check()
assert abs(build_up.arrays["error"] + 0.5) < 0.1
build_up.reset().check()
print("the build-up demo moves")

# %%
drowned.answer(
    means[1],
    f"**What you saw.** At {means[1]:.1f}, the middle of the map! A score of 1 against 0 is only $e$ times as "
    "probable, and there are 4,096 cells of background. Multiply the scores by β (divide them by a *temperature* 1/β), "
    f"and the mean comes to {means[10]:.2f} (β = 10) and {means[100]:.2f} (β = 100). In 3D it is worse, "
    "because there is more background.",
)

# %% [markdown]
# A network that is trained *through* the mean learns to make scores that are high enough. A network that was trained on
# Gaussian blobs by squared error did not, so its maps need a temperature. And too large a $\beta$ gives back what we
# wanted to leave: the mean becomes the peak's cell.

# %%
show(figures.error_by_axes())

# %% [markdown]
# **Half a cell.** Where is cell $i$ of $n$? If the picture goes from $-1$ to $1$, the cell's centre is at
# $(2i + 1)/n - 1$. The paper's code counts $2i/n - 1$, the corner. Read a map that is right with the wrong places, as
# in the figure, and every answer is half a cell too small. A network that is *trained through* the corners does not
# suffer so: it learns to put its cloud half a cell further on. All it loses is the far edge, which no mean of corners
# can reach. Trouble begins when training and reading count differently. (The report counts from 1 to $W$ in equation 3
# and from 0 to $W$ in equation 9; the second set has one cell too many.)

# %%
source(integral.cell_centres)
show(figures.half_pixel_figure())

# %% [markdown]
# **Two peaks.** A mean of two beliefs lies where nobody believes. In the demo, set $\beta = 20$, leave the blob at 8,
# and pull the second one up, at cell 48. At height 0.8 it has $e^{-4}$, 2 %, of the first one's probability, and the
# mean stays; at 0.95 it has a third of it, and the mean has slid by a quarter of the way; at equal heights the mean is
# at 28, in the middle of nowhere, and the peak has to choose by chance. A higher $\beta$ makes the choice more abrupt,
# not better. Whether a network *makes* two peaks is a matter of the loss.

# %% [markdown]
# ## 3. What the loss makes of the cloud
#
# The report's first loss looks at the mean alone: $L_{int} = \frac13\lVert \mathbf J_k - \mathbf p_k \rVert_1$. Its
# second loss says what the whole map should look like, a Gaussian around the joint's cell $\mathbf p_k$, cut off 5
# cells away on every axis:
#
# $$(\mathbf H_k)_{ij\ell} = \frac{\exp(-d_{ij\ell}^2 / 2)}{\sqrt{2\pi}} \;\;\text{for}\;\;
#   |i - p_{x,k}|,\,|j - p_{y,k}|,\,|\ell - p_{z,k}| \le 5, \;\;\text{else } 0 \tag{5–8}$$
#
# $$d_{ij\ell} = \sqrt{(i - p_{x,k})^2 + (j - p_{y,k})^2 + (\ell - p_{z,k})^2} \tag{9}$$
#
# and compares the two by the binary cross entropy (BCE) in every cell. Four things to notice:
#
# - The text says that the joint's own cell gets the value 1. Equation 5 gives $1/\sqrt{2\pi} = 0.399$.
# - A BCE against a target of 0.399 is never 0. The best prediction is the target itself, and what remains is the
#   target's entropy: **21.0 nats** a joint (a nat is a unit of information, 1.44 bits). Below, the loss is shown above
#   that floor.
# - The BCE asks every cell a yes-or-no question: it wants the *logits*, the scores before any softmax. See "Break it"
#   for what happens otherwise.
# - The report draws such a Gaussian once for the truth, and "at each iteration for the predicted poses". Taken
#   literally, the loss would compare two drawn Gaussians: it would know where the mean is, and could not shape the map.
#   But the discussion says that it "forces the predicted heat map to adopt a more gaussian structure". So we compare
#   the network's own map with the target.
#
# A Gaussian is a product of a factor in $x$, one in $y$ and one in $z$. That lets us compute the loss without ever
# making the volume:

# %%
source(losses.heatmap_bce, targets.contract)

# %% [markdown]
# Here is the volume of our person's left wrist, $16^3$ scores that are trained while you wait. **One-hot** puts a
# single 1 in the joint's cell instead of a Gaussian; its CE is a cross entropy over all cells at once.
# **Jensen–Shannon** and **variance** are the regularisers of DSNT (Nibali et al. 2018), the cleaner alternative: they
# act on the softmaxed map itself, whose mean is the answer, and the Gaussian stands at the true place, not at the
# nearest cell.
#
# > **Predict.** With the integral loss alone: how far is the mean from the truth, and how far is the peak?

# %%
MEAN_OFF, PEAK_OFF = "the mean is off by", "the peak is off by"
shaped = predict({MEAN_OFF: Scale(0, 600, 10, "mm"), PEAK_OFF: Scale(0, 600, 10, "mm")})
shaped

# %% [markdown]
# *Play* lets the volume be trained. Drag the joint (black) to another place: the volume is trained anew for that.

# %%
places = demo_loss_mixer.two_truths(wrist, elbow)
mixer = demo_loss_mixer.loss_mixer_demo(places, photos.image[PERSON])
mixer

# %% tags=["demo-test"]
mixer.set(**mixer.presets["integral only"]).check()
free, at_first = mixer.arrays, torch.tensor(places[:1])
assert demo_loss_mixer.miss(free["mean"], at_first) < 20 < demo_loss_mixer.miss(free["peak"], at_first)
mixer.set(**mixer.presets["integral + Jensen–Shannon"]).check()
assert mixer.arrays["spread"] < free["spread"] / 2 and demo_loss_mixer.miss(mixer.arrays["mean"], at_first) < 20
mixer.reset().check()
print("the loss demo moves")

# %%
sure, torn = ({name: cloud | {
    key: demo_loss_mixer.miss(cloud[key], places if doubt else places[:1]) for key in ("mean", "peak")
} for name, cloud in figures.clouds(doubt, places).items()} for doubt in (0.0, 0.4))  # fmt: skip
cell = 1000 * math.sqrt(3) / demo_loss_mixer.SIDE  # half its diagonal, mm
shaped.answer(
    {MEAN_OFF: sure["integral only"]["mean"], PEAK_OFF: sure["integral only"]["peak"]},
    f"**What you saw.** With the integral loss alone the mean is off by {sure['integral only']['mean']:.0f} mm and the "
    f"peak by {sure['integral only']['peak']:.0f}: the loss is content with *any* cloud that balances on the spot. "
    "The heat-map losses care for the shape. Alone, they bring the *peak* into the joint's cell, so it is off by what "
    f"the cell leaves, {sure['Gaussian BCE only']['peak']:.0f} mm here and never more than {cell:.0f}. Their mean is "
    f"another matter: after Gaussian BCE alone it is {sure['Gaussian BCE only']['mean']:.0f} mm off, because thousands "
    "of cells of background keep a share of the softmax and pull it to the middle. The cross entropy over all cells "
    f"leaves no background, and its mean is where its peak is ({sure['one-hot CE only']['mean']:.0f} mm). Together "
    "with the integral loss: a compact cloud with its mean near the truth.\n\n"
    "**Two truths.** The forearm points to the camera; in the photo it might as well point away from it. Let 0.4 of "
    f"the examples say so: now the mean falls between the two and is {torn['Gaussian BCE only']['mean']:.0f} mm from "
    f"the nearer one (Gaussian BCE only), while the peak chooses ({torn['Gaussian BCE only']['peak']:.0f} mm).",
)

# %%
Markdown(figures.mixture_table(0.0, places))

# %% [markdown]
# ## 4. One photo, many photos
#
# Photos are expensive, changes of photos are not. The report shifts every photo by up to 5 % of its width, scales $x$
# and $y$ by 0.75 to 1.25, and changes hue, saturation, contrast and the brightness of each colour channel (with
# *imgaug*, before the photos are normalised). The labels must follow: the keypoints by the same numbers, and the depth
# too. A person who looks $s$ times as large *is* $s$ times as deep, as far as the picture can tell. Our person, eight
# times:
#
# > **Predict.** With the zoom at its largest: which joints leave the picture, and what should a loss do with them?

# %%
LEAVE, LOSS = "most often", "a loss should"
outside = predict(
    {
        LEAVE: ["the head", "the wrists", "the feet"],
        LOSS: ["pull them to the border", "leave them out", "treat them like all others"],
    }
)
outside

# %%
one = photos.select([PERSON] * 8)
sheet = demo_photos.augmentation_demo(one.image, one.keypoints)
sheet

# %% tags=["demo-test"]
sheet.set(**sheet.presets["untouched"]).check()
assert torch.allclose(sheet.arrays["keypoints"], one.keypoints)
sheet.set(zoom=0.5, shift=0.2).check()
assert not sheet.arrays["inside"].all()
sheet.set(**sheet.presets["the largest zoom"]).check()
gone = (~sheet.arrays["inside"]).sum(0)
sheet.reset().check()
print("the augmentation demo moves")

# %%
leaving = ", ".join(f"{JOINTS[i].replace('_', ' ')} ({gone[i]})" for i in gone.argsort(descending=True)[:4] if gone[i])
ENDS = {"the head": ["head"], "the wrists": ["left_wrist", "right_wrist"], "the feet": ["left_foot", "right_foot"]}
each = {name: gone[[JOINTS.index(joint) for joint in ends]].double().mean() for name, ends in ENDS.items()}
outside.answer(
    {LEAVE: [name for name in each if each[name] == max(each.values())], LOSS: "leave them out"},
    f"**What you saw.** In the eight draws {gone.sum()} of {gone.numel() * len(one)} joints leave the picture"
    + (f", most often {leaving}" if leaving else "")
    + ". What is outside has no cell, so no map can say where it is: the loss leaves these joints out (`inside` in the "
    "training below). A plain regression could still learn them; to be fair, it does not get them either.",
)

# %%
source(augmentation.move)

# %% [markdown]
# ## 5. Metres
#
# A network that sees only a cut-out picture cannot know how large the person is: a child nearby and a giant far away
# look alike. So the volume is a box that moves with the person. It stands where the hip is, at depth $Z$; the borders
# of the picture bound it on the left and right, and it is as deep as it is wide. If the picture shows the image plane
# from $c - h$ to $c + h$, half the box is $hZ$ metres: that is **one unit**, the same on all three axes. From the
# network's $(x, y, z)$ back to metres:
#
# $$Z_k = Z + hZ\,z, \qquad X_k = (c_x + h\,x)\,Z_k, \qquad Y_k = (c_y + h\,y)\,Z_k$$
#
# The window $(c, h)$ is known, because somebody cut the picture out. The hip's depth $Z$ we tell the network (*ours*;
# Sun et al. are told how long the whole skeleton is). Our person, from above:

# %%
show(figures.metres_figure(photos.box[PERSON], photos.pose[PERSON]))
source(poses.to_pose)

# %% [markdown]
# ## 6. Train one yourself
#
# Before the finished networks get the word: write the five lines that train one, and watch the wrist's cloud form. The
# network is half as wide as the shipped ones, the photos have 32 pixels, the volume $8^3$ cells; 600 steps take a
# quarter of a minute on an idle processor. The first cell checks your step, the second trains with it. Say what you
# expect, then run them (again) and watch.
#
# > **Predict.** Who always says the mean pose has about 160 mm on these validation photos. Where will 600 steps of 32
# > photos get you? And when will the cloud have found the wrist, to within a cell?

# %%
ENDS_AT, FINDS = "after 600 steps", "the cloud has found the wrist"
WHEN = ["within 200 steps", "within 400 steps", "within 600 steps", "not yet"]
own_guess = predict({ENDS_AT: Scale(0, 300, 5, "mm"), FINDS: WHEN})
own_guess


# %%
def training_step(net, optimiser, images, target):
    """One step of integral regression; returns the loss before the step.

    net.logits(images) are scores (B, 17, D, H, W), integral.soft_argmax_3d makes them coordinates (B, 17, 3), and the
    loss is the mean absolute difference from target (B, 17, 3).
    """
    ### BEGIN SOLUTION
    predicted = integral.soft_argmax_3d(net.logits(images))
    loss = (predicted - target).abs().mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()
    ### END SOLUTION


checks.training_step(training_step)

# %%
with own_guess.covered():
    learned = demo_training.train_live(photos.image[PERSON], wrist, SEED)  # with your step, once it is right

# %%
when = WHEN[-1] if learned["found"] is None else WHEN[max(0, math.ceil(learned["found"] / 200) - 1)]
own_guess.answer(
    {ENDS_AT: learned["curve"][-1][1], FINDS: when},
    "**What you saw.** At first the cloud is everywhere and the mean is in the middle of the picture. Then it learns "
    "what an average person looks like, which already is worth the mean pose; and only then what *this* person does. "
    f"You ended at {learned['curve'][-1][1]:.0f} mm (the mean pose: {learned['blind']:.0f}). The shipped networks go "
    "on from there: larger photos, finer volumes, more people, and many more steps, on augmented photos.",
)

# %% [markdown]
# ## 7. Four approaches
#
# The report tried four: (1) plain regression, (2) the integral loss, (3) the integral loss and, for the last epochs,
# both losses, (4) as (2), from a network that was trained on ImageNet, which the rules of its course did not allow for
# the result. We add the controls that it leaves out: as many further steps *without* the second loss (later is also
# longer), a one-hot target, DSNT's regulariser, and the heat-map loss alone. For ImageNet stands another task on other
# photos (*ours*): which of eight directions does the person face?

# %%
rates = ", ".join(f"{rate:g} ({family})" for family, rate in FOUND["search"]["rates"].items())
Markdown(
    f"""|  | the report | here |
|---|---|---|
| photos to train with | {results.PHOTOS_OF_REPORT:,}, Human3.6M | {BUDGET["photos"]:,}, rendered in one room |
| photos to test with | 10,987 | {BUDGET["test"]:,}: other people, clothes and motions |
| network | ResNet-50, pictures of 256 pixels | small, pictures of {BUDGET["size"]} pixels |
| training | 25 epochs of an hour and a half | {BUDGET["steps"]:,} steps of {BUDGET["batch"]} photos |
| second stage | 2 epochs of more than 7 hours | {BUDGET["late_steps"]:,} steps |
| trainings of each | 1 | {len(FOUND["seeds"])} |
| learning rates | not given | {rates}, chosen on validation photos |
| weight of the second loss | not given | 0.01, by trial: with a tenth of it, the peak stayed where it was |
| arithmetic of the training | float32 | {BUDGET["precision"]} inside the network, float32 in losses and tests |

One more thing is *ours*: the Gaussian stands on the joint itself, not on the middle of its cell. Our cells are
{64 / BUDGET["cells"]:.0f} times as large as those of Sun et al., so we also train the heat-map loss alone as in
equation 9 ("on cells")."""
)

# %%
source(recipes.Method, trainings.loss_of)

# %% [markdown]
# First we hold the test again with the networks that are shipped (seed 0), so that no number below stands on trust:

# %%
# NBVAL_CHECK_OUTPUT
agree = True
for method, net in nets.items():
    here = poses.judge(trainings.predict(net, photos), photos.box, photos.pose).mpjpe
    agree &= abs(here - FOUND["runs"][method][0]["test"]["mpjpe_mm"]) < 1
print("all shipped networks have their recorded error:", bool(agree))

# %% [markdown]
# > **Predict.** (1) Which approach wins? (2) Where is most of the error: across the picture, down the picture, or in
# > depth? (3) Who is best after the first seventh of the steps?

# %%
begun = {
    "plain regression": results.early(FOUND, "regression"),
    "integral regression": results.early(FOUND, "integral"),
    "the heat map at its peak": results.early(FOUND, "heat-map", "peak"),
    "the heat map at its mean": results.early(FOUND, "heat-map"),
}
FIRST, WHERE, EARLY = "(1) smallest error", "(2) most of it is", "(3) best early on"
AXES = ["across the picture", "down the picture", "in depth"]
approach = predict({FIRST: [name for _, name in results.APPROACHES.values()], WHERE: AXES, EARLY: list(begun)})
approach

# %%
with approach.covered():
    display(Markdown(results.approaches_table(FOUND)))
    show(results.approaches_figure(FOUND), results.axes_figure(FOUND))
    show(results.learning_figure(FOUND), results.difference_figure(FOUND))

# %%
best = min(error, key=lambda method: error[method].mean())
axes = results.per_seed(FOUND, "integral", metric="axes_mm").mean(0)
flat = np.array(FOUND["baselines"]["mean pose"]["test"]["axes_mm"])
won = dict(zip(AXES, 1 - axes / flat))
hardest = min(won, key=won.__getitem__)
quick = min(begun, key=lambda name: begun[name].mean())
approach.answer(
    {FIRST: results.APPROACHES[best][1], WHERE: AXES[axes.argmax()], EARLY: quick},
    f"**What you saw.** (1) *{results.APPROACHES[best][1]}* has the smallest error, {error[best].mean():.1f} mm; that "
    f"is {results.said(error[best] - error['regression'])} from plain regression, seed by seed, and the mean pose has "
    f"{blind['mean pose']:.0f}. (2) Integral regression is off by {axes[0]:.0f} mm across, {axes[1]:.0f} down and "
    f"{axes[2]:.0f} in depth, the mean pose by {flat[0]:.0f}, {flat[1]:.0f} and {flat[2]:.0f}. Looking at the photo "
    "takes "
    + ", ".join(f"{100 * share:.0f} % away {axis}" for axis, share in won.items())
    + f": *{hardest}* is where a single photo tells least. (3) Early on, *{quick}* is best, with "
    f"{begun[quick].mean():.0f} mm on validation photos.",
)

# %% [markdown]
# Lesson 01 asks the first question in 2D, with its own photos. Two experiments on one question agree when both are
# trained long enough to tell: look at the last figure's left end. In the first steps the difference is large, or
# changes its sign; what a card says is what stands at its right end.

# %% [markdown]
# ## Claim cards
#
# Seeds are *training* seeds; all networks are tested on the same photos, so differences are paired: seed 3 against seed
# 3. A card *holds* if the whole 95 % interval of the mean difference (Student's t over seeds) is on its side of the
# limit, *does not hold* if it is on the other, and is *undecided* if the limit lies inside. The report's figures are
# for Human3.6M and ResNet-50: compare the order, not the millimetres.

# %%
seen = {method: results.per_seed(FOUND, method, "train") for method in recipes.METHODS}
SOURCE = "Pantalos and Rudin 2019, "
MARGIN = 1.0  # mm: what "no worse" and "not better" may hide; said before the trainings

# %%
record(
    Claim(
        "average-beats-maximum",
        LESSON,
        "Read at the mean, a network trained with the integral loss is better than read at the peak.",
        "Sun et al. 2018, introduction; no figures for one and the same network",
        paper={},
        ours={
            "at the peak": peak["integral"],
            "at the mean": error["integral"],
            "mean − peak": error["integral"] - peak["integral"],
            "does not look: the mean pose": [blind["mean pose"]],
        },
        test=lambda m: is_below(m["mean − peak"]),
        explanation="One network, one set of maps, two readings. The integral loss never asks where the peak is.",
        unit="mm",
    ),
    Claim(
        "integral-beats-regression",
        LESSON,
        "Integral regression beats plain regression.",
        SOURCE + "figure 2, approaches (1) and (2); the text gives 94.38 mm for (2) after 23 epochs",
        paper={"regression": None, "integral": 94.38},
        ours={
            "regression": error["regression"],
            "integral": error["integral"],
            "integral − regression": error["integral"] - error["regression"],
            "the same, validation photos": results.per_seed(FOUND, "integral", "validation")
            - results.per_seed(FOUND, "regression", "validation"),
            "does not look: the mean pose": [blind["mean pose"]],
        },
        test=lambda m: is_below(m["integral − regression"]),
        explanation="Judged on test photos: other people and other motions than in the training.",
        if_holds="Both have the same trunk (the layers that look at the photo), photos and number of steps; the "
        "integral's head (the layers that answer) has more weights.",
        if_not="Look at the training curves: networks that are hardly better than the mean pose cannot be compared.",
        if_undecided="The seeds scatter more than the two differ: train longer before you believe either way.",
        unit="mm",
    ),
    Claim(
        "late-heat-map-loss",
        LESSON,
        "Adding the Gaussian heat-map loss late lowers the test error, by more than the further steps do.",
        SOURCE + "section 5: 94.38 mm after 23 epochs, 92.36 mm after 2 more with both losses",
        paper={"both losses − before": -2.02},
        ours={
            "before": error["integral"],
            "both losses − before": error["gaussian-later"] - error["integral"],
            "both losses − as many steps without": error["gaussian-later"] - error["integral-later"],
            "Jensen–Shannon − as many steps without": error["js-later"] - error["integral-later"],
        },
        test=lambda m: all_hold(
            is_below(m["both losses − before"]), is_below(m["both losses − as many steps without"])
        ),
        explanation="Holds when both differences are below zero. The report has one run and no such control: later is "
        "also longer. The weight and the number of steps are ours.",
        if_not="The second loss brings the peak of the map near the joint (see the column of the peak); the mean gains "
        "nothing that further steps with the integral loss alone would not give.",
        if_undecided="The second loss brings the peak of the map near the joint (see the column of the peak); whether "
        "the mean gains by it, these seeds cannot tell from the further steps alone.",
        unit="mm",
    ),
    Claim(
        "training-error-rises",
        LESSON,
        "With the second loss added late, the training error rises.",
        SOURCE + "section 5: it rose while the test error fell (no figures)",
        paper={},
        ours={
            "training photos, before": seen["integral"],
            "both losses − before": seen["gaussian-later"] - seen["integral"],
            "both losses − as many steps without": seen["gaussian-later"] - seen["integral-later"],
        },
        test=lambda m: is_above(m["both losses − before"]),
        explanation="On training photos without augmentation. The other half of the report's sentence, the falling "
        "test error, is the card above.",
        unit="mm",
    ),
)

# %%
alone = {
    "early, at the peak − integral": results.early(FOUND, "heat-map", "peak") - results.early(FOUND, "integral"),
    "early, at the mean − integral": results.early(FOUND, "heat-map") - results.early(FOUND, "integral"),
    "at the end, at the peak − integral": peak["heat-map"] - error["integral"],
}
record(
    Claim(
        "heat-map-alone",
        LESSON,
        "With the heat-map loss alone, training is inefficient: behind the integral loss early on, however the map is "
        "read, and at the end, read at its peak.",
        SOURCE + 'section 5: "very inefficient on its own" (no figures, and not how the map was read)',
        paper={},
        ours=alone,
        test=lambda m: all_hold(*map(is_above, m.values())),
        explanation="Early: the mean validation error in the first seventh of the steps. The Gaussian stands on the "
        "joint. At the end: test photos.",
        if_holds="The reading has a share in it: see the next card.",
        if_not="The peak is behind, at first and at last. Read at its mean, the same map is not: what is slow is the "
        "reading, and the next card says where the mean ends.",
        unit="mm",
    ),
    Claim(
        "heat-map-at-the-mean",
        LESSON,
        "Trained with the heat-map loss alone and read at the mean, a network is no worse than with the integral loss.",
        "not in the report, which expects the opposite (ours)",
        paper={},
        ours={
            "at the mean − integral": error["heat-map"] - error["integral"],
            "with the best temperature − integral": results.per_seed(FOUND, "heat-map", "test, tempered")
            - error["integral"],
            "on cells, at the mean − integral": error["heat-map-cell"] - error["integral"],
            "on cells, at the peak − integral": peak["heat-map-cell"] - error["integral"],
        },
        test=lambda m: is_below(m["at the mean − integral"], MARGIN),
        explanation=f"No worse: less than {MARGIN:g} mm, said before the trainings. The temperature was chosen on "
        "validation photos. On cells, as in equation 9, rounding moves the hip, whose depth is always 0, by half a "
        "cell to one side, and with it every joint that is measured from the hip. With 64 cells an axis it costs less.",
        unit="mm",
    ),
    Claim(
        "one-hot",
        LESSON,
        f"A one-hot target is not better than the Gaussian (by {MARGIN:g} mm or more).",
        SOURCE + "section 2.2.2 (no figures); it expected the opposite from Sun et al.",
        paper={},
        ours={
            "Gaussian": error["gaussian-later"],
            "one-hot − Gaussian": error["one-hot-later"] - error["gaussian-later"],
        },
        test=lambda m: is_above(m["one-hot − Gaussian"], -MARGIN),
        explanation="Both losses have the same weight; the Gaussian stands on the joint, a single cell cannot.",
        unit="mm",
    ),
    Claim(
        "pre-training",
        LESSON,
        "Pre-training helps, but by less than 5 %.",
        SOURCE + 'section 5: from ImageNet "only slightly" better than from scratch, 312,188 images (no figures)',
        paper={},
        ours={"gain by pre-training": 100 * (1 - error["pre-trained"] / error["integral"])},
        test=lambda m: all_hold(is_above(m["gain by pre-training"]), is_below(m["gain by pre-training"], 5)),
        explanation="Ours is not ImageNet, but a task with a label of three bits on photos of the same kind of people: "
        "the card tests the number, not the report's reason, the size of its data set.",
        unit="%",
    ),
)

# %% [markdown]
# **What does the second loss cost?** The report compares *epochs*: more than 7 hours instead of an hour and a half. It
# does not say how it made its target volumes. We measure both: a *step* with each loss, and what it costs to make the
# target volumes of an epoch of the report's photos, 17 volumes of $64^3$ cells a photo, one after the other as a data
# loader would.

# %%
costs = {name: np.array(cost["seconds"]) for name, cost in FOUND["costs"].items()}
hours = results.target_hours(FOUND)
Markdown(
    results.cost_table(FOUND) + "\n\nMeasured when the networks were trained, side by side, on one thread.\n\n"
    f"Equations 5 to 9 *to the letter*, the distance of every cell: **{hours['to the letter'].mean():.1f} hours** of "
    f"one core an epoch. The same volumes as a *product* of three factors: {hours['as a product'].mean():.1f} hours. "
    "Without any volume, by `contract`: nothing worth measuring. The report's epoch grew by 5.5 hours. So an "
    "hour-hungry second loss is no property of the loss: it is a matter of how the target is made."
)

# %%
record(
    Claim(
        "second-loss-is-expensive",
        LESSON,
        "The second loss is far more expensive: a step of training takes more than twice as long.",
        SOURCE + "sections 3 and 5: more than 7 hours an epoch instead of 1:30",
        paper={"the target volume is made": 4.7},
        ours={
            "the target volume is made": costs["integral + Gaussian, volume"] / costs["integral"],
            "as factors (ours)": costs["integral + Gaussian, factors"] / costs["integral"],
        },
        test=lambda m: is_above(m["the target volume is made"], 2),
        explanation="The report compares epochs, which include the making of the targets; this is a step, with the "
        "volumes made for the whole batch at once. Small volumes, on a busy processor; 'seeds' are rounds.",
        unit="times",
    )
)

# %% [markdown]
# ## Exercises
#
# **1. Soft-argmax** (5 minutes). Rows of scores in, expected coordinates out, at the cells' centres.


# %%
def soft_argmax(logits):
    """Expected x in (-1, 1) of rows of scores (..., W)."""
    ### BEGIN SOLUTION
    cells = logits.shape[-1]
    centres = (2 * torch.arange(cells, dtype=logits.dtype) + 1) / cells - 1
    return (torch.softmax(logits, -1) * centres).sum(-1)
    ### END SOLUTION


checks.soft_argmax(soft_argmax)

# %% [markdown]
# **2. Its gradient** (10 minutes). By how much does the mean move when score $i$ grows? Derive it, then write it
# without autograd.


# %%
def gradient(logits):
    """Derivative of the soft-argmax by each of the scores (W,)."""
    ### BEGIN SOLUTION
    cells = len(logits)
    centres = (2 * torch.arange(cells, dtype=logits.dtype) + 1) / cells - 1
    p = torch.softmax(logits, 0)
    return p * (centres - p @ centres)
    ### END SOLUTION


checks.gradient(gradient)

# %% [markdown]
# **3. Half a cell** (5 minutes). Somebody read coordinates at the cells' corners. Repair them; the maps are gone.


# %%
def half_pixel(x, cells):
    """Coordinates that were read at 2 i / n - 1, as they should have been."""
    ### BEGIN SOLUTION
    return x + 1 / cells
    ### END SOLUTION


checks.half_pixel(half_pixel)

# %% [markdown]
# **4. The report's target** (10 minutes). Equations 5 to 9, to the letter: the volume is $(D, H, W)$, the cell is
# $(x, y, z)$.


# %%
def gaussian_cube(cell, shape):
    """The target volume (D, H, W) around `cell` = (x, y, z)."""
    ### BEGIN SOLUTION
    grids = torch.meshgrid(*[torch.arange(n) for n in shape], indexing="ij")
    offsets = [grid - place for grid, place in zip(grids, reversed(cell))]
    square = sum(offset**2 for offset in offsets)
    inside = torch.stack([offset.abs() <= 5 for offset in offsets]).all(0)
    return torch.exp(-square / 2) / math.sqrt(2 * math.pi) * inside
    ### END SOLUTION


checks.gaussian_cube(gaussian_cube)

# %% [markdown]
# **5. The floor** (10 minutes). The least binary cross entropy that any prediction can reach against a target volume.


# %%
def bce_floor(target):
    """The smallest sum over cells of -t log p - (1 - t) log(1 - p), in nats."""
    ### BEGIN SOLUTION
    return -(torch.xlogy(target, target) + torch.xlogy(1 - target, 1 - target)).sum()
    ### END SOLUTION


checks.bce_floor(bce_floor)

# %% [markdown]
# ## Break it
#
# The code that computes the integral has just made a beautiful map of probabilities. Why not compare *that* with the
# target, cell by cell? Because the BCE will take its sigmoid: probabilities near $1/4096$ become $1/2$, in every cell,
# and no score can change that.
#
# > **Predict.** Where does the loss end, above its floor, if it is fed with logits, and where through a softmax?

# %%
LOGITS, SOFTMAXED = "with logits", "through a softmax"
ENDS_UP = ["within 10 nats", "10 to 1,000 nats above", "more than 1,000 nats above"]
fed = predict({LOGITS: ENDS_UP, SOFTMAXED: ENDS_UP})
fed

# %%
twice = figures.softmaxed_figure()
with fed.covered():
    show(twice)

# %%
last = {name: trace.y[-1] for name, trace in zip((LOGITS, SOFTMAXED), twice.data)}
fed.answer(
    {name: ENDS_UP[int(value > 10) + int(value > 1000)] for name, value in last.items()},
    f"**What you saw.** With logits it ends {last[LOGITS]:.1f} nats above its floor, through a softmax "
    f"{last[SOFTMAXED]:,.0f}: the largest probability is at most 1 and its sigmoid 0.73, that of all the others is "
    r"0.5, and $\ln 2$ a cell adds up.",
)

# %% [markdown]
# ## Summary
#
# 1. Yes: read at the mean, a network that was trained through the mean is far better than at its peak.
# 2. The mean of a softmaxed map is finer than its cells and has a gradient; the price is background and second peaks.
# 3. The integral loss places the mean and leaves the shape of the cloud alone; a heat-map loss gives it a shape.
# 4. Rounding to cells, half a cell, a floor, a softmax too many, how a target is made: details decide.
# 5. To say that a late loss helped, compare it with as many steps without it, and every number with who does not look.
#
# ## Further reading
#
# - G. Pantalos, N. Rudin: *Machine Perception, final report, project 2: 3D pose estimation*, ETH Zürich 2019.
# - X. Sun, B. Xiao, F. Wei, S. Liang, Y. Wei: *Integral human pose regression*, ECCV 2018.
# - A. Nibali, Z. He, S. Morgan, L. Prendergast: *Numerical coordinate regression with convolutional neural networks*,
#   2018 (DSNT).
# - G. Pavlakos, X. Zhou, K. Derpanis, K. Daniilidis: *Coarse-to-fine volumetric prediction for single-image 3D human
#   pose*, CVPR 2017.

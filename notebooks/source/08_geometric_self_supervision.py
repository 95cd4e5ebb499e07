# %% [markdown]
# # 08 · How much 3D is in 2D skeletons alone?
#
# **You will** stretch the depth of a pose and walk round it, send trained networks once round a person, write the loss
# of that round, and watch a training that never sees a 3D pose make up its mind about what is near and what is far.
#
# **You will learn** depth from rays, cycle consistency and what it does not notice, a critic of 2D skeletons, what
# decides the sign of depth, a critic of motion, and adapting strangers' skeletons.
#
# **You need** rotations, perspective, the idea of a GAN, a little PyTorch. **Time:** 105 minutes, 50 without the
# exercises; with the one in section 3 an hour.
#
# The lesson follows Chen et al. (CVPR 2019), whose code was never released. *Run all cells first*: what stands here as
# a picture then moves.

# %%
import numpy as np
import torch
from IPython.display import Markdown, display

from tutorial_lib.display.claims import Claim, all_hold, is_above, is_below, record
from tutorial_lib.display.predict import Scale, predict
from tutorial_lib.display.preview import show, source
from tutorial_lib.display.tables import folded
from tutorial_lib.lessons.geometric_self_supervision import (
    checks,
    demo_round,
    demo_strangers,
    demo_training,
    demo_turn,
    experiment,
    figures,
    results,
)
from tutorial_lib.lessons.geometric_self_supervision.demo_training import CRITIC as CRITIC_WEIGHT
from tutorial_lib.lessons.geometric_self_supervision.demo_training import CYCLE as CYCLE_WEIGHT
from tutorial_lib.lessons.geometric_self_supervision.recipes import CRITIC, CYCLE, FULL, LABELS
from tutorial_lib.self_supervision import losses, turning
from tutorial_lib.self_supervision.losses import believes, cycle_losses
from tutorial_lib.self_supervision.turning import about_vertical, look, tilt

# %% tags=["parameters"]
PROFILE = "quick"  # "quick": shipped networks, a minute. "full": trains all rows at the paper's size, for a GPU
SEED = 0
DEVICE = "auto"  # where "full" trains: "cuda" where there is one; demos and the lesson's own training run on the CPU
MOTION = "builtin"  # this lesson is about the course's own people; other motion is not looked at

# %%
torch.manual_seed(SEED)
torch.set_num_threads(1)  # small networks: a second thread wins little, and costs much where others are at work
LESSON = "08_geometric_self_supervision"
FOUND, FOLDER = experiment.found(PROFILE, SEED, DEVICE)
print(f"{PROFILE} profile, every row trained with {len(FOUND.seeds(FULL))} seeds")

# %% [markdown]
# ## 1. One picture, many depths
#
# A 2D skeleton is all we have: 17 points in a picture, and no 3D pose to learn from, ever. We know how far away the
# person stands, here 5 m, and the camera looks at the pelvis. Then a joint at depth $d$ behind the pelvis must lie on
# its ray, at $\left(\tfrac{5+d}{5}\,x,\ \tfrac{5+d}{5}\,y,\ d\right)$. So a network that *lifts* has only 16 numbers to
# say: the depths. And *every* answer fits the picture perfectly.
#
# The idea of this lesson: a wrong answer gives itself away **from the side**. Turn it, look again, and ask whether
# anybody ever looked like that. The curve below does so without a network: it says how far the turned skeleton is from
# the most similar one among 6,000 that were really seen, in millimetres a joint.
#
# To walk round a person one must know where *up* is, and the picture does not say. So the demo asks what you believe:
# *believed tilt* is the angle by which you take the camera to look down; below zero it looks up. In truth it looks down
# by 15 degrees (*more controls*).
#
# > **Predict.** Multiply all depths by one factor: 1 is the truth, 0 a flat person, −1 one who is mirrored in depth,
# > near for far. Walk round each of them. Averaged over all directions, how much farther than the truth is the *flat*
# > person from everything that was seen? And how much the *mirrored* one, if we also take the camera for one that looks
# > *up* instead of down?

# %%
FLAT, MIRRORED = "flat, farther by", "mirrored and believed from below, farther by"
strange_guess = predict({FLAT: Scale(0, 150, 5, "mm"), MIRRORED: Scale(0, 150, 5, "mm")})
strange_guess

# %%
turn_demo = demo_turn.turn_demo()
turn_demo

# %% tags=["demo-test"]
strange = {}
for name, values in turn_demo.presets.items():
    turn_demo.set(**values).check()
    strange[name] = float(demo_turn.hidden(turn_demo.arrays).mean())
assert abs(strange["the truth"]) < 0.01 and strange["flat"] > 10, strange
assert strange["mirrored"] > 3 * abs(strange["mirrored, believed from below"]), strange
turn_demo.reset().check()
print("the demo of depths moves")

# %%
strange_guess.answer(
    {FLAT: max(strange["flat"], 0.0), MIRRORED: max(strange["mirrored, believed from below"], 0.0)},
    f"**What you saw.** The flat person is exposed from the side: {strange['flat']:.0f} mm farther on average. The "
    f"mirrored one, seen from a camera that is rightly believed to look down, leans over and is exposed as well "
    f"({strange['mirrored']:.0f} mm). But believe that the camera looks *up*, and the mirrored person stands upright: "
    f"{strange['mirrored, believed from below']:.0f} mm. Nothing in the pictures speaks against it. Walked round to "
    "one side, they look as the true person looks from the other.",
)

# %% [markdown]
# So three things must come together: a way to turn a guess, somebody who knows what people look like, and a belief
# about the camera. This is the first. `before` is how far the first camera looks down. A training cannot know that of
# a picture, so it draws the angle from its belief, at every step anew.

# %%
source(turning.turn)

# %% [markdown]
# **Try it on your own.** Drag the line of the curve through all directions, for each of the presets. From where is the
# flat person exposed most, and why is that not the same for every pose? (*more controls* has other people.)
#
# ## 2. Go round, and come back
#
# The paper's idea is **self-consistency**. Lift what was seen ($x$); turn the pose ($Q$); look at it ($\pi$): a new 2D
# skeleton, one that nobody ever saw. Lift *that* with the same network, turn back, look. If the network knows what
# bodies are, two things hold: the second lift is the turned first one (loss 3D), and the way ends where it began (loss
# 2D):
#
# $$L_{3D} = \lVert \hat Y' - Q\hat Y\rVert^2 ,\qquad L_{2D} = \lVert \pi(Q^{-1}\hat Y') - x\rVert^2 ,\qquad
# \hat Y = \text{lift}(x),\quad \hat Y' = \text{lift}(\pi(Q\hat Y)).$$

# %%
source(losses.cycle_losses)

# %% [markdown]
# Neither asks whether anything looks like a person. That is what a *critic* asks, a second network that section 3 is
# about. Five trained networks go round below: one had the cycle alone, one a critic alone, one both, one both but with
# cameras from −20 to 20 degrees, which look up as often as down, and one had true 3D poses as labels. *Error* is the
# P-MPJPE, after the best rotation and scale of each pose, without reflection; *error if mirrored* is the same after all
# its depths have changed their sign.
#
# > **Predict.** The network that was trained by the *cycle alone* has nothing else to do than to come back. Compared
# > with the one that had labels, will it come back better or worse? And how wrong are its poses?

# %%
BACK, WRONG = "it comes back", "its poses are"
COMES = ["better", "about as well", "worse"]
QUALITY = ["better than a flat person", "about as good as a flat person, or worse"]
round_guess = predict({BACK: COMES, WRONG: QUALITY})
round_guess

# %%
round_demo = demo_round.round_demo(demo_round.lifters(FOLDER))
round_demo

# %% tags=["demo-test"]
back = {title: [] for title in demo_round.NETWORKS.values()}
for person in range(len(demo_turn.SHOWN)):
    round_demo.set(pose=person).check()
    for title, one in round_demo.arrays["rounds"].items():
        back[title].append((one["2D"], one["3D"], one["error"]))
back = {title: np.mean(values, 0) for title, values in back.items()}
assert back["with labels"][2] < back["cycle alone"][2], back
round_demo.reset().check()
print("the demo of rounds moves")

# %%
alone, labelled = back["cycle alone"], back["with labels"]
flat = FOUND.blind("flat", "known")
share = alone[1] / labelled[1]  # about as well: within a fifth
each, mirrored = FOUND.values(CYCLE, place="known"), int((FOUND.values(CYCLE, "tipped") > 50).sum())
round_guess.answer(
    {
        BACK: COMES[0 if share < 0.8 else 2 if share > 1.2 else 1],
        WRONG: QUALITY[int(each.mean() > 0.9 * flat)],
    },
    f"**What you saw.** Over these six poses the cycle alone comes back to within {alone[0]:.0f} mm in the picture and "
    f"{alone[1]:.0f} mm in space; the network that had labels to {labelled[0]:.0f} and {labelled[1]:.0f} mm. On test "
    f"people the five trainings of the cycle alone are {each.mean():.0f} mm wrong ({each.min():.0f} to "
    f"{each.max():.0f}; the demo has the first, {each[0]:.0f}), a flat person {flat:.0f} mm; in {mirrored} of "
    f"{len(each)} most poses are even better mirrored. To come back is not to be right: a body that is crumpled in the "
    "same way from every side comes back, too.",
)

# %% [markdown]
# ## 3. A critic, and a training of your own
#
# Who says what people look like? A **critic**: a second network that sees 2D skeletons, half of them real ones from the
# pictures, half of them turned guesses, and learns to tell which is which. The lifter learns to fool it. The two are a
# GAN; nobody shows either of them a pose in 3D, and the real skeletons are those of *other* people in *other* pictures.

# %%
source(losses.critic_loss)

# %% [markdown]
# `softplus` of minus the score is small where the critic says "seen", of the score where it says "made up". The last
# term, R1, is the squared slope of the score at real skeletons: a critic whose judgement jumps there gives the lifter
# no direction, and without this term such pairs often do not settle.
#
# **Exercise before the training** (10 minutes). Write what the lifter wants small: `CYCLE_WEIGHT` times both losses of
# the cycle, and `CRITIC_WEIGHT` times `believes`, which is small where the critic takes the turned picture for seen.
# Once it is right, run the four cells after the next question again, one by one: the trainings then take your loss.


# %%
def one_round(lifter, critic, seen, turn):
    """What the lifter wants small, and the turned picture.

    lifter(seen) are poses (B, 17, 3), `pose @ turn.mT` turns them (turn is Q);
    look(pose, lifter.distance) is what the camera sees;
    cycle_losses(lifter, seen, pose, again, turn) are the 2D and the 3D loss,
    believes(critic, again) is the critic's.
    """
    ### BEGIN SOLUTION
    pose = lifter(seen)
    again = look(pose @ turn.mT, lifter.distance)
    in_picture, in_space = cycle_losses(lifter, seen, pose, again, turn)
    return CYCLE_WEIGHT * (in_picture + in_space) + CRITIC_WEIGHT * believes(critic, again), again
    ### END SOLUTION


checks.one_round(one_round)

# %% [markdown]
# Now it trains: a small lifter and a small critic on 2,000 skeletons of 8 people, 1,500 steps. The cameras look down by
# 0 to 20 degrees, and the training knows that. After every 50 steps 400 poses of *other* people are judged twice: as
# they are, and with all depths mirrored. The histogram shows the difference: left of zero, a pose would be better
# mirrored. A flat person stands at zero. Say what you expect, then run the next cells one by one and watch: each trains
# for a quarter of a minute on an idle processor.
#
# > **Predict.** What will the histogram do?

# %%
TIPS = [
    "most poses go to the right side at once, and stay",
    "it ends undecided, in the middle or in two heaps",
    "most poses end on the wrong side",
    "most poses go to the wrong side first, and come over later",
]
tip_guess = predict(TIPS)
tip_guess

# %%
with tip_guess.covered():
    above = demo_training.train_live("from above", SEED)  # with your loss, once it is right

# %% [markdown]
# Now the same with cameras from −20 to 20 degrees, which look up as often as down, and a training that knows *that*.
# Everything else is as it was, the weights at the start, too.

# %%
with tip_guess.covered():
    anywhere = demo_training.train_live("from anywhere", SEED)

# %%
with tip_guess.covered():
    show(figures.tipping_figure([("cameras from 0 to 20°", above), ("cameras from −20 to 20°", anywhere)]))

# %%
behaved = demo_training.behaviour(above)
tip_guess.answer(
    TIPS[behaved],
    f"**What you saw.** In this training {TIPS[behaved]}: {above['tipped']:.0f} % of the poses are better mirrored at "
    f"the end. With cameras from −20 to 20 degrees it is {anywhere['tipped']:.0f} %. Mirrored people are a world that "
    "is consistent in itself. Believe that cameras look down, and people in that world lean: only so can anybody "
    "notice; and a network that lifts one pose into the one world and a similar one into the other is smooth in "
    "neither. So poses come over together, not one by one.",
)

# %% [markdown]
# ## 4. Is it trained, and who is right?
#
# Now larger networks, more people, several trainings of each kind, and tests on people and motions that no training
# saw. Rates and the weight of the cycle were chosen on *labelled* validation people: a liberty that a course has, and
# that somebody without labels has not.

# %%
folded("What was tried on validation people, one training each, and what was taken", results.searched_table(FOUND))

# %%
show(figures.training_figure(FOUND))

# %% [markdown]
# The test, on motions that nobody trained on. *Better mirrored* is the share of poses that are nearer to the truth with
# all depths mirrored; *correlation* is that of said and true depths, −1 to 1; behind ± stands half the 95 % interval
# over the trainings. The rows in italics need no network:
# whoever does not clearly beat them has learned nothing. The last one answers with the mean pose of training people,
# whichever way they face, and its heading is corrected before it is judged.

# %%
Markdown(results.main_table(FOUND))

# %%
Markdown(results.cycle_in_words(FOUND))

# %% [markdown]
# Who takes the better sign for each pose hides a failure, and so does who allows reflections in the alignment. So we
# always print both signs.
#
# ## 5. Where does the sign come from?
#
# Seen from far away by level cameras, a person mirrored in depth and turned by $\theta$ looks exactly as the true one
# turned by $-\theta$. If all angles are equally likely, no critic of pictures can ever tell. What helps is a belief
# that is not symmetric: that cameras look down. Such a belief, said before any picture is seen, is a *prior*. How
# lopsided must it be?
#
# > **Predict.** Cameras from −20 to 20 degrees, and trainings that differ in nothing but their dice. How many of them
# > end with the wrong sign, most of their poses being better mirrored? And from 0 to 20 degrees?

# %%
EVEN, ONE_SIDED = "from −20 to 20 degrees", "from 0 to 20 degrees"
count = len(FOUND.seeds("prior-20"))
sign_guess = predict({EVEN: Scale(0, count, 1, f"of {count}"), ONE_SIDED: Scale(0, count, 1, f"of {count}")})
sign_guess

# %%
with sign_guess.covered():
    display(Markdown(results.sign_table(FOUND)))

# %%
wrong = {name: int((FOUND.values(name, "tipped") > 50).sum()) for name in ("prior-20", "prior-0")}
sign_guess.answer(
    {EVEN: wrong["prior-20"], ONE_SIDED: wrong["prior-0"]},
    f"{wrong['prior-20']} of {count} with a symmetric prior, {wrong['prior-0']} of {count} with a one-sided one. Do "
    "poses choose for themselves, or all together? " + results.together_in_words(FOUND),
)

# %%
show(figures.sign_figure(FOUND))

# %% [markdown]
# ## 6. Noise, time, and strangers
#
# Real 2D skeletons come from a detector. Does the cycle help when they are noisy? Noise 1 and 3 are lesson 04's
# simulated detector, ordinary and bad. *Cycle adds* is the error with the cycle minus that without, in mm, paired by
# training: below zero it helps.

# %%
Markdown(results.noise_table(FOUND))

# %% [markdown]
# The paper adds a **critic of motion**: it sees how a turned skeleton moves from one moment to the next, a tenth of a
# second later, both turned by the *same* angle. Its effect is in the cards below, on *jitter*, the error of a joint's
# way between the two moments.
#
# And it adds **strangers' skeletons**. Other data sets have many 2D skeletons, but put the joints elsewhere: hips at
# the outside of the thigh, the nose for the head. An *adapter* moves them until a critic takes them for ours, without
# a single pair to learn from, and on a leash: moving far costs.
#
# > **Predict.** How near to our joints does an adapter bring the strangers' that never saw one person labelled in both
# > ways?

# %%
moved = {when: values.mean() for when, values in FOUND.strangers().items()}
NEAR = f"from {moved['before']:.0f} mm, over all joints, to"
near_guess = predict({NEAR: Scale(0, 60, 1, "mm")})
near_guess

# %%
strangers_demo = demo_strangers.strangers_demo(FOLDER)
strangers_demo

# %% tags=["demo-test"]
strangers_demo.set(share=0.0, azimuth=30).check()
untouched = strangers_demo.arrays["errors"][0]
assert torch.allclose(strangers_demo.arrays["adapted"], strangers_demo.arrays["strange"])
strangers_demo.set(share=1.0).check()
assert not torch.allclose(strangers_demo.arrays["adapted"], strangers_demo.arrays["strange"])
strangers_demo.reset().check()
elsewhere, alike = demo_strangers.by_kind_of_joint(FOLDER)
print("the demo of strangers moves")

# %%
near_guess.answer(
    float(moved["after"]),
    f"To {moved['after']:.0f} mm, on people whom it never saw: all in all "
    + ("nearer" if moved["after"] < moved["before"] else "farther")
    + ". For some people it is nearer, for others farther: try them in the demo. Over its six people and all "
    "directions, the joints that strangers put elsewhere go from "
    f"{elsewhere[0]:.0f} to {elsewhere[1]:.0f} mm, and those that they have where we have them from {alike[0]:.0f} to "
    f"{alike[1]:.0f}. The critic only asks whether a skeleton looks like one of ours, and *any* of ours will do; which "
    "joints were right, nobody tells the adapter.",
)

# %% [markdown]
# Does it help a lifter? Each row is the P-MPJPE of lifters that were trained on other 2D skeletons, tested on our
# definition of joints:

# %%
Markdown(results.strangers_table(FOUND))

# %% [markdown]
# ## Claim cards
#
# A card puts the paper's sentence to the test and computes its own verdict. Seeds are *training* seeds; differences
# are paired by seed: the same skeletons, the same tests. The paper's own ablations are not in the sources of this
# course, so most cards have no figure beside ours. As a third party reports them, P-MPJPE on Human3.6M: 61 mm for this
# paper, 127 for the best before it, and 91 for an honest re-implementation.

# %%
UNTOLD = "The paper's figures for this are unknown to us."
mean = FOUND.blind("mean")
record(
    Claim(
        "consistency",
        LESSON,
        "Self-consistency alone is not enough: trained by the cycle alone, a lifter is no better than a flat person.",
        "Chen et al. 2019, abstract (self-consistency is not sufficient)",
        paper={"cycle alone - flat person": None},
        ours={"cycle alone - flat person": FOUND.values(CYCLE) - FOUND.blind("flat")},
        test=lambda m: is_above(m["cycle alone - flat person"]),
        explanation="P-MPJPE, new motions. A flat person is right in the picture and says nothing about depth. "
        + UNTOLD,
        if_not="It is better than a flat person here: in our set-up the known, one-sided elevation already tells a "
        "network that cannot bend much something about bodies. How far it is from one with a critic, the next card "
        "says.",
        if_undecided="It is about as good as a flat person; whether better or worse, these trainings do not tell.",
        unit="mm",
    ),
    Claim(
        "critic",
        LESSON,
        "2D skeletons alone make 3D: with cycle and critic a lifter beats a flat person, the mean pose and the cycle "
        "alone.",
        "Chen et al. 2019, abstract (lifting without 3D data)",
        paper={"- flat person": None, "- mean pose": None, "- cycle alone": None},
        ours={
            "- flat person": FOUND.values(FULL) - FOUND.blind("flat"),
            "- mean pose": FOUND.values(FULL) - mean,
            "- cycle alone": FOUND.difference(FULL, CYCLE),
        },
        test=lambda m: all_hold(*(is_below(values) for values in m.values())),
        explanation=f"P-MPJPE, new motions; the mean pose, its heading forgiven, has {mean:.0f} mm. " + UNTOLD,
        if_not="At least one of the three is as good: the rows say which.",
        if_undecided="One of the intervals holds zero: more trainings would tell.",
        unit="mm",
    ),
    Claim(
        "cycle",
        LESSON,
        "The cycle adds to the critic: with both, a lifter is better than with the critic alone.",
        "Chen et al. 2019, title and abstract (geometric self-supervision)",
        paper={"cycle and critic - critic alone": None, "the same, noise 3": None},
        ours={
            "cycle and critic - critic alone": FOUND.difference(FULL, CRITIC),
            "the same, noise 3": FOUND.difference(f"{FULL}-noise-3", f"{CRITIC}-noise-3"),
        },
        test=lambda m: all_hold(*(is_below(values) for values in m.values())),
        explanation="P-MPJPE, new motions. Both rates, and the weight of the cycle, were chosen on validation people. "
        + UNTOLD,
        if_not="Here the critic does it. A critic that sees every turned skeleton and knows the distance leaves "
        "little to be consistent about, and being consistent also rewards small depths: a body that hardly has depth "
        "comes back most easily. The paper has real detections, unknown distances and a network eight times as wide.",
        if_undecided="The difference is smaller than what the dice of a training make: more trainings would tell.",
        unit="mm",
    ),
    Claim(
        "labels",
        LESSON,
        "Without labels it comes within a tenth of the same lifter with labels.",
        "ours; Chen et al. 2019 compare with supervised methods",
        paper={"error, times that with labels": None},
        ours={"error, times that with labels": FOUND.values(FULL) / FOUND.values(LABELS)},
        test=lambda m: is_below(m["error, times that with labels"], 1.1),
        explanation="P-MPJPE, new motions; the margin of a tenth was set beforehand.",
        if_not="Labels are worth more. A critic knows what people look like, not what this person does.",
        if_undecided="The interval holds the margin.",
        unit="×",
    ),
)

# %%
tipped = {name: FOUND.values(name, "tipped") for name in ("prior-0", "prior-20")}
JITTERS = {"jitter": ("temporal", FULL), "jitter, noise 3": ("temporal-noise-3", f"{FULL}-noise-3")}
record(
    Claim(
        "sign",
        LESSON,
        "The sign is a gift of the camera: cameras that only look down leave no training on the wrong sign, cameras "
        "that look up as often as down leave some.",
        "ours; that depth is known up to a reflection is the paper's own remark",
        paper={"better mirrored, 0 to 20 degrees": None, "better mirrored, -20 to 20 degrees": None},
        ours={
            "better mirrored, 0 to 20 degrees": tipped["prior-0"],
            "better mirrored, -20 to 20 degrees": tipped["prior-20"],
        },
        test=lambda m: (
            bool((m["better mirrored, 0 to 20 degrees"] < 50).all())
            and bool((m["better mirrored, -20 to 20 degrees"] > 50).any())
        ),
        explanation="A training is on the wrong sign if most of its poses are better mirrored. Every single training "
        "is in the table of section 5; an interval over a few coin tosses says little.",
        if_not="See the table: either a one-sided prior left a training on the wrong sign when it ended, or all "
        "trainings "
        "with the symmetric one happened to fall on the right side.",
        unit="%",
    ),
    Claim(
        "motion",
        LESSON,
        "A critic of motion makes motion better: the error of the joints' ways falls.",
        "Chen et al. 2019, third contribution (temporal discriminator)",
        paper=dict.fromkeys(JITTERS),
        ours={title: FOUND.difference(one, other, "jitter") for title, (one, other) in JITTERS.items()},
        test=lambda m: all_hold(*(is_below(values) for values in m.values())),
        explanation="Error of a joint's way within a tenth of a second, new motions, frame by frame lifting. " + UNTOLD,
        if_not="It does not fall with both detectors. The critic sees 2D ways of turned skeletons, and a lifter that "
        "is good at every single moment already moves well.",
        if_undecided="The difference is smaller than what the dice of a training make.",
        unit="mm",
    ),
    Claim(
        "strangers",
        LESSON,
        "Strangers' skeletons help once they are adapted: better than few of one's own alone, and than strangers' as "
        "they are.",
        "Chen et al. 2019, second contribution (2D domain adaptation)",
        paper={"adapted - few": None, "adapted - as they are": None},
        ours={
            "adapted - few": FOUND.difference("adapted", "few"),
            "adapted - as they are": FOUND.difference("adapted", "raw"),
        },
        test=lambda m: all_hold(*(is_below(values) for values in m.values())),
        explanation="P-MPJPE, new motions, 300 moments of two people of one's own. Strangers' joints, and the form "
        "of the adapter, are ours: the paper's is unknown to us.",
        if_not="One of the two differences is not below zero.",
        if_undecided="One of the intervals holds zero: more trainings would tell.",
        unit="mm",
    ),
)

# %% [markdown]
# ## Exercises
#
# Each has a check that says what it expected. Replace the part between the marks.
#
# **1. Along the rays** (5 minutes). From a 2D skeleton at a distance and a depth for each joint to the pose.


# %%
def along_the_rays(seen, depth, distance):
    """(..., 17, 2) metres at the distance and (..., 17) metres behind the root to (..., 17, 3), root-relative."""
    ### BEGIN SOLUTION
    grown = (distance + depth) / distance
    return torch.cat([seen * grown[..., None], depth[..., None]], -1)
    ### END SOLUTION


checks.along_the_rays(along_the_rays)

# %% [markdown]
# **2. Walk round** (10 minutes). `tilt(e)` leads from a level camera's frame to that of one that looks down by $e$, and
# `about_vertical(a)` turns about the true vertical. Put them together: undo `before`, walk by `azimuth`, look down by
# `after`.


# %%
def walk_round(before, azimuth, after):
    """(...) radians to (..., 3, 3): from the first camera's frame to the second's, for `pose @ rotation.mT`."""
    ### BEGIN SOLUTION
    return tilt(after) @ about_vertical(azimuth) @ tilt(before).mT
    ### END SOLUTION


checks.walk_round(walk_round)

# %% [markdown]
# **3. Two worlds** (10 minutes). Show the argument of section 5 with numbers: far away, the mirrored person turned by
# $\theta$ has the same picture as the true one turned by $-\theta$. Return the largest distance between the two
# pictures.


# %%
def two_worlds(pose, azimuth, distance):
    """Largest distance in metres between the pictures of the mirrored pose turned one way and the true one the other.

    pose (N, 17, 3) before a level camera; azimuth in radians, a tensor; look(pose, distance) is the picture.
    """
    ### BEGIN SOLUTION
    mirrored = pose * torch.tensor([1.0, 1.0, -1.0], dtype=pose.dtype)
    one = look(mirrored @ about_vertical(azimuth).mT, distance)
    other = look(pose @ about_vertical(-azimuth).mT, distance)
    return (one - other).norm(dim=-1).max()
    ### END SOLUTION


checks.two_worlds(two_worlds)

# %% [markdown]
# **4. Take turns** (20 minutes). The loop that trains both. In every round the lifter takes a step on what it wants
# small, then the critic takes one on `losses.critic_loss(critic, real, again, 0.5)`, each with its own
# `torch.optim.Adam(…, 1e-3, (0.5, 0.99))`. Look out: the lifter's loss goes *through* the critic. What does its
# `backward()` leave there?


# %%
def take_turns(lifter, critic, rounds, objective):
    """Train both; return the lifter's loss of every round as a list of numbers.

    rounds yields (seen (B, 17, 2), real (B, 17, 2), turn (B, 3, 3)); objective(lifter, critic, seen, turn) is the loss
    and the turned picture, as of one_round.
    """
    ### BEGIN SOLUTION
    lifters, critics = (torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.99)) for network in (lifter, critic))
    values = []
    for seen, real, turn in rounds:
        loss, again = objective(lifter, critic, seen, turn)
        lifters.zero_grad()
        loss.backward()
        lifters.step()
        judged = losses.critic_loss(critic, real, again, 0.5)
        critics.zero_grad()  # not earlier: the lifter's loss has left gradients here
        judged.backward()
        critics.step()
        values.append(loss.item())
    return values
    ### END SOLUTION


checks.take_turns(take_turns)

# %% [markdown]
# ## Break it
#
# Lie to the training: the cameras look down, and it believes that they look up. No picture contradicts it, all losses
# fall, and the result is the other world.

# %%
lied_to = demo_training.train_live("from above", SEED, 600, believed="from below")
print(f"{lied_to['kept'][-1]:.0f} mm as it is, {lied_to['mirrored'][-1]:.0f} mm mirrored")

# %% [markdown]
# ## Summary
#
# 1. A 2D skeleton fits every depth. Turned and looked at again, a wrong depth may give itself away.
# 2. To come back to where one began is not to be right: a crumpled body comes back, too. Section 4 says how well it
#    does.
# 3. A critic that has seen many other 2D skeletons can teach a lifter without a single label; the cards say how well,
#    what the cycle adds to it, and how far it stays behind labels.
# 4. What is near and what is far cannot be seen in pictures: a belief about the camera has to say it, and section 5
#    counts what happens without one. So both signs are always reported.
# 5. **How much 3D is in 2D skeletons alone?** Most of the shape, not which of the shape and its mirror image.
#    That bit has to be brought along.
#
# ## Further reading
#
# - C.-H. Chen, A. Tyagi, A. Agrawal, D. Drover, M. V. Rohith, S. Stojanov, J. M. Rehg: *Unsupervised 3D Pose Estimation
#   with Geometric Self-Supervision*, CVPR 2019.
# - J. Martinez, R. Hossain, J. Romero, J. J. Little: *A simple yet effective baseline for 3d human pose estimation*,
#   ICCV 2017 (the residual blocks).
# - L. Mescheder, A. Geiger, S. Nowozin: *Which training methods for GANs do actually converge?*, ICML 2018 (R1).

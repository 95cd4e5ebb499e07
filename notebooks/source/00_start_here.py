# %% [markdown]
# # 00 · Can a network get used to something new while you watch?
#
# **Welcome.** This is a course on *human pose estimation*: finding out from a film how a person stands and moves. You
# learn it with your hands: every lesson has pictures that move when you move a slider, and behind every slider the real
# computation runs, on this computer, now.
#
# **In this lesson you will** check that your computer is ready, see the map of the course, and play with one live
# demo: you bend the lens of a camera and hang it crooked, and a network gets used to it, afresh at every move.
#
# **You will learn** how a lesson works, and the one idea that lessons 05 and 06 explain in full.
#
# **You need** a running JupyterLab (`make lab` opens one). To *use* this page you need no mathematics. For the other
# lessons: vectors, derivatives, a little Python. **Time:** 10 minutes.

# %% [markdown]
# ## How a lesson works
#
# 1. **Run everything first:** menu *Run → Run All Cells*. Then read from the top.
# 2. **Predict.** Before a demo there is a question. Choose or place your answer: a wrong guess teaches more than none,
#    and nobody counts.
# 3. **Move.** Drag the sliders. Turn the 3D picture with the mouse. You cannot break anything: every demo has a
#    *reset* button, and if a setting is impossible, it says so in red and waits for the next one.
# 4. **See.** After the demo stands what we saw, worked out from its numbers. It opens once you have answered.
#
# No Python is running, because you read this in a preview or on paper? Then every demo shows its picture, and a figure
# with a slider of its own follows.

# %%
import torch
from IPython.display import Image

from tutorial_lib.course import environment
from tutorial_lib.display import figures, still
from tutorial_lib.display.predict import Scale, predict
from tutorial_lib.display.preview import show
from tutorial_lib.lessons.start_here import demo_first_look
from tutorial_lib.training import resolve_device

# %% [markdown]
# Every lesson has one cell of settings. Change a value, then run all cells again.

# %% tags=["parameters"]
PROFILE = "quick"  # "quick" or "full"; this lesson is the same in both
SEED = 0  # another number: another person, another place for the camera
DEVICE = "auto"  # "cpu", "cuda", or "auto": a graphics card if there is one
MOTION = "builtin"  # or the path of a motion file, see the end of this page

# %%
torch.manual_seed(SEED)
device = resolve_device(DEVICE)

# %% [markdown]
# ## Is your computer ready?
#
# ✓ is fine, • works but is worth knowing, ✗ needs repair: the last column then says what to do. Below the table one
# line says whether sliders reach Python at all.

# %% tags=["volatile"]
environment.check()

# %% [markdown]
# If something is wrong:
#
# - **A ✗ beside a package.** Close JupyterLab and start it again with `make lab`: it installs what is missing.
# - **"No answer from the kernel".** The *kernel* is the Python behind this page. Menu *Kernel → Restart Kernel*, reload
#   the page in the browser, run all cells.
# - **A demo is a still picture without sliders.** You are in a preview, or the cells have not run yet: *Run → Run All
#   Cells*.
# - **Everything is slow.** Close other notebooks (menu *Kernel → Shut Down All Kernels*). Two free processor cores are
#   enough.

# %% [markdown]
# ## What it is all about
#
# A photo goes in; where the joints are in the picture comes out; then where they are in space.

# %%
Image(still.png(demo_first_look.photo_picture(SEED)), alt="a photo, 17 joints found in it, the same joints in space")

# %% [markdown]
# ## The map
#
# All lessons walk along the same road, from left to right. A film of a person is made, and a network tries to go back:
#
# | people move → | a camera looks → | a lens bends → | a network guesses → | a ruler measures |
# |:---:|:---:|:---:|:---:|:---:|
# | 17 joints in metres | flat joints | lines become curves | 3D joints from flat ones | the error in millimetres |
# | | | [**05**](05_camera_distortion.ipynb) | [**06**](06_meta_learning.ipynb) | [11](11_stress_testing.ipynb) |
# | 03, [09](09_characteristic_function.ipynb) | [08](08_geometric_self_supervision.ipynb) | | 01, 02, 04 | |
# | [10](10_mesh_recovery.ipynb) | [07](07_geometry_aware.ipynb) | [12](12_low_light.ipynb) | | |
# | | [13](13_egocentric.ipynb) | | | |
#
# | lesson | its question | state |
# |---|---|---|
# | 00 start here | Can a network get used to something new while you watch? | you are here |
# | [01 heat map](01_heatmap_vs_regression.ipynb) | How should a network say where a joint is? | **open** |
# | [02 integral pose](02_integral_pose.ipynb) | Can an average be sharper than a maximum? | **open** |
# | [03 shape templates](03_shape_templates.ipynb) | Can a network find a body that nobody pointed at? | **open** |
# | [04 temporal lifting](04_temporal_lifting.ipynb) | What do the frames before and after tell? | **open** |
# | [05 camera distortion](05_camera_distortion.ipynb) | What does a lens do to a network new to it? | **open** |
# | [06 meta-learning](06_meta_learning.ipynb) | Can a network learn to get used to a lens in five steps? | **open** |
# | [07 two cameras](07_geometry_aware.ipynb) | Can two cameras teach 3D before anybody labels a pose? | **open** |
# | [08 self-supervision](08_geometric_self_supervision.ipynb) | How much 3D is in 2D skeletons alone? | **open** |
# | [09 crowds](09_characteristic_function.ipynb) | A crowd's map is wrong in one corner: who notices? | **open** |
# | [10 mesh recovery](10_mesh_recovery.ipynb) | How much body is in seventeen dots? | **open** |
# | [11 stress testing](11_stress_testing.ipynb) | Where does a good model fail, and who finds it first? | **open** |
# | [12 low light](12_low_light.ipynb) | Can a network learn to see in the dark from a bright twin? | **open** |
# | [13 egocentric](13_egocentric.ipynb) | What does a camera on your head know about your feet? | **open** |

# %% [markdown]
# ## Three words before you start
#
# - A **lifter** is a network that gets the flat joints of a few video frames and says where these joints are in space:
#   it *lifts* them from 2D to 3D. Ours looks at 9 frames, about a fifth of a second.
# - The **lens coefficients** are five numbers that say how much, and in which way, a lens bends straight lines. Here
#   one slider sets all five; in lesson 05 you get one slider for each.
# - **MPJPE** (*mean per-joint position error*) is the ruler: how far, on average, a joint of the guess is from where it
#   really is, in millimetres. The tables call it *error*. 0 would be perfect; a hand is about 180 mm long.
#
# And this is what lenses do. A *barrel* lens squeezes the picture towards its middle, a *pincushion* lens stretches it
# away from there. (The grid covers the round part of the picture in which people are.) The green person is what a joint
# detector reports; it makes small mistakes, as real detectors do.

# %%
demo = demo_first_look.first_demo(MOTION, SEED, device)
shown = {}
for strength, name in list(demo_first_look.STRENGTHS.items())[::5]:  # nine stops of the slider
    shown[name] = demo.set(strength=strength, lean=0).check().arrays
demo.reset()

pictures = [demo_first_look.camera_picture(arrays) for arrays in shown.values()]
show(figures.sweep(pictures, list(shown), "lens", active=len(pictures) - 1))

# %% [markdown]
# ## Your turn: hang it crooked, press play
#
# A camera hangs in a *gimbal* on a drone. The gimbal keeps the picture level, whatever the drone does. The drone leans,
# nobody wrote down how, and somebody wants to know how people stand *as seen from the drone*. So the same picture has
# another right answer on every drone. Two networks try:
#
# - The **ordinary network** (orange) has met thousands of lenses and leaning drones.
# - The **adapting network** (blue) has met as many, and has practised *getting used to* each from a few examples.
#
# Whenever you move a slider, both start afresh: they get 64 short examples, filmed by *your* drone, in which somebody
# has measured the true joints of other people, and correct themselves with them a few times. Each correction is an
# *adaptation step*. Then both are tested on a walking person whom neither has seen before.
#
# > **Predict, before you drag.**
# > 1. Before the first step: which of the two is better?
# > 2. After five steps, on a drone that leans by 20°: by how much is the adapting network better than the ordinary one?
# > 3. The heaviest lens on a level drone: how much do the five steps win there?

# %%
FIRST, FIVE, LENS = "1. Before the first step:", "2. After five, better by:", "3. Won behind the lens:"
guess = predict(
    {
        FIRST: ["the ordinary one", "the adapting one", "neither"],
        FIVE: Scale(-20, 80, 5, "%"),
        LENS: Scale(-20, 80, 5, "mm"),
    }
)
guess

# %% [markdown]
# **Move.** Press *play*: it walks through the steps, and the blue skeleton stands up. Then drag the sliders, and turn
# the 3D picture. Black is the truth.

# %%
demo

# %% tags=["demo-test"]
kept = {}
for name, where in {"crooked": (0.0, 20), "lens": (1.0, 0), "barrel": (-1.0, 0), "both": (1.0, 20)}.items():
    demo.set(strength=where[0], lean=where[1], count=demo_first_look.STEPS).check()
    kept[name] = demo.arrays["errors"]
    assert all(torch.isfinite(errors).all() for errors in kept[name].values())
demo.set(count=0).check()
assert all(len(errors) == 1 for errors in demo.arrays["errors"].values())
if MOTION == "builtin" and SEED == 0:  # another person may be luckier
    ordinary, adapting = kept["crooked"].values()
    assert adapting[-1] < 0.6 * adapting[0], "it gets used to the lean"
    assert adapting[-1] < 0.75 * ordinary[-1], "and faster than who never practised"
demo.reset().check()
print("the demo moves")

# %% [markdown]
# ## What you saw

# %%
ordinary, adapting = kept["crooked"].values()
_, lens = kept["lens"].values()
before = float(ordinary[0] / adapting[0])
guess.answer(
    {
        FIRST: "neither" if 0.95 < before < 1.05 else "the adapting one" if before > 1 else "the ordinary one",
        FIVE: float(100 * (1 - adapting[-1] / ordinary[-1])),
        LENS: float(lens[0] - lens[-1]),
    },
    f"1. *Neither:* {ordinary[0]:.0f} and {adapting[0]:.0f} mm. Nobody can know how the drone leans, so both answer "
    f"with the mean of all drones, the level one.\n"
    f"2. The adapting network goes {adapting[0]:.0f} → {adapting[-1]:.0f} mm, the ordinary one {ordinary[0]:.0f} → "
    f"{ordinary[-1]:.0f}. Same layers, same examples, same number of steps: the one was *trained for the steps*.\n"
    f"3. On a level drone behind the heaviest lens it goes {lens[0]:.0f} → {lens[-1]:.0f} mm. It has met so many "
    "lenses that it hardly minds a new one; lesson 06 finds out what is left to win there.",
)

# %%
leans = [-20, -10, 0, 10, 20]
walk = {lean: demo.set(strength=0.0, lean=lean).check().arrays["errors"] for lean in leans}
demo.reset()
show(
    figures.curves(
        {
            "ordinary, after 5 steps": (leans, [float(e["ordinary network"][-1]) for e in walk.values()]),
            "adapting, before its first step": (leans, [float(e["adapting network"][0]) for e in walk.values()]),
            "adapting, after 5 steps": (leans, [float(e["adapting network"][-1]) for e in walk.values()]),
        },
        x_title="the drone leans by (°)",
        y_title="error (mm)",
        y_range=(0, 200),
        mode="lines+markers",
        colours={
            "ordinary, after 5 steps": "vermillion",
            "adapting, before its first step": "sky",
            "adapting, after 5 steps": "blue",
        },
        title="One person, five drones",
    )
)

# %% [markdown]
# One person proves nothing. Lesson 06 asks the same of many people, with more networks in the race, and shows how sure
# we can be of each number.

# %% [markdown]
# ## Break it
#
# - Is there a setting of the three sliders at which the *adapting* network is worse than the ordinary one? Worse than
#   itself before its first step?
# - Set `SEED = 1` above and run all cells: another person, another camera. Which of your answers still hold?
# - If you *knew* that the drone is merely turned, could you do without learning? (Lesson 06 does the sum.)

# %% [markdown]
# ## How to go on
#
# 1. [**05 camera distortion**](05_camera_distortion.ipynb): the five numbers one by one, and why the ordinary network
#    fails.
# 2. [**06 meta-learning**](06_meta_learning.ipynb): how a network learns to learn, first in a toy that you can see
#    through, then in the demo above with all its switches.
#
# **Your own motion.** All people in this course are computed, so nothing has to be downloaded. To see real people, put
# the path of a motion capture file into `MOTION` in the settings cell: a `.bvh` file (the usual export of
# motion-capture and animation programs) of at least 3.3 seconds, or an `.npz` file as `tutorial_lib.motion.save` writes
# it. Several clips of two or more people are better: some give the labelled examples, the others are tested.
#
# ## In five lines
#
# 1. A lifter turns flat joints into joints in space; its error is measured in millimetres.
# 2. What the picture does not say, a network cannot know: a leaning drone makes it wrong, however well it was trained.
# 3. A network that practised getting used to things does so in five steps, from a few examples.
# 4. In every lesson: predict, then move, then see.
# 5. Go on with 01, where joints are found in photos, or with 04 to 06, where films become skeletons.
#
# ## Further reading
#
# - Cho, Cho, Yu, Kim: *Camera Distortion-aware 3D Human Pose Estimation in Video with Optimization-based
#   Meta-Learning*, ICCV 2021: the method behind the demo.
# - Pavllo, Feichtenhofer, Grangier, Auli: *3D human pose estimation in video with temporal convolutions and
#   semi-supervised training*, CVPR 2019: the lifter.

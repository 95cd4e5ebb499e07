# %% [markdown]
# # 00 · Can a network get used to a new lens while you watch?
#
# **Welcome.** This is a course on *human pose estimation*: finding out from a film how a person stands and moves. You
# learn it with your hands: every lesson has pictures that move when you move a slider, and behind every slider the real
# computation runs, on this computer, now.
#
# **In this lesson you will** check that your computer is ready, see the map of the course, and play with one live
# demo: you bend the lens of a camera, and a network tries to get used to it, afresh at every move.
#
# **You will learn** how a lesson works, and the one idea that lessons 05 and 06 explain in full.
#
# **You need** a running JupyterLab (`make lab` opens one). To *use* this page you need no mathematics. For the other
# lessons: vectors, derivatives, a little Python. **Time:** 10 minutes.

# %% [markdown]
# ## How a lesson works
#
# 1. **Run everything first:** menu *Run → Run All Cells*. Then read from the top.
# 2. **Predict.** Before a demo there is a question. Answer it, best in writing. A wrong guess teaches more than none.
# 3. **Move.** Drag the sliders. Turn the 3D picture with the mouse. You cannot break anything: every demo has a
#    *reset* button, and if a setting is impossible, it says so in red and waits for the next one.
# 4. **See.** After the demo stands what we saw. Compare it with your prediction.
#
# No Python is running, because you read this in a preview or on paper? Then every demo shows its picture, and a figure
# with a slider of its own follows.

# %%
import numpy as np
import torch
from IPython.display import Markdown

from tutorial_lib.course import environment
from tutorial_lib.display import figures
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
# ## The map
#
# All lessons walk along the same road, from left to right. A film of a person is made, and a network tries to go back:
#
# | people move → | a camera looks → | a lens bends → | a network guesses → | a ruler measures |
# |:---:|:---:|:---:|:---:|:---:|
# | 17 joints in metres | flat joints | lines become curves | 3D joints from flat ones | the error in millimetres |
# | | | [**05**](05_camera_distortion.ipynb) | [**06**](06_meta_learning.ipynb) | |
# | 03, 09, 10 | 07, 08, 13 | 12 | 01, 02, 04 | 11 |
#
# | lesson | its question | |
# |---|---|---|
# | 00 start here | Can a network get used to a new lens while you watch? | you are here |
# | [01 heat map](01_heatmap_vs_regression.ipynb) | How should a network say where a joint is? | **open** |
# | [02 integral pose](02_integral_pose.ipynb) | Can an average be sharper than a maximum? | **open** |
# | [03 shape templates](03_shape_templates.ipynb) | Can a network find a body that nobody pointed at? | **open** |
# | [04 temporal lifting](04_temporal_lifting.ipynb) | What do the frames before and after tell? | **open** |
# | [05 camera distortion](05_camera_distortion.ipynb) | What does a lens do to a network new to it? | **open** |
# | [06 meta-learning](06_meta_learning.ipynb) | Can a network learn to get used to a lens in five steps? | **open** |
# | 07 – 13 | geometry, self-supervision, body meshes, stress tests, low light, head-worn cameras | later |

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
    shown[name] = demo.set(strength=strength).check().arrays
demo.reset()

pictures = [demo_first_look.camera_picture(arrays) for arrays in shown.values()]
show(figures.sweep(pictures, list(shown), "lens", active=len(pictures) - 1))

# %% [markdown]
# ## Your turn: bend the lens
#
# Two lifters look at the same joints.
#
# - The **ordinary network** (orange) was trained on films without a lens. It stays as it is.
# - The **adapting network** (blue) met thousands of lenses in its training, and practised getting used to each from a
#   few examples. Whenever you move a slider, it starts afresh: it gets 64 short examples, filmed through *your* lens,
#   in which somebody has measured the true joints of other people, and corrects itself with them a few times. Each
#   correction is an *adaptation step*.
#
# Then both are tested on a walking person whom neither has seen before.
#
# > **Predict, before you drag.**
# > 1. Which does more harm to the ordinary network: the strongest barrel or the strongest pincushion?
# > 2. How much of that harm does the adapting network avoid: a little, about half, nearly all?
# > 3. What does the work: the training it had *before*, or the five steps it takes *now*? (Set the steps to 0.)
# > 4. Without any lens: which of the two networks is better?
#
# **Move.** Drag *lens* slowly to one end, then to the other. Stop at *pincushion 100 %* and drag *adaptation steps*
# from 0 to 10. Press *play*, and turn the 3D picture. Black is the truth.

# %%
demo

# %% tags=["demo-test"]
errors = {}
for strength in (-1.0, 0.0, 1.0):
    demo.set(strength=strength, count=demo_first_look.STEPS).check()
    errors[strength] = list(demo.arrays["errors"].values())
    assert np.isfinite(errors[strength]).all()
demo.set(strength=1.0, count=0).check()
_, _, start, after = demo.arrays["errors"].values()
assert start == after, "no step, no change"
if MOTION == "builtin" and SEED == 0:  # another person may be luckier
    for strength in (-1.0, 1.0):
        clean, before, start, after = errors[strength]
        assert before > 1.2 * clean, "the lens does harm"
        assert after < before, "less to the adapting network"
demo.reset().check()
print("the demo moves")

# %% [markdown]
# ## What you saw
#
# The same in numbers, for this person, in millimetres:

# %%
rows = ["| lens | ordinary network | adapting, before its first step | adapting, after 5 steps |", "|---|---|---|---|"]
for name, arrays in shown.items():
    _, *three = arrays["errors"].values()
    rows.append(f"| {name} | " + " | ".join(f"{error:.0f}" for error in three) + " |")
Markdown("\n".join(rows))

# %%
percent = [arrays["percent"] for arrays in shown.values()]
_, before, start, after = zip(*(arrays["errors"].values() for arrays in shown.values()))
show(
    figures.curves(
        {"ordinary": (percent, before), "after 5 steps": (percent, after), "before its first step": (percent, start)},
        x_title="lens (%): barrel below 0, pincushion above",
        y_title="error (mm)",
        y_range=(0, 1.15 * max(before + after)),
        mode="lines+markers",
        colours={"ordinary": "vermillion", "after 5 steps": "blue", "before its first step": "sky"},
        title="One person, nine lenses",
    )
)

# %% [markdown]
# The 2D joints look fine through every lens, nobody is lost, and still the ordinary network's skeleton leans, shrinks
# and bends. It has learned what a straight picture means, and the picture is no longer straight.
#
# The adapting network keeps its head. Two things can help it, and the two blue lines keep them apart. Where they lie on
# each other, what it practised in training did the work. Where the line *after 5 steps* is lower, the steps helped;
# where it is higher, 64 examples of other people have led it astray. And in the middle, where there is no lens, you see
# what it costs to be prepared for everything.
#
# One person proves nothing. Lesson 06 asks the same of many people, with other networks in the race, and shows how sure
# we can be of each number.
#
# Here are the skeletons once more as a figure that moves without Python:

# %%
pictures = [demo_first_look.pose_picture(arrays) for arrays in shown.values()]
moving = figures.sweep(pictures, list(shown), "lens", active=len(pictures) - 1)
show(moving.update_layout(margin={"l": 60, "b": 130}))  # room for the words under the slider

# %% [markdown]
# ## Break it
#
# - Is there a setting of the two sliders at which the *adapting* network is worse than the ordinary one? Worse than
#   itself before its first step?
# - Set `SEED = 1` above and run all cells: another person, another camera. Which of your answers still hold?
# - Nobody tells the network what the lens is. How can it find out? (Lesson 06 takes even the labelled examples away.)

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
# 2. A lens that it has never seen makes it wrong, although the flat joints are all there.
# 3. A network that practised with many lenses is hurt much less; whether its steps add to that, you can measure.
# 4. In every lesson: predict, then move, then see.
# 5. Go on with 01, where joints are found in photos, or with 04 to 06, where films become skeletons.
#
# ## Further reading
#
# - Cho, Cho, Yu, Kim: *Camera Distortion-aware 3D Human Pose Estimation in Video with Optimization-based
#   Meta-Learning*, ICCV 2021: the method behind the demo.
# - Pavllo, Feichtenhofer, Grangier, Auli: *3D human pose estimation in video with temporal convolutions and
#   semi-supervised training*, CVPR 2019: the lifter.

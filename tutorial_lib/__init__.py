"""Models, geometry and losses of the interactive course on human pose estimation.

The house has five blocks, and imports go only downwards, from a block to those below it:

    course/                    the workshop: builds, runs, checks and publishes the lessons; no room imports it
    lessons/<slug>/            one drawer a lesson, called like its notebook; no drawer imports another
    ideas                      heatmaps/ integral/ templates/ <- lifting/ <- adaptation/: models, losses, geometry
    datasets/ | display/       what networks learn from | what a reader sees
    ground                     skeleton, camera, distortion, motion/, render/, metrics/, training, checkpoints/ ...

Data flows one way: motion (joints in metres) -> camera -> lens -> a network -> metrics -> picture.
docs/architecture.md has the picture; import-linter holds it to the code (`make test`).
"""

__version__ = "1.1.0"

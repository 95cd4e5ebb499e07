"""Models, geometry and losses of the interactive course on human pose estimation.

Data flows one way: motion (joints in metres) -> camera -> distortion -> a model -> metrics -> figure.
"""

__version__ = "0.1.0"

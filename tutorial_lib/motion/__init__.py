"""Human motion: invented (`builtin`) or read from a file (`load`), always as a list of `Clip`."""

from tutorial_lib.motion.clip import Clip
from tutorial_lib.motion.files.npz import load, save
from tutorial_lib.motion.invented.catalogue import ACTIONS, builtin
from tutorial_lib.motion.resampling import resample

__all__ = ["ACTIONS", "Clip", "builtin", "load", "resample", "save"]

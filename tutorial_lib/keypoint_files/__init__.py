"""Other people's 2D keypoints: what detectors and VideoPose3D write, as the course's joints on the screen."""

from tutorial_lib.keypoint_files.tracks import Track, load

__all__ = ["Track", "load"]

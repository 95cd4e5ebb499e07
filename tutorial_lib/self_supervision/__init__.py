"""Depth from 2D skeletons alone (Chen et al., CVPR 2019). Lesson 08's idea; stands on `datasets` and the ground."""

from tutorial_lib.self_supervision.networks import Adapter, Critic, DepthLifter
from tutorial_lib.self_supervision.turning import DISTANCE, draw_turns, lift, look, turn

__all__ = ["DISTANCE", "Adapter", "Critic", "DepthLifter", "draw_turns", "lift", "look", "turn"]

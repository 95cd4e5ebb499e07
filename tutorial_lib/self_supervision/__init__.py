"""Depth from 2D skeletons alone: lift, turn, look, lift again (Chen et al., CVPR 2019). Lesson 08's idea; stands on
`datasets` and the ground."""

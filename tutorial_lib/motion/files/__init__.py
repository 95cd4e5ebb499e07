"""Motion from files: BVH, the course's npz, VideoPose3D's npz."""

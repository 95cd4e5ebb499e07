"""Lesson 08, how much 3D is in 2D skeletons: demos, figures, checks, and the experiment with cycles and critics."""

"""Lesson 13, a camera on one's own head and the floor: demos, figures, checks, and the experiment with scenes."""

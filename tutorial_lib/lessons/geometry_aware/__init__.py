"""Lesson 07, 3D from two cameras before any label: demos, figures, checks, and the experiment with few labels."""

"""Lesson 02, an average of a volume as a pose: demos, figures, checks, and the experiment with losses on volumes."""

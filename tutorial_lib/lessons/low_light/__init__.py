"""Lesson 12, extremely low light: demos, figures, checks, and the experiment with twins."""

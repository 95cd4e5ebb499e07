"""Lesson 06, learning to get used to a lens: demos, figures, checks, and the training of what 00, 05 and 06 show."""

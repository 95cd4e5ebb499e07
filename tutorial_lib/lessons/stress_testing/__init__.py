"""Lesson 11, where a good model fails and who finds it first: demos, figures, checks, the experiment with agents."""

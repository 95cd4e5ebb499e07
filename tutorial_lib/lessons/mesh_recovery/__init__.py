"""Lesson 10, how much body is in seventeen dots: demos, figures, checks, and the experiment with networks and fits."""

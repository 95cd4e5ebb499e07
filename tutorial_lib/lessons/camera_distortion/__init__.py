"""Lesson 05, what a lens does to a network that never saw one: demos, figures, checks, the choice of lenses."""

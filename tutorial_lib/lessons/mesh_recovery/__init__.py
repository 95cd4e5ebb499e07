"""Lesson 10's drawer: demos, figures, checks, and the experiment that trains its networks."""

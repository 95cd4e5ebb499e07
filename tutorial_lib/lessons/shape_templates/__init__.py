"""Lesson 03, bodies that nobody pointed at: demos, figures, checks, and the experiment that trains the template."""

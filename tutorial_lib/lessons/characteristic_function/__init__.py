"""Lesson 09: heat maps of crowds, and the characteristic function as a loss."""

"""Checks of the exercises: each takes the student's function, tries it, and says what was expected.

A check raises `AssertionError` with what was expected, what came, and one hint. It prints one line when all is well.
Every lesson has its own file.
"""

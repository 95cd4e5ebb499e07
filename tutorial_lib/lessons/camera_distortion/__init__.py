"""Lesson 05's drawer: its demos, figures, checks and what trains its networks. No other lesson reads from it."""

"""Lesson 01, how a network says where a joint is: demos, figures, checks, and the experiment with four heads."""

"""Lesson 00, the doorway: the demo in which a lens bends and a network adapts. Its networks are lesson 06's."""

"""Lesson 04, what the frames before and after tell: demos, figures, checks, and the training of the lifters."""


def __getattr__(name: str) -> object:
    """The one demo that people call outside the lesson; loaded when they do, because checks need no widgets."""
    if name == "own_video_demo":
        from tutorial_lib.lessons.temporal_lifting.demo_own_video import own_video_demo

        return own_video_demo
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

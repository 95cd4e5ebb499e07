"""What the paper reports, and a table beside it that is another paper's."""

from tutorial_lib.display.tables import markdown

PAPER = {
    "HGG": ("ECCV 2020", "Hourglass", "512", "68.3", "86.7", "75.8", "-", "-"),
    "Point-Set Anchors": ("ECCV 2020", "HRNet-W48", "640", "69.8", "88.8", "76.3", "-", "-"),
    "DEKR": ("CVPR 2021", "HRNet-W48", "640", "72.3", "88.3", "78.6", "68.6", "78.6"),
    "SWAHR (W32)": ("CVPR 2021", "HrHRNet-W32", "512", "71.4", "88.9", "77.8", "66.3", "78.9"),
    "SWAHR (W48)": ("CVPR 2021", "HrHRNet-W48", "640", "73.2", "89.8", "79.1", "69.1", "79.3"),
    "PoseTrans": ("ECCV 2022", "HrHRNet-W32", "512", "71.2", "88.2", "77.2", "66.5", "78.0"),
    "HrHRNet (W32)": ("CVPR 2020", "HrHRNet-W32", "512", "69.9", "87.1", "76.0", "65.3", "77.0"),
    "+ Ours (W32)": ("", "HrHRNet-W32", "512", "71.8 (↑1.9)", "88.9", "78.1", "67.3", "78.4"),
    "HrHRNet (W48)": ("CVPR 2020", "HrHRNet-W48", "640", "72.1", "88.4", "78.2", "67.8", "78.3"),
    "+ Ours (W48)": ("", "HrHRNet-W48", "640", "73.7 (↑1.6)", "89.9", "79.6", "69.6", "79.5"),
}
"""The paper's table as a seminar copied it; "ours" is the paper's method."""

STRAY = (("512", "67.1", "61.5", "76.1"), ("640", "68.5", "64.3", "75.3"), ("768?", "68.5", "64.9", "73.8"))
"""HigherHRNet's ablation of the training size: pixels (not on the slide), AP, AP of medium people, AP of large ones."""


def paper_table() -> str:
    """Markdown: the paper's table, as it stands."""
    heads = ["method", "venue", "backbone", "input", "AP", "AP50", "AP75", "AP M", "AP L"]
    return markdown(heads, [[name, *values] for name, values in PAPER.items()], numbers=True)


def stray_table() -> str:
    """Markdown: a table that stands in our sources without its first column, far from its caption, and what it is."""
    return (
        "Three rows of numbers stand on a seminar's last slide among those of the paper. Their caption, further down, "
        "says what they are: *HigherHRNet's* ablation of the size of its training pictures, not a result of the "
        "characteristic function. The sizes are missing there: 512 and 640 are where HigherHRNet publishes these "
        "numbers, 768 is from memory. As pictures grow, medium people gain and "
        "large ones lose.\n\n" + markdown(["training size (px)", "AP", "AP M", "AP L"], STRAY, numbers=True)
    )

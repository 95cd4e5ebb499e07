"""What lesson 04's experiment trains: budgets, and one recipe a network."""

from dataclasses import dataclass

from tutorial_lib.lifting.semi_supervised import Norm


@dataclass(frozen=True)
class Budget:
    """How long, how wide. `few_`: of the networks that learn from few labels."""

    channels: int
    single_channels: int
    steps: int
    batch: int
    people: int
    few_channels: int
    few_frames: int
    few_steps: int
    few_batch: int
    warm_up: float = 0.2
    dropout: float = 0.05
    rate: float = 3e-3


BUDGETS = {
    "shipped": Budget(128, 256, 8000, 128, 24, 64, 27, 5000, 64),
    # For a machine with a GPU: the paper's widths and batches.
    "full": Budget(1024, 1024, 60000, 1024, 200, 1024, 27, 40000, 64, dropout=0.25, rate=1e-3),
    # Proves that every recipe runs; the networks are worth nothing.
    "smoke": Budget(8, 8, 3, 4, 1, 8, 9, 4, 4),
    # Trained again and again, for the claims: without dropout, whose dice take a third of a step. Then half as long.
    "seeds": Budget(128, 256, 6000, 128, 24, 64, 27, 4000, 64, dropout=0.0),
    "half": Budget(128, 256, 3000, 128, 24, 64, 27, 2000, 64, dropout=0.0),
}


@dataclass(frozen=True)
class LifterRecipe:
    """A lifter of the first family; 1 frame is the single-frame network."""

    frames: int
    causal: bool = False


@dataclass(frozen=True)
class FewRecipe:
    """A pair of networks of the second family.

    Attributes:
        share: of the footage that has labels, from 0 to 1.
        semi: whether the rest is used without its labels.
        norm: of the bone-length term.
    """

    share: float
    semi: bool
    norm: Norm = "l1"


@dataclass(frozen=True)
class LensRecipe(FewRecipe):
    """As `FewRecipe`, but the video without labels was captured through a lens.

    Attributes:
        lens: one of `distortion.PRESETS`.
        knows: whether back-projection uses the lens; otherwise it takes the projection for linear.
    """

    lens: str = "d2"
    knows: bool = True


SHARES = (0.01, 0.03, 0.1, 0.3, 1.0)
L2_SHARE = 0.03
"""Where the two norms of the bone-length term are compared."""


def few_name(share: float, semi: bool, norm: str = "l1") -> str:
    """ "few-10-semi": the name of a network that learned from few labels."""
    return f"few-{100 * share:g}-{'semi' if semi else 'supervised'}" + ("" if norm == "l1" else f"-{norm}")


RECIPES: dict[str, LifterRecipe | FewRecipe] = {
    "lifter-1f": LifterRecipe(1),
    "lifter-9f": LifterRecipe(9),
    "lifter-27f": LifterRecipe(27),
    "lifter-81f": LifterRecipe(81),
    "lifter-243f": LifterRecipe(243),
    "causal-27f": LifterRecipe(27, causal=True),
    **{few_name(share, semi): FewRecipe(share, semi) for share in SHARES for semi in (False, True)},
    few_name(L2_SHARE, True, "l2"): FewRecipe(L2_SHARE, True, "l2"),
}

SEEDED: dict[str, LifterRecipe | FewRecipe] = {
    **{name: RECIPES[name] for name in ("lifter-1f", "lifter-27f", "lifter-243f")},
    "causal-243f": LifterRecipe(243, causal=True),
    **{few_name(share, semi): FewRecipe(share, semi) for share in SHARES[:2] for semi in (False, True)},
    few_name(L2_SHARE, True, "l2"): FewRecipe(L2_SHARE, True, "l2"),
    "few-3-d2-linear": LensRecipe(0.03, True, knows=False),
    "few-3-d2-lens": LensRecipe(0.03, True, knows=True),
}
"""What is trained from several seeds, because a claim hangs on it."""

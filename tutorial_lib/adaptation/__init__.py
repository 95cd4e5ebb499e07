"""Learning to adapt to a lens (Cho et al. 2021). The idea of lessons 05 and 06; stands on `lifting`."""

from tutorial_lib.adaptation.captured import Adapter
from tutorial_lib.adaptation.lifters import Adaptation, adapt, meta_loss, self_supervised_loss, supervised_loss
from tutorial_lib.adaptation.maml import maml_loss
from tutorial_lib.adaptation.tasks import draw_tasks

__all__ = [
    "Adaptation", "Adapter", "adapt", "draw_tasks", "maml_loss", "meta_loss", "self_supervised_loss", "supervised_loss",
]  # fmt: skip

"""Losses that a model writes."""

from typing import Any

from .. import judges as core
from ..variable import Variable
from .autograd.multimodal_ops import engine_with_images
from .config import takes_engine_names


@takes_engine_names
class TextLoss(core.TextLoss):
    """See `tgsci.TextLoss`."""


@takes_engine_names
class MultiFieldEvaluation(core.MultiFieldEvaluation):
    """See `tgsci.MultiFieldEvaluation`."""


@takes_engine_names
class MultiFieldTokenParsedEvaluation(core.MultiFieldTokenParsedEvaluation, MultiFieldEvaluation):
    """See `tgsci.MultiFieldTokenParsedEvaluation`."""


@takes_engine_names
class MultiChoiceTestTime(core.MultiChoiceTestTime):
    """See `tgsci.MultiChoiceTestTime`."""


class ImageQALoss(core.ImageQALoss):
    """See `tgsci.ImageQALoss`.

    Raises:
        ValueError: The engine says that it takes no images.
    """

    def __init__(
        self,
        evaluation_instruction: Variable | str,
        engine: Any = None,
        system_prompt: Variable | str | None = None,
    ) -> None:
        super().__init__(evaluation_instruction, engine_with_images(engine), system_prompt)

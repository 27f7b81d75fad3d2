"""Model calls on images and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import functions as core
from ...errors import UsageError
from ...variable import Variable
from ..config import validate_engine_or_get_default
from ..defaults import VARIABLE_OUTPUT_DEFAULT_ROLE
from ..engine import validate_multimodal_engine


def engine_with_images(engine: Any = None) -> Any:
    """The engine that was given, by its name too, or the one that is set.

    Raises:
        ValueError: It says that it takes no images.
        UsageError: There is neither.
    """
    engine = validate_engine_or_get_default(engine)
    validate_multimodal_engine(engine)
    return engine


class MultimodalLLMCall(core.MultimodalLLMCall):
    """Ask a model about images and texts; see `tgsci.MultimodalLLMCall`.

    Args:
        engine: A model that takes images.
        system_prompt: Optional.

    Raises:
        ValueError: The engine says that it takes no images.
    """

    def __init__(self, engine: Any = None, system_prompt: Variable | str | None = None) -> None:
        super().__init__(engine_with_images(engine), system_prompt)


class OrderedFieldsMultimodalLLMCall(MultimodalLLMCall):
    """Ask a model about named images and texts, in a fixed order.

    Args:
        engine: A model that takes images.
        fields: The names of the inputs, in the order in which the model sees them.
        system_prompt: Optional.
    """

    def __init__(
        self, engine: Any = None, fields: Sequence[str] = (), system_prompt: Variable | str | None = None
    ) -> None:
        super().__init__(engine, system_prompt)
        self.fields = list(fields)

    def forward(  # type: ignore[override] # a mapping by name, as in TextGrad
        self, inputs: Mapping[str, Variable], response_role_description: str = VARIABLE_OUTPUT_DEFAULT_ROLE
    ) -> Variable:
        """Ask the model.

        Args:
            inputs: For each field the variable that goes there.
            response_role_description: What the answer is.

        Raises:
            UsageError: The inputs' names are not exactly the fields.
        """
        if set(inputs) != set(self.fields):
            raise UsageError(f"expected the fields {self.fields}, got {list(inputs)}")
        parts: list[str | tuple[Variable, str]] = []
        for number, name in enumerate(self.fields):
            parts += [f"{chr(10) * (number > 0)}**{name}**: ", (inputs[name], "{}")]
        return self.ask(parts, response_role_description)

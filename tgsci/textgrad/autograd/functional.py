"""The functions as functions, without an object to make first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...functions import aggregate, sum
from ...variable import Variable
from ..defaults import VARIABLE_OUTPUT_DEFAULT_ROLE
from .llm_ops import FormattedLLMCall, LLMCall

__all__ = ["aggregate", "formatted_llm_call", "llm_call", "sum"]


def llm_call(
    input_variable: Variable,
    engine: Any,
    response_role_description: str | None = None,
    system_prompt: Variable | str | None = None,
) -> Variable:
    """Ask a model; see `LLMCall`."""
    return LLMCall(engine, system_prompt)(input_variable, response_role_description or VARIABLE_OUTPUT_DEFAULT_ROLE)


def formatted_llm_call(
    inputs: Mapping[str, Variable],
    response_role_description: str | None,
    engine: Any,
    format_string: str,
    fields: Mapping[str, Any],
    system_prompt: Variable | str | None = None,
) -> Variable:
    """Ask a model with a prompt filled in from several variables; see `FormattedLLMCall`."""
    call = FormattedLLMCall(engine, format_string, fields, system_prompt)
    return call(inputs, response_role_description or VARIABLE_OUTPUT_DEFAULT_ROLE)

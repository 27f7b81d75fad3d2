"""Functions: what maps variables to a variable. Each forward stands beside its backward."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from . import prompts
from .engine import Engine, default_engine
from .errors import UsageError
from .feedback import combined
from .variable import Backward, Gradient, Variable, pass_on, shortened

EngineLike: TypeAlias = Engine | str | Callable[..., Any] | None

_RESPONSE = "response from the language model"
_groups = itertools.count(1)


class Module:
    """Something with parameters that is called on variables, as in PyTorch."""

    def parameters(self) -> list[Variable]:
        """The variables of this module that require a gradient."""
        found: list[Variable] = []
        for part in vars(self).values():
            if isinstance(part, Variable) and part.requires_grad:
                found.append(part)
            elif isinstance(part, Module):
                found += part.parameters()
        return list(dict.fromkeys(found))

    def named_parameters(self) -> list[tuple[str, Variable]]:
        """Each parameter with its role description."""
        return [(parameter.role_description, parameter) for parameter in self.parameters()]

    def zero_grad(self) -> None:
        for parameter in self.parameters():
            parameter.reset_gradients()

    def forward(self, *args: Any, **kwargs: Any) -> Variable:
        """What the module computes; derive and write this, and call the module itself."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Variable:
        return self.forward(*args, **kwargs)


class ModelCall(Module):
    """What every model call shares: the question, and how feedback on the answer flows back.

    Args:
        engine: Answers; else the one set by `set_backward_engine`.
        system_prompt: Optional; a `Variable` that requires a gradient gets feedback too.
    """

    def __init__(self, engine: EngineLike = None, system_prompt: Variable | str | None = None) -> None:
        self.engine = default_engine(engine)
        self.system_prompt = constant(system_prompt, "system prompt for the language model")

    def ask(self, prompt: str, inputs: Sequence[Variable], role: str, images: Sequence[bytes] = ()) -> Variable:
        """The model's answer to a prompt that was made from `inputs`."""
        predecessors = [*([self.system_prompt] if self.system_prompt else []), *inputs]
        system = self.system_prompt.text if self.system_prompt else ""
        reply = self.engine(prompt, system, images)
        response = Variable(reply.text, predecessors=predecessors, role_description=role)
        response.grad_fn = self.grad_fn(prompts.conversation(system, prompt, reply.text), inputs)
        return response

    def grad_fn(self, conversation: str, inputs: Sequence[Variable]) -> Backward:
        """How feedback on the answer reaches the inputs; a judge overrides this."""
        return Backward(partial(through_call, conversation=conversation), asks_model=True)


class LLMCall(ModelCall):
    """Ask a model. The backward asks it, for each input that requires one, for feedback.

    Args:
        engine: Answers; else the one set by `set_backward_engine`.
        system_prompt: Optional; a `Variable` that requires a gradient gets feedback too.
    """

    def forward(self, input_variable: Variable, response_role_description: str = _RESPONSE) -> Variable:
        """Ask the model.

        Args:
            input_variable: The prompt, or an image.
            response_role_description: What the answer is.

        Returns:
            The model's answer.

        Raises:
            EngineError: The engine had no answer, or takes no images.
        """
        images = [input_variable.value] if isinstance(input_variable.value, bytes) else []
        prompt = "" if images else input_variable.text
        return self.ask(prompt, [input_variable], response_role_description, images)


def through_call(
    output: Variable, predecessor: Variable, feedback: str, engine: Engine | None, *, conversation: str
) -> Gradient:
    """The backward of a model call: a model says how an input should change."""
    prompt = prompts.backward_through_call(
        role=predecessor.role_description,
        value=predecessor.text,
        conversation=conversation,
        response_role=output.role_description,
        feedback=feedback,
    )
    reply = default_engine(engine)(prompt, prompts.BACKWARD)
    return Gradient(reply.text, f"feedback to {predecessor.role_description}", conversation)


class BlackboxLLM(Module):
    """A model as a module, its system prompt as the parameter.

    Args:
        engine: Answers; else the one set by `set_backward_engine`.
        system_prompt: A `Variable` to optimise, or plain text.
    """

    def __init__(self, engine: EngineLike = None, system_prompt: Variable | str | None = None) -> None:
        self.llm_call = LLMCall(engine, system_prompt)
        self.engine = self.llm_call.engine
        self.system_prompt = self.llm_call.system_prompt

    def forward(self, x: Variable) -> Variable:
        """The model's answer to `x`."""
        return self.llm_call(x)


class FormattedLLMCall(ModelCall):
    """Ask a model with a prompt filled in from several variables.

    Args:
        engine: Answers; else the one set by `set_backward_engine`.
        format_string: The prompt, with `{name}` where a field goes. Every other brace stays as it is,
            and so does every brace in a field's text.
        fields: The names of the fields (a mapping's keys, for TextGrad's sake, or a list).
        system_prompt: Optional.
    """

    def __init__(
        self,
        engine: EngineLike = None,
        format_string: str = "",
        fields: Mapping[str, Any] | Sequence[str] = (),
        system_prompt: Variable | str | None = None,
    ) -> None:
        super().__init__(engine, system_prompt)
        self.format_string = format_string
        self.fields = list(fields)

    def forward(self, inputs: Mapping[str, Variable], response_role_description: str = _RESPONSE) -> Variable:
        """Ask the model.

        Args:
            inputs: For each field the variable that goes there.
            response_role_description: What the answer is.

        Returns:
            The model's answer to the filled-in prompt.

        Raises:
            UsageError: The inputs' names are not exactly the fields.
            EngineError: The engine had no answer.
        """
        if set(inputs) != set(self.fields):
            raise UsageError(f"expected the fields {sorted(self.fields)}, got {sorted(inputs)}")
        prompt = fill(self.format_string, {name: variable.text for name, variable in inputs.items()})
        return self.ask(prompt, list(inputs.values()), response_role_description)


class MultimodalLLMCall(ModelCall):
    """Ask a model about images and texts.

    Args:
        engine: A model that takes images.
        system_prompt: Optional.
    """

    def forward(self, inputs: Sequence[Variable], response_role_description: str = _RESPONSE) -> Variable:
        """Ask the model.

        Args:
            inputs: Images and texts, in the order in which the model sees them.
            response_role_description: What the answer is.

        Returns:
            The model's answer.

        Raises:
            EngineError: The engine had no answer, or takes no images.
        """
        prompt, images = interleave([("", variable) for variable in inputs])
        return self.ask(prompt, inputs, response_role_description, images)


class StringBasedFunction(Module):
    """A Python function of variables. Its backward is a model's: the function itself is not looked into.

    For a function that measures, derive from `Loss` instead: its gradient costs no model call.

    Args:
        fn: Takes the variables as keyword arguments, as in TextGrad, and returns text or a number.
        function_purpose: What it does, for the model that writes the feedback.
    """

    def __init__(self, fn: Callable[..., Any], function_purpose: str) -> None:
        self.fn = fn
        self.function_purpose = function_purpose

    def forward(self, inputs: Mapping[str, Variable], response_role_description: str = "") -> Variable:
        """Call the function.

        Args:
            inputs: The function's keyword arguments.
            response_role_description: What the result is; else made from the function's purpose.

        Returns:
            The function's result as a variable; a number is written out.

        Raises:
            Exception: Whatever the function raised.
        """
        role = response_role_description or f"result of: {self.function_purpose}"
        arguments = {name: variable.text for name, variable in inputs.items()}
        output = Variable(
            str(self.fn(**inputs)),
            predecessors=list(inputs.values()),
            requires_grad=any(v.requires_grad for v in inputs.values()),
            role_description=role,
        )
        output.grad_fn = Backward(partial(self._edge, arguments=arguments), asks_model=True)
        return output

    def _edge(
        self,
        output: Variable,
        predecessor: Variable,
        feedback: str,
        engine: Engine | None,
        *,
        arguments: Mapping[str, str],
    ) -> Gradient:
        prompt = prompts.backward_through_function(
            role=predecessor.role_description,
            value=predecessor.text,
            purpose=self.function_purpose,
            inputs=arguments,
            output=output.text,
            response_role=output.role_description,
            feedback=feedback,
        )
        context = f"{self.function_purpose}\nresult: {output.text}"
        reply = default_engine(engine)(prompt, prompts.BACKWARD)
        return Gradient(reply.text, f"feedback to {predecessor.role_description}", context)


def sum(variables: Sequence[Variable]) -> Variable:
    """Add losses up: each gets the feedback to the whole, if there is any, and keeps its own.

    The sum of measured losses is a measured loss.
    """
    total = _joined(variables, "a combination of the following: ")
    total.grad_fn = Backward(pass_on)
    return total


def aggregate(variables: Sequence[Variable]) -> Variable:
    """Like `sum`, but where feedback from several of these meets again, a model condenses it to one.

    A prompt that was tried on sixteen samples then gets one gradient instead of sixteen. Without an
    engine all of them stay.
    """
    total = _joined(variables, "an aggregation of the following: ")
    total.grad_fn = Backward(pass_on_always, group=next(_groups))
    return total


def pass_on_always(output: Variable, predecessor: Variable, feedback: str, engine: Engine | None) -> Gradient | None:
    """The backward of an aggregation: marks the way even where there is nothing to say yet."""
    return pass_on(output, predecessor, feedback, engine) or Gradient("", predecessor.role_description)


def _joined(variables: Sequence[Variable], role: str) -> Variable:
    variables = list(variables)
    if not variables:
        raise UsageError("nothing to add up: the list of variables is empty")
    total = Variable(
        "\n".join(v.text for v in variables),
        predecessors=variables,
        requires_grad=any(v.requires_grad for v in variables),
        role_description=shortened(role + ", ".join(dict.fromkeys(v.role_description for v in variables))),
    )
    total.feedback = combined([v.feedback for v in variables], total.text)
    return total


def fill(template: str, fields: Mapping[str, str]) -> str:
    """Put texts in the place of `{name}`, in one pass: braces in the texts are never looked at."""
    if not fields:
        return template
    names = "|".join(re.escape(name) for name in sorted(fields, key=len, reverse=True))
    return re.sub("{(" + names + ")}", lambda match: fields[match[1]], template)


def interleave(parts: Sequence[tuple[str, Variable]]) -> tuple[str, list[bytes]]:
    """Titled variables as one prompt, each image replaced by its number, and the images in order."""
    lines, images = [], []
    for title, variable in parts:
        text = variable.text
        if isinstance(variable.value, bytes):
            images.append(variable.value)
            text = f"[image {len(images)}: {variable.role_description}]"
        lines.append(f"**{title}**: {text}" if title else text)
    return "\n".join(lines), images


def constant(text: Variable | str | None, role: str) -> Variable | None:
    if isinstance(text, str):
        return Variable(text, requires_grad=False, role_description=role) if text else None
    return text

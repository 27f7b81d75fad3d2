"""Functions: what maps variables to a variable. Each forward stands beside its backward."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from uuid import uuid4

from . import prompts
from .basics.texts import literal, nearest, with_type
from .basics.threads import awaited
from .engine import Engine, default_engine
from .errors import UsageError
from .gradient import Backward, Gradient, ask_for_feedback
from .prompts import Images
from .variable import Variable, added, pass_on, variable, variables

EngineLike: TypeAlias = Engine | str | Callable[..., Any] | None

_RESPONSE = "response from the language model"


class Module:
    """Something with parameters that is called on variables, as in PyTorch."""

    def parameters(self) -> list[Variable]:
        """List the variables of this module and its parts that require a gradient; parts may be in lists or dicts."""
        return list(dict.fromkeys(found for found in _variables_in(self, set()) if found.requires_grad))

    def named_parameters(self) -> list[tuple[str, Variable]]:
        """List the parameters, each with its role description."""
        return [(parameter.role_description, parameter) for parameter in self.parameters()]

    def zero_grad(self) -> None:
        for parameter in self.parameters():
            parameter.reset_gradients()

    def forward(self, *args: Any, **kwargs: Any) -> Variable:
        """Compute the module's result. Write this in your class, and call the module itself."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Variable:
        return self.forward(*args, **kwargs)


def _variables_in(part: object, seen: set[int]) -> Iterator[Variable]:
    if isinstance(part, Variable):
        yield part
    elif isinstance(part, Module | Mapping | list | tuple | set | frozenset) and id(part) not in seen:
        seen.add(id(part))
        held = vars(part) if isinstance(part, Module) else part
        for inner in held.values() if isinstance(held, Mapping) else held:
            yield from _variables_in(inner, seen)


class ModelCall(Module):
    """What every model call shares: the question, and how feedback on the answer flows back.

    Args:
        engine: Answers; else the one set by `set_backward_engine`.
        system_prompt: Optional; a `Variable` that requires a gradient gets feedback too.
    """

    def __init__(self, engine: EngineLike = None, system_prompt: Variable | str | None = None) -> None:
        self.engine = default_engine(engine)
        self.system_prompt = constant(system_prompt, "system prompt for the language model")

    def ask(self, parts: Sequence[str | tuple[Variable, str]], role: str) -> Variable:
        """Ask the model; its answer is a variable.

        Args:
            parts: The prompt: texts, and variables in their places, each with its form there ("{}" as it is).
            role: What the answer is.
        """
        images = Images()
        system = self.system_prompt.placed(images) if self.system_prompt else ""
        predecessors = [self.system_prompt] if self.system_prompt else []
        prompt = ""
        for part in parts:
            if isinstance(part, str):
                prompt += part
            else:
                prompt += part[1].format(part[0].placed(images))
                predecessors.append(part[0])
        exchange = Exchange(system, prompt, self.answer(prompt, system, images.sent, role), tuple(images.sent))
        response = Variable(exchange.response, predecessors=predecessors, role_description=role)
        response.grad_fn = self.grad_fn(exchange)
        return response

    def answer(self, prompt: str, system: str, images: Sequence[bytes], role: str) -> str:
        """Get the engine's answer as it is; a judge asks again where it is of no use."""
        return self.engine(prompt, system, images).text

    def grad_fn(self, exchange: Exchange) -> Backward:
        """Say how feedback on the answer reaches the inputs; a judge overrides this."""
        return Backward(partial(through_call, exchange=exchange), asks_model=True)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call of a model: what was sent, and the answer. `[image 1: ...]` in the texts is the first of the images."""

    system: str
    prompt: str
    response: str
    images: tuple[bytes, ...]


def through_call(
    output: Variable, predecessor: Variable, feedback: str, engine: Engine | None, *, exchange: Exchange
) -> Gradient | None:
    """Ask a model how an input of a model call should change; None where it has nothing to say."""
    images = Images(exchange.images)
    value = predecessor.placed(images)
    conversation = prompts.conversation(exchange.system, exchange.prompt, exchange.response, value)
    prompt = prompts.backward_through_call(
        role=predecessor.role_description,
        value=value,
        conversation=conversation,
        response_role=output.role_description,
        feedback=feedback,
    )
    return _written(engine, prompt, predecessor, conversation, images)


def _written(
    engine: Engine | None, prompt: str, predecessor: Variable, context: str, images: Images
) -> Gradient | None:
    """Ask a model to write a gradient; None where its reply was empty twice."""
    role = f"feedback to {predecessor.role_description}"
    text = ask_for_feedback(default_engine(engine), prompt, prompts.BACKWARD, images.sent, role)
    return Gradient(text, role, context, images=tuple(images.sent)) if text else None


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
            UsageError: The input is no variable.
        """
        return self.ask([(variable(input_variable, type(self).__name__), "{}")], response_role_description)


class BlackboxLLM(Module):
    """A model as a module, its system prompt as the parameter.

    Args:
        engine: Answers; else the one set by `set_backward_engine`.
        system_prompt: What is optimised: a text, or a `Variable`; one with `requires_grad=False` stays as it is.
    """

    def __init__(self, engine: EngineLike = None, system_prompt: Variable | str | None = None) -> None:
        if isinstance(system_prompt, str) and system_prompt:
            system_prompt = Variable(system_prompt, role_description="system prompt for the language model")
        self.llm_call = LLMCall(engine, system_prompt)
        self.engine = self.llm_call.engine
        self.system_prompt = self.llm_call.system_prompt

    def forward(self, x: Variable) -> Variable:
        """Ask the model `x`."""
        return self.llm_call(variable(x, "BlackboxLLM"))


class FormattedLLMCall(ModelCall):
    """Ask a model with a prompt filled in from several variables.

    Args:
        engine: Answers; else the one set by `set_backward_engine`.
        format_string: The prompt, as `str.format` takes it: `{name}` where a field goes (`{name!r:>20}` too), `{{` and
            `}}` for a brace. A brace that begins no placeholder, as in JSON, may also stand alone. Braces in a field's
            text mean nothing.
        fields: The names of the fields (a mapping's keys, for TextGrad's sake, or a list).
        system_prompt: Optional.

    Raises:
        UsageError: A placeholder that is no field, or a field that has no placeholder.
    """

    def __init__(
        self,
        engine: EngineLike = None,
        format_string: str = "",
        fields: Mapping[str, Any] | Sequence[str] = (),
        system_prompt: Variable | str | None = None,
    ) -> None:
        super().__init__(engine, system_prompt)
        if isinstance(fields, str):
            raise UsageError(f"fields are a list of names, not the text {literal(fields)}: write [{fields!r}]")
        self.format_string = format_string
        self.fields = list(fields)
        _template(self.format_string, self.fields)

    def forward(self, inputs: Mapping[str, Variable], response_role_description: str = _RESPONSE) -> Variable:
        """Ask the model.

        Args:
            inputs: For each field the variable that goes there.
            response_role_description: What the answer is.

        Returns:
            The model's answer to the filled-in prompt.

        Raises:
            UsageError: The inputs' names are not exactly the fields, or one is no variable.
            EngineError: The engine had no answer.
        """
        inputs = _named(inputs, "FormattedLLMCall")
        if set(inputs) != set(self.fields):
            raise UsageError(f"expected the fields {sorted(self.fields)}, got {sorted(inputs)}")
        template = _template(self.format_string, self.fields)
        for part in template:
            if isinstance(part, _Placeholder) and part.form != "{}" and inputs[part.name].images:
                raise UsageError(
                    f"the field {part.name!r} holds an image, which takes no format: write {{{part.name}}}"
                )
        parts = [part if isinstance(part, str) else (inputs[part.name], part.form) for part in template]
        return self.ask(parts, response_role_description)


@dataclass(frozen=True, slots=True)
class _Placeholder:
    """A field's place in a prompt.

    Args:
        name: The field.
        form: How its text is written there, as in `str.format`: "{!r:>20}"; "{}" as it is.
    """

    name: str
    form: str = "{}"


def _template(template: str, fields: Sequence[str]) -> list[str | _Placeholder]:
    """Split a format string into texts and placeholders.

    Raises:
        UsageError: A placeholder that is no field, or a field that has no placeholder.
    """
    exact = re.compile("{(" + "|".join(map(re.escape, sorted(fields, key=len, reverse=True))) + ")}")
    parts: list[str | _Placeholder] = []
    position, opened = 0, 0  # braces that were opened as plain text
    while position < len(template):
        rest, step = template[position : position + 2], 1
        if rest == "{{" or (rest == "}}" and not opened):
            parts.append(rest[0])
            step = 2
        elif rest[0] == "{" and fields and (match := exact.match(template, position)):
            parts.append(_Placeholder(match[1]))
            step = len(match[0])
        elif rest[0] == "{" and (match := _LIKE_A_PLACEHOLDER.match(template, position)):
            parts.append(_formatted_placeholder(match, fields))
            step = len(match[0])
        else:
            opened += {"{": 1, "}": -1 if opened else 0}.get(rest[0], 0)
            parts.append(rest[0])
        position += step
    unused = [name for name in fields if not any(isinstance(p, _Placeholder) and p.name == name for p in parts)]
    if unused:
        raise UsageError(
            f"the field {unused[0]!r} has no place in the prompt: write {{{unused[0]}}} in the format string, "
            "or leave the field out"
        )
    return parts


#: `{name}`, `{name!r:>9}`, `{name.attribute}`, `{name[0]}`: what `str.format` would fill in.
_LIKE_A_PLACEHOLDER = re.compile(r"{([ \t]*\w+[ \t]*)([.\[][^{}\n]*)?(![^{}\n:]*)?(:[^{}\n]*)?}")


def _formatted_placeholder(match: re.Match[str], fields: Sequence[str]) -> _Placeholder:
    name, inside, conversion, spec = match[1], match[2], match[3] or "", match[4] or ""
    if name not in fields:
        near = nearest(name.strip(), fields)
        meant = f"did you mean {{{near[0]}}}? " if near else ""
        raise UsageError(
            f"{match[0]} in the format string is none of the fields {sorted(fields)}: {meant}"
            f"For a brace that is plain text write it twice: {{{match[0]}}}"
        )
    form = f"{{{conversion}{spec}}}"
    try:
        if inside:
            raise ValueError("a field is filled in whole")
        form.format("")
    except ValueError as error:
        raise UsageError(f"{match[0]} in the format string cannot be filled in: {error}; write {{{name}}}") from None
    return _Placeholder(name, form)


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
            UsageError: The inputs are no list of variables.
        """
        inputs = variables(inputs, "MultimodalLLMCall")
        return self.ask([(each, "\n{}" if i else "{}") for i, each in enumerate(inputs)], response_role_description)


class StringBasedFunction(Module):
    """A Python function of variables. Its backward asks a model, which does not see the code.

    For a function that measures, derive from `Loss` instead: its gradient costs no model call.

    Args:
        fn: Takes the variables as keyword arguments, as in TextGrad, and returns text or a number. May be a coroutine
            function.
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
            UsageError: The inputs are no variables by name, or the function returned nothing.
            Exception: Whatever the function raised.
        """
        inputs = _named(inputs, "StringBasedFunction")
        images = Images()
        arguments = {name: each.placed(images) for name, each in inputs.items()}
        result = awaited(self.fn(**inputs))
        if result is None:
            raise UsageError(f"the function that {self.function_purpose} returned None: it returns text or a number")
        output = Variable(
            result.value if isinstance(result, Variable) else result if isinstance(result, bytes) else str(result),
            predecessors=list(inputs.values()),
            requires_grad=any(v.requires_grad for v in inputs.values()),
            role_description=response_role_description or f"result of: {self.function_purpose}",
        )
        edge = partial(self._edge, arguments=arguments, images=tuple(images.sent))
        output.grad_fn = Backward(edge, asks_model=True)
        return output

    def _edge(
        self,
        output: Variable,
        predecessor: Variable,
        feedback: str,
        engine: Engine | None,
        *,
        arguments: Mapping[str, str],
        images: tuple[bytes, ...],
    ) -> Gradient | None:
        sent = Images(images)
        value, shown = predecessor.placed(sent), output.placed(sent)
        prompt = prompts.backward_through_function(
            role=predecessor.role_description,
            value=value,
            purpose=self.function_purpose,
            inputs={name: prompts.without(text, value) for name, text in arguments.items()},
            output=shown,
            response_role=output.role_description,
            feedback=feedback,
        )
        others = [f"{name}: {prompts.without(text, value)}" for name, text in arguments.items()]
        context = "\n".join([self.function_purpose, *others, f"result: {shown}"])
        return _written(engine, prompt, predecessor, context, sent)


def sum(variables: Sequence[Variable]) -> Variable:
    """Add losses up: each gets the feedback to the whole, if there is any, and keeps its own.

    The sum of measured losses is a measured loss. Images among the terms stay images: a model that is asked about the
    sum sees them.

    Raises:
        UsageError: The list is empty, or holds something else than variables.
    """
    return _joined(variables, "a combination of the following: ", Backward(pass_on, passes_on=True), "sum")


def aggregate(variables: Sequence[Variable]) -> Variable:
    """Add losses up as `sum` does; where feedback from several of them meets again, a model condenses it to one.

    A prompt that was tried on sixteen samples then gets one gradient instead of sixteen. Without an
    engine all of them stay.

    Raises:
        UsageError: The list is empty, or holds something else than variables.
    """
    total = _joined(
        variables, "an aggregation of the following: ", Backward(pass_on_always, passes_on=True), "aggregate"
    )
    inner = [v.grad_fn.group for v in total.predecessors if v.grad_fn and v.grad_fn.group is not None]
    # An aggregate that grows is one. Else a number that no other process has, where a pickled graph may come from.
    total.grad_fn = Backward(pass_on_always, group=inner[0] if len(inner) == 1 else uuid4().int, passes_on=True)
    return total


def pass_on_always(output: Variable, predecessor: Variable, feedback: str, engine: Engine | None) -> Gradient | None:
    """Pass feedback on as a sum does; mark the way even where there is nothing to say yet."""
    return pass_on(output, predecessor, feedback, engine) or Gradient("", predecessor.role_description)


def _named(inputs: object, what: str) -> dict[str, Variable]:
    """Check variables that are given by name."""
    if not isinstance(inputs, Mapping):
        raise UsageError(f"{what}: a dict of Variables by name is expected, not {with_type(inputs)}")
    return {name: variable(value, f"{what}, {name!r}") for name, value in inputs.items()}


def _joined(terms: Sequence[Variable], role: str, grad_fn: Backward, what: str) -> Variable:
    terms = variables(terms, what)
    if not terms:
        raise UsageError("nothing to add up: the list of variables is empty")
    return added(terms, "\n", role + ", ".join(dict.fromkeys(v.role_description for v in terms)), grad_fn)


def constant(text: Variable | str | None, role: str) -> Variable | None:
    """Make a text a variable that stays as it is; None for an empty one."""
    if text is None or isinstance(text, Variable):
        return text
    return Variable(text, requires_grad=False, role_description=role) if text else None

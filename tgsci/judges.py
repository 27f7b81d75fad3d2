"""Judges: losses written by a model. Their evaluation is the gradient, so a judged step asks twice, not thrice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from . import prompts
from .engine import Engine
from .errors import UsageError
from .functions import (
    EngineLike,
    FormattedLLMCall,
    LLMCall,
    ModelCall,
    Module,
    constant,
    fill,
    interleave,
    through_call,
)
from .variable import Backward, Gradient, Variable


class _Judges(ModelCall):
    """A model call whose answer is itself the feedback to what was judged."""

    #: Inputs that say how to judge, besides the system prompt.
    instructions: Sequence[Variable | None] = ()

    def grad_fn(self, conversation: str, inputs: Sequence[Variable]) -> Backward:
        edge = partial(self._edge, conversation=conversation)
        # Only an instruction that is itself optimised needs a model to say how it should change.
        told = [v for v in (self.system_prompt, *self.instructions) if v is not None]
        return Backward(edge, asks_model=any(v.requires_grad for v in told))

    def _edge(
        self,
        output: Variable,
        predecessor: Variable,
        feedback: str,
        engine: Engine | None,
        *,
        conversation: str,
    ) -> Gradient:
        if predecessor is self.system_prompt or predecessor in self.instructions:
            return through_call(output, predecessor, feedback, engine, conversation=conversation)
        evaluation = "\n".join(filter(None, (output.text, feedback)))
        return Gradient(evaluation, f"feedback to {predecessor.role_description}", self.context(output))

    def context(self, output: Variable) -> str:
        """What the optimizer needs beside the value and its evaluation."""
        return f"evaluated by: {self.system_prompt.text}" if self.system_prompt else ""


class _Judge(_Judges, LLMCall):
    """A judge of one text."""


class _FieldsJudge(_Judges, FormattedLLMCall):
    """A judge of several texts: the other texts are context for each."""

    def context(self, output: Variable) -> str:
        return "\n".join(f"{v.role_description}: {v.text}" for v in output.predecessors if not v.requires_grad)


class TextLoss(Module):
    """A model judges a text by an instruction.

    Args:
        eval_system_prompt: The instruction: what to criticise, by which standards.
        engine: Judges; else the one set by `set_backward_engine`.
    """

    def __init__(self, eval_system_prompt: Variable | str, engine: EngineLike = None) -> None:
        self.eval_system_prompt = constant(eval_system_prompt, "instruction for the evaluation")
        self.llm_call = _Judge(engine, self.eval_system_prompt)
        self.engine = self.llm_call.engine

    def forward(self, instance: Variable) -> Variable:
        """The model's evaluation of `instance`."""
        return self.llm_call(instance, f"evaluation of the {instance.role_description}")


class MultiFieldEvaluation(Module):
    """A model judges several texts together, for example a prediction against the right answer.

    Args:
        evaluation_instruction: What to compare, and how.
        role_descriptions: What each of the inputs is, in their order.
        engine: Judges; else the one set by `set_backward_engine`.
        system_prompt: Optional; says who judges.
    """

    def __init__(
        self,
        evaluation_instruction: Variable | str,
        role_descriptions: Sequence[str],
        engine: EngineLike = None,
        system_prompt: Variable | str | None = None,
    ) -> None:
        self.evaluation_instruction = constant(evaluation_instruction, "instruction for the evaluation")
        self.role_descriptions = list(role_descriptions)
        fields = ["instruction", *self.role_descriptions]
        lines = ["{instruction}", *(f"**{role}**: {{{role}}}" for role in self.role_descriptions)]
        self.system_prompt = constant(system_prompt or prompts.MULTI_FIELD_JUDGE, "system prompt for the evaluation")
        if len(set(fields)) < len(fields):
            raise UsageError(f"role descriptions must differ from each other and from 'instruction': {fields[1:]}")
        self.formatted_llm_call = _FieldsJudge(engine, "\n".join(lines), fields, self.system_prompt)
        self.formatted_llm_call.instructions = [self.evaluation_instruction]
        self.engine = self.formatted_llm_call.engine

    def forward(self, inputs: Sequence[Variable]) -> Variable:
        """Ask the judge.

        Args:
            inputs: The texts, in the order of the role descriptions, which become theirs.

        Returns:
            The model's evaluation.

        Raises:
            UsageError: There are more inputs than role descriptions, or fewer.
            EngineError: The engine had no answer.
        """
        if len(inputs) != len(self.role_descriptions):
            raise UsageError(
                f"expected {len(self.role_descriptions)} inputs {self.role_descriptions}, got {len(inputs)}"
            )
        for role, variable in zip(self.role_descriptions, inputs, strict=True):
            variable.set_role_description(role)
        fields = {
            "instruction": self.evaluation_instruction,
            **dict(zip(self.role_descriptions, inputs, strict=True)),
        }
        return self.formatted_llm_call(fields, f"evaluation of the {' and the '.join(self.role_descriptions)}")


class MultiFieldTokenParsedEvaluation(MultiFieldEvaluation):
    """`MultiFieldEvaluation` whose verdict stands between two tags.

    Args:
        parse_tags: The opening and the closing tag.
    """

    def __init__(
        self,
        evaluation_instruction: Variable | str,
        role_descriptions: Sequence[str],
        engine: EngineLike = None,
        system_prompt: Variable | str | None = None,
        parse_tags: Sequence[str] = ("<VERDICT>", "</VERDICT>"),
    ) -> None:
        super().__init__(evaluation_instruction, role_descriptions, engine, system_prompt)
        self.parse_tags = tuple(parse_tags)

    def parse_output(self, response: Variable) -> str:
        """The text of the last well-formed pair of tags, or "" where there is none."""
        from .replies import last_block

        return last_block(response.text, self.parse_tags[0], self.parse_tags[1]) or ""


class MultiChoiceTestTime(Module):
    """A model criticises an answer to a multiple-choice question without knowing the right one.

    Args:
        evaluation_instruction: Put before the question.
        engine: Judges; else the one set by `set_backward_engine`.
        system_prompt: Optional; says who judges.
    """

    def __init__(
        self,
        evaluation_instruction: str,
        engine: EngineLike = None,
        system_prompt: Variable | str | None = None,
    ) -> None:
        self.tt_system_prompt = constant(system_prompt or prompts.TEST_TIME_JUDGE, "system prompt for the evaluation")
        template = fill(
            "{instruction}\nQuestion: {question}\nAnswer by the language model: {prediction}",
            {"instruction": evaluation_instruction},
        )
        self.formatted_llm_call = _FieldsJudge(engine, template, ["question", "prediction"], self.tt_system_prompt)
        self.engine = self.formatted_llm_call.engine

    def forward(self, question: str, prediction: Variable) -> Variable:
        """Ask the judge.

        Args:
            question: The question with its choices.
            prediction: The answer that is judged.

        Returns:
            The model's evaluation.

        Raises:
            EngineError: The engine had no answer.
        """
        asked = Variable(question, requires_grad=False, role_description="multiple-choice question")
        fields = {"question": asked, "prediction": prediction}
        return self.formatted_llm_call(fields, f"evaluation of the {prediction.role_description}")


class ImageQALoss(Module):
    """A model judges an answer to a question about an image.

    Args:
        evaluation_instruction: By which standards.
        engine: A model that takes images.
        system_prompt: Optional; says who judges.
    """

    def __init__(
        self,
        evaluation_instruction: str,
        engine: EngineLike = None,
        system_prompt: Variable | str | None = None,
    ) -> None:
        self.evaluation_instruction = Variable(
            evaluation_instruction, requires_grad=False, role_description="evaluation instruction"
        )
        self.system_prompt = constant(system_prompt or prompts.IMAGE_JUDGE, "system prompt for the evaluation")
        self.llm_call = _Judge(engine, self.system_prompt)
        self.engine = self.llm_call.engine

    def forward(self, image: Variable, question: Variable, response: Variable) -> Variable:
        """Ask the judge.

        Args:
            image: What the question is about.
            question: The question.
            response: The answer that is judged.

        Returns:
            The model's evaluation.

        Raises:
            EngineError: The engine had no answer, or takes no images.
        """
        inputs = [self.evaluation_instruction, question, image, response]
        prompt, images = interleave(
            list(zip(["Evaluation instruction", "Question", "Image", "Answer"], inputs, strict=True))
        )
        return self.llm_call.ask(prompt, inputs, f"evaluation of the {response.role_description}", images)

"""Judges: losses written by a model. Their evaluation is the gradient, so a judged step asks twice, not thrice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from . import prompts
from .engine import Engine
from .errors import UsageError
from .functions import EngineLike, Exchange, ModelCall, Module, constant, through_call
from .gradient import Backward, Gradient, ask_for_feedback
from .prompts import Images
from .replies import last_block, two_tags
from .variable import Variable, variable, variables


class Judge(ModelCall):
    """A model call whose answer is itself the feedback to what was judged.

    Args:
        engine: Judges; else the one set by `set_backward_engine`.
        system_prompt: Optional; says who judges, and how.
        instruction: Says how to judge, where the system prompt does not.
    """

    def __init__(
        self, engine: EngineLike, system_prompt: Variable | str | None, instruction: Variable | None = None
    ) -> None:
        super().__init__(engine, system_prompt)
        self.instruction = instruction

    def forward(self, parts: Sequence[tuple[str, Variable]], role: str) -> Variable:
        """Ask the model to evaluate variables.

        Args:
            parts: What stands before each variable in the prompt, and the variable.
            role: What the evaluation is.
        """
        written: list[str | tuple[Variable, str]] = []
        for title, part in parts:
            written += ["\n" * bool(written) + title, (part, "{}")]
        return self.ask(written, role)

    def answer(self, prompt: str, system: str, images: Sequence[bytes], role: str) -> str:
        return ask_for_feedback(self.engine, prompt, system, images, role)

    def grad_fn(self, exchange: Exchange) -> Backward:
        # Only an instruction that is itself optimised needs a model to say how it should change.
        told = [v for v in (self.system_prompt, self.instruction) if v is not None]
        return Backward(partial(self._edge, exchange=exchange), asks_model=any(v.requires_grad for v in told))

    def _edge(
        self,
        output: Variable,
        predecessor: Variable,
        feedback: str,
        engine: Engine | None,
        *,
        exchange: Exchange,
    ) -> Gradient | None:
        if predecessor is self.system_prompt or predecessor is self.instruction:
            return through_call(output, predecessor, feedback, engine, exchange=exchange)
        evaluation = "\n".join(filter(None, (output.text, feedback)))
        if not evaluation:
            return None
        # The images of the call come first: the evaluation may speak of them by their numbers.
        images = Images(exchange.images)
        others = [v for v in output.predecessors if v is not predecessor]
        context = "\n".join(f"{v.role_description}: {_once(v, images)}" for v in others)
        return Gradient(evaluation, f"feedback to {predecessor.role_description}", context, images=tuple(images.sent))


def _once(shown: Variable, images: Images) -> str:
    """Write a variable for a context that shows all images already."""
    own = Images()
    return images.place(shown.placed(own), own.sent)


def _instruction(given: Variable | str, what: str) -> Variable:
    instruction = constant(given, "instruction for the evaluation")
    if instruction is None:
        raise UsageError(f"{what} needs an instruction: what to criticise, by which standards")
    return instruction


class TextLoss(Module):
    """A model judges a text by an instruction.

    Args:
        eval_system_prompt: The instruction: what to criticise, by which standards.
        engine: Judges; else the one set by `set_backward_engine`.
    """

    def __init__(self, eval_system_prompt: Variable | str, engine: EngineLike = None) -> None:
        self.eval_system_prompt = _instruction(eval_system_prompt, "TextLoss")
        self.llm_call = Judge(engine, self.eval_system_prompt)
        self.engine = self.llm_call.engine

    def forward(self, instance: Variable) -> Variable:
        """Ask the model to evaluate a variable."""
        instance = variable(instance, "TextLoss")
        return self.llm_call([("", instance)], f"evaluation of the {instance.role_description}")


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
        self.evaluation_instruction = _instruction(evaluation_instruction, type(self).__name__)
        if isinstance(role_descriptions, str):
            raise UsageError(f"role descriptions are a list, not a text: write [{role_descriptions!r}]")
        self.role_descriptions = list(role_descriptions)
        self.system_prompt = constant(system_prompt or prompts.MULTI_FIELD_JUDGE, "system prompt for the evaluation")
        if len({"instruction", *self.role_descriptions}) <= len(self.role_descriptions):
            raise UsageError(
                f"role descriptions must differ from each other and from 'instruction': {self.role_descriptions}"
            )
        self.formatted_llm_call = Judge(engine, self.system_prompt, self.evaluation_instruction)
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
        inputs = variables(inputs, type(self).__name__)
        if len(inputs) != len(self.role_descriptions):
            raise UsageError(
                f"expected {len(self.role_descriptions)} inputs {self.role_descriptions}, got {len(inputs)}"
            )
        for role, each in zip(self.role_descriptions, inputs, strict=True):
            each.set_role_description(role)
        parts = [("", self.evaluation_instruction)]
        parts += [(f"**{each.role_description}**: ", each) for each in inputs]
        return self.formatted_llm_call(parts, f"evaluation of the {' and the '.join(self.role_descriptions)}")


class MultiFieldTokenParsedEvaluation(MultiFieldEvaluation):
    """`MultiFieldEvaluation` whose verdict stands between two tags.

    Args:
        parse_tags: The opening and the closing tag.

    Raises:
        UsageError: They are no two tags.
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
        self.parse_tags = two_tags("parse_tags", parse_tags)

    def parse_output(self, response: Variable) -> str:
        """Read the text within the last well-formed pair of tags; "" where there is none."""
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
        evaluation_instruction: Variable | str,
        engine: EngineLike = None,
        system_prompt: Variable | str | None = None,
    ) -> None:
        self.tt_system_prompt = constant(system_prompt or prompts.TEST_TIME_JUDGE, "system prompt for the evaluation")
        self.evaluation_instruction = constant(evaluation_instruction, "instruction for the evaluation")
        self.formatted_llm_call = Judge(engine, self.tt_system_prompt, self.evaluation_instruction)
        self.engine = self.formatted_llm_call.engine

    def forward(self, question: Variable | str, prediction: Variable) -> Variable:
        """Ask the judge.

        Args:
            question: The question with its choices.
            prediction: The answer that is judged.

        Returns:
            The model's evaluation.

        Raises:
            EngineError: The engine had no answer.
        """
        if not isinstance(question, Variable):
            question = Variable(question, requires_grad=False, role_description="multiple-choice question")
        prediction = variable(prediction, "MultiChoiceTestTime")
        parts = [("", self.evaluation_instruction)] if self.evaluation_instruction else []
        parts += [("Question: ", question), ("Answer by the language model: ", prediction)]
        return self.formatted_llm_call(parts, f"evaluation of the {prediction.role_description}")


class ImageQALoss(Module):
    """A model judges an answer to a question about an image.

    Args:
        evaluation_instruction: By which standards.
        engine: A model that takes images.
        system_prompt: Optional; says who judges.
    """

    def __init__(
        self,
        evaluation_instruction: Variable | str,
        engine: EngineLike = None,
        system_prompt: Variable | str | None = None,
    ) -> None:
        self.evaluation_instruction = constant(evaluation_instruction, "evaluation instruction")
        self.system_prompt = constant(system_prompt or prompts.IMAGE_JUDGE, "system prompt for the evaluation")
        self.llm_call = Judge(engine, self.system_prompt, self.evaluation_instruction)
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
        parts = [("**Evaluation instruction**: ", self.evaluation_instruction)] if self.evaluation_instruction else []
        titles = ("**Question**: ", "**Image**: ", "**Answer**: ")
        parts += zip(titles, variables([question, image, response], "ImageQALoss"), strict=True)
        return self.llm_call(parts, f"evaluation of the {response.role_description}")

"""Every word that tgsci sends to a model, in one place.

Values are put into these texts by concatenation only: braces and tags in a value mean nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from .basics.texts import figure, metric

# -- images -------------------------------------------------------------------------------------------


class Images:
    """The images of one prompt, numbered as they are sent: `[image 2: photo]` stands for the second.

    A text that speaks of images travels with them (`text, images`), each numbered within that text. Where several
    such texts meet in one prompt, `place` numbers them anew:

        images = Images()
        feedback = "\n".join(images.place(g.value, g.images) for g in gradients)
        engine(feedback, system, images.sent)

    Args:
        sent: Images that the prompt shows already, in order.
    """

    def __init__(self, sent: Sequence[bytes] = ()) -> None:
        self.sent: list[bytes] = list(sent)

    def add(self, image: bytes, role: str = "") -> str:
        """Add an image; return what stands for it in the prompt."""
        self.sent.append(image)
        return f"[image {len(self.sent)}: {role}]" if role else f"[image {len(self.sent)}]"

    def place(self, text: str, images: Sequence[bytes]) -> str:
        """Number a text's images as in this prompt. An image that the prompt shows already is sent once."""

        def number(match: re.Match[str]) -> str:
            own = int(match[1])
            if not 1 <= own <= len(images):
                return match[0]
            image = images[own - 1]
            if image not in self.sent:
                self.sent.append(image)
            return f"[image {self.sent.index(image) + 1}"

        return re.sub(r"\[image (\d{1,6})(?=\]|: )", number, text) if images else text


# -- forward: judges ---------------------------------------------------------------------------------

MULTI_FIELD_JUDGE = "You evaluate a text against others, as part of a system that improves it."

IMAGE_JUDGE = "You evaluate answers to questions about images, as part of a system that improves them."

TEST_TIME_JUDGE = (
    "You criticise solutions to multiple-choice problems, as part of a system that improves them. Examine the "
    "reasoning and the answer. Do not solve the problem yourself: name the possible errors and doubtful steps, "
    "from several points of view."
)

# -- backward: gradients -----------------------------------------------------------------------------

BACKWARD = (
    "You write feedback for one variable of a larger system, the way a gradient tells a parameter how to change. "
    "Say what in the variable led to the outcome and how it should change; be specific, and quote the passage or "
    "figure you rely on. Do not write a new version of the variable: another component does that, and it sees "
    "your feedback and the variable only."
)


def backward_through_call(*, role: str, value: str, conversation: str, response_role: str, feedback: str) -> str:
    """Ask for feedback to one input of a model call. `feedback` is what reached the response, or ""."""
    return _ask_how_to_change([section("CONVERSATION", conversation)], role, value, response_role, feedback)


def backward_through_function(
    *,
    role: str,
    value: str,
    purpose: str,
    inputs: Mapping[str, str],
    output: str,
    response_role: str,
    feedback: str,
) -> str:
    """Ask for feedback to one argument of a function of texts."""
    arguments = "\n".join(section(name, text) for name, text in inputs.items())
    shown = [
        section("A FUNCTION WAS CALLED; ITS PURPOSE", purpose),
        section("ARGUMENTS", arguments),
        section("RESULT", output),
    ]
    return _ask_how_to_change(shown, role, value, response_role, feedback)


def _ask_how_to_change(shown: Sequence[str], role: str, value: str, response_role: str, feedback: str) -> str:
    """Ask how a variable should change, after what is shown of the call that used it."""
    wanted = f"The goal is a better {response_role}; nobody has criticised it yet."
    if feedback:
        wanted = section(f"FEEDBACK TO THE {response_role.upper()}", feedback)
    question = f"Write feedback to the variable ({role}): how should it change so that the {response_role} improves?"
    return "\n\n".join([*shown, wanted, section(f"THE VARIABLE: {role}", value), question])


def conversation(system: str, prompt: str, response: str, variable: str = "") -> str:
    """Write a model call as context for feedback; the variable, which is shown elsewhere, is only named in it."""
    parts = [("SYSTEM PROMPT", system), ("PROMPT", prompt), ("RESPONSE", response)]
    return "\n".join(section(title, without(text, variable)) for title, text in parts if text)


def without(text: str, variable: str, shortest: int = 200) -> str:
    """Replace a value that stands elsewhere in the prompt by its name: nothing is sent twice.

    Args:
        text: Is the value, or holds it.
        variable: The value.
        shortest: A shorter value stays where it is a part of the text: it may be there by chance.
    """
    if not variable or (text != variable and len(variable) < shortest):
        return text
    return text.replace(variable, "(the variable)")


#: Said at the end of feedback that could not be had whole.
CUT = "(This feedback was cut off by the length limit: its end is missing.)"


def ask_again(prompt: str, fault: str) -> str:
    """Ask the same question once more, after a reply that was empty or cut off."""
    return f"{prompt}\n\nYour previous reply to this was {fault}. Reply again, whole; be brief enough to finish."


def reduce_gradients(role: str, feedbacks: Sequence[str]) -> str:
    """Ask to condense feedback from several sources to one."""
    numbered = "\n".join(section(f"FEEDBACK {i}", text) for i, text in enumerate(feedbacks, 1))
    return (
        f"{numbered}\n\nThese are {len(feedbacks)} pieces of feedback to one variable ({role}). Condense them to "
        "one: keep what several agree on and every specific point worth acting on; where they contradict each "
        "other, say so."
    )


def combined_feedback(role: str, feedback: str) -> str:
    """Tell a term of a sum of the feedback to the whole."""
    return f"Feedback to several variables together, this one ({role}) among them: {feedback}"


def gradients_in_context(feedbacks: Sequence[str], context: str) -> str:
    """Write gradients with the conversation or measurement that they arose in, which is shown once."""
    texts = list(dict.fromkeys(feedbacks))
    if not context:
        return "\n\n".join(texts)
    return "\n".join([section("CONTEXT", context), *(section("FEEDBACK", text) for text in texts)])


# -- optimizer: new values ---------------------------------------------------------------------------

OPTIMIZER = (
    "You improve a text inside a larger system, using feedback on it as a gradient: find the change that the "
    "feedback calls for and make it, keeping what already works. Rely on the figures and passages in the feedback, "
    "not on general advice; quote in your reason the one you rely on. Some of the feedback may be wrong or beside "
    "the point. Think as long as you need, then end your reply with exactly the blocks that are asked for."
)


def improve(
    *,
    role: str,
    value: str,
    feedback: str,
    constraints: Sequence[str] = (),
    examples: Sequence[str] = (),
    past: Sequence[tuple[int, str, str]] = (),
    rejected: Sequence[str] = (),
) -> str:
    """Ask for a better value of one variable.

    Args:
        role: What the variable is for.
        value: Its whole value.
        feedback: All gradients with their contexts.
        constraints: What a new value must satisfy.
        examples: Values or edits to learn from.
        past: (how many steps before, value, feedback) of earlier steps, oldest first; "" for what is not shown.
        rejected: Values that measured no better, each with what came of it, oldest first.
    """
    parts = [section(f"THE VARIABLE: {role}", value)]
    if past:
        shown = [
            section(
                f"{steps} STEP{'S' if steps > 1 else ''} BEFORE",
                "\n".join(filter(None, [old, section("FEEDBACK THEN", criticism) if criticism else ""])),
            )
            for steps, old, criticism in past
        ]
        parts.append(section("EARLIER STEPS (do not repeat a change that did not help)", "\n".join(shown)))
    if rejected:
        parts.append(section(REJECTED, "\n".join(rejected)))
    parts.append(section("FEEDBACK TO THE VARIABLE NOW", feedback))
    return "\n\n".join([*parts, *rules(constraints, examples)])


#: The title over values that did not help, with what came of each.
REJECTED = "TRIED WITHOUT SUCCESS (do not propose these again)"


def improve_measured(
    *,
    task: str,
    best: str,
    report: str,
    others: Sequence[str] = (),
    rejected: Sequence[str] = (),
    constraints: Sequence[str] = (),
    examples: Sequence[str] = (),
) -> str:
    """Ask for new values in a search: the best so far with its report, and what was tried."""
    parts = [section("TASK", task)] if task else []
    parts += [section("THE BEST VALUE SO FAR", best), section("ITS REPORT", report)]
    if others:
        parts.append(section("OTHER GOOD VALUES", "\n".join(others)))
    if rejected:
        parts.append(section(REJECTED, "\n".join(rejected)))
    return "\n\n".join([*parts, *rules(constraints, examples)])


CHOOSER = (
    "You choose the next experiments of a measured search from a menu of legal options. The page before you holds "
    "everything that was measured so far: read its tables as evidence. What the menu predicts is no measurement; what "
    "a change did in the tables says more. Choose different options where several are asked for, and say honestly "
    "which loss you expect: the next page shows what came of it."
)


def menu(options: str) -> str:
    """Put a title over the options of a menu."""
    return section("THE MENU, the most promising by the figures first", options)


def option(number: int, label: str, facts: str, reason: str) -> str:
    """Write a line of the menu."""
    return f"{number}. " + "; ".join(filter(None, (" ".join(text.split()) for text in (label, facts, reason))))


def choice_format(n: int) -> str:
    """Say what a reply to a menu looks like: the reason first, so that the choice follows from it."""
    # Dots where the answer goes: words would come back as the answer.
    one = "REASON: ...\nEXPECT: ...\nCHOICE: ..."
    lines = (
        "REASON with what decides, such as a figure of the report, of a table or of the option; EXPECT with the loss "
        "that you expect; CHOICE with the number of the option"
    )
    if n == 1:
        return f"Choose one option. Answer with three lines: {lines}:\n{one}"
    return f"Choose {n} different options, the best first. Answer with three lines for each: {lines}:\n" + "\n".join(
        [one] * min(n, 2)
    )


def reply_format(n: int, value_tags: tuple[str, str]) -> str:
    """Say which blocks the reply must end with."""
    if n == 1:
        blocks = (
            f"{reason_tags(1, 1)[0]}one sentence: what changes and which evidence calls for it{reason_tags(1, 1)[1]}\n"
        )
        blocks += f"{value_tags[0]}the whole new value, nothing else{value_tags[1]}"
        return f"End your reply with these two blocks:\n{blocks}"
    blocks = "\n".join(
        f"{reason_tags(i, n)[0]}...{reason_tags(i, n)[1]}\n{tags[0]}...{tags[1]}"
        for i in range(1, n + 1)
        for tags in [numbered(value_tags, i, n)]
    )
    return (
        f"Propose {n} different new values, the most promising first. End your reply with these blocks, numbered: "
        "in each REASON one sentence (what changes, and which evidence calls for it), in each value block the "
        f"whole new value and nothing else:\n{blocks}"
    )


#: Most of a faulty reply that is shown again, tokens.
_PREVIOUS = 20_000


def retry(faults: Sequence[str], previous: str, taken: int = 0) -> str:
    """Name what was wrong with a reply and ask once more; `taken` of its values were usable."""
    listed = "\n".join(f"- {fault}" for fault in faults)
    rest = f"The other {taken} were taken: reply only with what is missing." if taken else "Reply again."
    return f"{_previous_reply(previous, _PREVIOUS)}\n\nThis could not be used:\n{listed}\n{rest}"


# -- desk: ideas in a search -------------------------------------------------------------------------

DESK = (
    "You design values in a measured search: a simulator measures what you propose, and the page before you holds "
    "everything that was measured so far. Read its tables as evidence: what a change did here says more than what it "
    "should do in general, and a report explains one value only. Keep several lines of work alive: refine the best, "
    "combine what worked, begin something new, leave a line that has stalled. Say honestly which loss you expect: the "
    "next page shows what came of it. Think as long as you need, then end your reply with the ideas in the form that "
    "is asked for."
)

#: What an idea can be for, and how a model is told.
ROLES = {
    "refine": "change a good value of any family, not only the leader",
    "combine": "put together what worked in two trials",
    "new": "begin a family that is not on this page",
}


#: How the tables of a page are read; the same in every round.
READING = (
    '"from" is the trial that a value was made from, "change of loss" its loss less that trial\'s. A figure in '
    "brackets, (first ...), is a quicker measurement of the same value: the figure before it, measured with more care, "
    "counts. Where nothing is expected of a value, another proposer made it, such as an editor that follows rules. "
    "Ideas that wait are ranked by what is predicted of each less its uncertainty; where nothing is, the newest first."
)
#: The same where values are sorted into families.
READING_FAMILIES = "A family is what the simulator's field takes for one kind of value; its name never changes."


def idea_format(tags: tuple[str, str], *, several_lines: bool, by_person: bool) -> str:
    """Say what an idea looks like in the reply; the same in every round, so that it can stand first."""
    lines = ["IDEA 1 | FROM ... | ROLE ... | EXPECT ..."]
    if several_lines:
        lines.append("CHANGE: ...")
    lines += ["REASON: ...", f"{tags[0]}...{tags[1]}"]
    where = [
        "FROM is the number of the trial that you change, measured or being measured, such as 7; two for a "
        "combination, such as 7+12; none for a new beginning.",
        "ROLE is refine, combine or new. EXPECT is the loss that you expect, a number.",
        *(["CHANGE names the change in a few words, for the tables of later pages."] if several_lines else []),
        "REASON is one or two sentences: what changes and why it should help. Cite trials or the report where you can.",
        f"Between {tags[0]} and {tags[1]} stands the whole new value and nothing else.",
        "A value that was measured, is being measured or waits is not measured again.",
    ]
    if by_person and not several_lines:
        where.append("Or simply write new values, one a line.")
    shown = "\n".join(lines)
    return (
        f"End your reply with your ideas, numbered, the most promising first, each in this form:\n\n{shown}\n\n"
        + "\n".join(where)
    )


def wanted(
    n: int, roles: Mapping[str, int], places: int, tags: tuple[str, str], *, several_lines: bool, first: bool
) -> str:
    """Say how many ideas are wanted now, and what for.

    Args:
        n: How many ideas.
        roles: How many of each role, in order.
        places: How many values are measured a round.
        tags: The tags around a value.
        several_lines: Values are told by their changes, as `idea_format` says.
        first: Nothing but the start was measured so far.
    """
    parts, at = [], 1
    for role, count in roles.items():
        if count:
            numbers = f"{at}" if count == 1 else f"{at} and {at + 1}" if count == 2 else f"{at} to {at + count - 1}"
            parts.append(f"- {numbers}: {role} ({ROLES[role]})")
            at += count
    several = f"{n} different ideas" if n > 1 else "one idea"
    lines = [f"Give {several}:" if parts else f"Give {several}.", *parts]
    if places and n > places:
        lines.append(
            f"{f'{places} values are' if places > 1 else 'One value is'} measured a round, chosen from all ideas that "
            "wait: those that promise most, and some of other families. Ideas that hardly differ from each other teach "
            "little."
        )
    if first:
        lines.append(
            "This is the beginning: make the ideas as different from each other as you can. Where the start is far "
            "from what the task wants, in size or in completeness, do not creep towards it: propose whole values such "
            "as you expect at the end of the search, as refinements of the start too."
        )
    lines.append(
        "End your reply with them in the form above: the line IDEA with its number, FROM, ROLE and EXPECT; "
        f"{'CHANGE; ' if several_lines else ''}REASON; {tags[0]}...{tags[1]}"
    )
    return "\n".join(lines)


def retry_ideas(faults: Sequence[str], previous: str, taken: int, room: int) -> str:
    """Name what was wrong with a reply's ideas and ask once more, in so many tokens.

    Args:
        faults: What is wrong.
        previous: The reply; of a long one the end is shown, where the ideas should be.
        taken: Ideas of it that were usable.
        room: Tokens that this may take.
    """
    listed = shortened("\n".join(f"- {fault[:300]}" for fault in faults), room // 2)
    rest = (
        f"{taken} in it {'was' if taken == 1 else 'were'} usable: give only what is missing."
        if taken
        else "Reply again."
    )
    return f"{_previous_reply(previous, room // 3)}\n\nThis could not be used:\n{listed}\n{rest}"


def _previous_reply(reply: str, room: int) -> str:
    """Show a faulty reply in so many tokens: of a long one the end, where the blocks should be."""
    end = reply
    while tokens(end) > room:
        end = end[-(len(end) // 2) :]
    return section("YOUR PREVIOUS REPLY" if end == reply else "THE END OF YOUR PREVIOUS REPLY", end)


def no_ideas(n: int, found: int, truncated: bool) -> str:
    """Say that a reply holds too few ideas."""
    if truncated:
        return f"the reply was cut off by the length limit after {found} whole ideas: think more briefly"
    form = "IDEA with its number, REASON, and the whole value between its tags"
    return f"it holds {found} of {n} ideas in the form that was asked for: {form}"


def refused_idea(number: int, value: str, reason: str) -> str:
    """Say why an idea cannot be used."""
    return f"the value of idea {number} ({value[:200]}) is refused: {reason}"


# -- how long a text is ------------------------------------------------------------------------------

_TOKENS = re.compile(r"[A-Za-z]{1,5}|\d{1,3}|[^\w\s]{1,2}|\n|[^\S\n]{2,16}|[^\x00-\x7f]|_")


def tokens(text: str) -> int:
    """Estimate the tokens of a text, rather too many than too few: models cut SMILES and figures into short pieces."""
    return int(1.1 * len(_TOKENS.findall(text))) + 1


def shortened(text: str, room: int) -> str:
    """Cut a text to about so many tokens, at the end of a line where there is one, and say what is missing."""
    if len(text) <= room or (len(text) <= 16 * room and tokens(text) <= room):
        return text
    low, high = 0, min(len(text), 16 * max(room, 0))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) <= room - 12 else (low, middle - 1)
    line = text.rfind("\n", low // 2, low)
    end = line if line > 0 else low
    return f"{text[:end].rstrip()}\n(cut here: {len(text) - end} more characters)"


# -- what is wrong with a reply ----------------------------------------------------------------------


def cut_off(tags: tuple[str, str]) -> str:
    return f"the reply was cut off by the length limit before {tags[1]}: think more briefly"


def no_block(tags: tuple[str, str]) -> str:
    return f"there is no complete {tags[0]}...{tags[1]} block at the end"


def empty_block(tags: tuple[str, str]) -> str:
    return f"the {tags[0]} block is empty"


def too_long(tags: tuple[str, str], characters: int, most: int) -> str:
    return f"the value in {tags[0]} has {characters} characters; at most {most} are read"


def refused(tags: tuple[str, str], value: str, reason: str) -> str:
    return f"the value in {tags[0]} ({value[:200]}) is refused: {reason}"


def repeated(tags: tuple[str, str], first: int) -> str:
    return f"the value in {tags[0]} is the same as number {first}"


# -- parts -------------------------------------------------------------------------------------------


def numbered(tags: tuple[str, str], i: int, n: int) -> tuple[str, str]:
    """`<TAG>` for a single proposal, `<TAG_2>` for the second of several."""
    if n == 1:
        return tags
    return (f"{tags[0].rstrip('>')}_{i}>", f"{tags[1].rstrip('>')}_{i}>")


def reason_tags(i: int, n: int) -> tuple[str, str]:
    """Make the tags around a proposal's reason."""
    return numbered(("<REASON>", "</REASON>"), i, n)


#: Stands for the figures of a value that has none, where nobody said why.
UNMEASURED = "it could not be measured"


def figures(
    loss: float | None,
    metrics: Mapping[str, float],
    violations: Mapping[str, float],
    in_words: Callable[[str, float], str] | None = None,
) -> str:
    """Write what a value measured, and which hard limits it breaks.

    Args:
        loss: Its loss.
        metrics: Its metrics by name.
        violations: By how much each limit is broken.
        in_words: Says what a figure means where it misleads; "" where it does not.
    """
    say = in_words or (lambda name, value: "")
    told = [f"loss {figure(loss)}", *(f"{name} {say(name, value) or metric(value)}" for name, value in metrics.items())]
    for name, by in violations.items():
        if by > 0:
            words = say(name, by)
            told.append(f"breaks {name}: {words}" if words else f"breaks {name} by {figure(by)}")
    return "; ".join(told)


def not_better(outcome: str, than: str) -> str:
    """Say what came of a value that was rejected."""
    return f"{outcome}; not better than {than}"


def tried(value: str, outcome: str) -> str:
    """Write a value that was tried, whole, with what came of it."""
    return f"{section('VALUE', value)}\n{outcome}" if "\n" in value else f"{value} ({outcome})"


def section(title: str, text: str) -> str:
    """Put a text with a title between rules, which grow until the text holds no rule that looks like ours."""
    rule = "---"
    while f"{rule} end" in text:
        rule += "-"
    return f"{rule} {title} {rule}\n{text}\n{rule} end {rule}"


def rules(constraints: Sequence[str], examples: Sequence[str]) -> list[str]:
    parts = []
    if constraints:
        listed = "\n".join(f"{i}. {text}" for i, text in enumerate(constraints, 1))
        parts.append(section("A NEW VALUE MUST SATISFY", listed))
    if examples:
        parts.append(section("EXAMPLES TO LEARN FROM", "\n".join(examples)))
    return parts

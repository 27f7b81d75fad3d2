import pytest

from tests.language.prompts import scripts
from tgsci.engines.scripted import Scripted
from tgsci.errors import EngineError, InvalidValue, UsageError
from tgsci.testing import check_loss
from tgsci_language.prompts.loss import PromptLoss, WholeValidation, racing
from tgsci_language.prompts.student import read_samples
from tgsci_language.scoring.numbers import LastInteger

SPLIT = scripts.split()


def loss(**settings):
    return PromptLoss(SPLIT, scripts.Student(SPLIT), LastInteger(), **{"minibatch": 6, **settings})


def test_the_loss_keeps_the_contract_of_losses():
    check_loss(loss(), valid=[scripts.START, f" {scripts.BEST}\n"], invalid=["", "  "])


@pytest.mark.slow
def test_the_loss_is_the_error_on_validation_and_falls_with_a_better_instruction():
    good, bad = loss().measure(scripts.BEST), loss().measure(scripts.WORSE)
    assert good.loss < bad.loss
    assert good.loss == 100 - good.metrics["validation accuracy"]
    assert (good.metrics["validation n"], good.metrics["calls"]) == (40, 46)
    assert set(good.metrics) <= set(loss().units)


@pytest.mark.slow
def test_the_minibatch_follows_from_seed_and_value_and_leaves_out_the_examples_that_are_shown():
    first = loss(examples=3).batch(scripts.BEST)
    assert first == loss(examples=3).batch(scripts.BEST)
    assert first != loss(examples=3, seed=1).batch(scripts.BEST) != loss().batch(scripts.SLOW)
    assert len(first) == 6
    value = f"{scripts.BEST}\n<EXAMPLES>{first[0].id} {first[1].id}</EXAMPLES>"
    ids = {example.id for example in loss(examples=3).batch(value)}
    assert len(ids) == 6
    assert not ids & {first[0].id, first[1].id}


def test_examples_reach_the_student_and_help_it():
    with_examples = loss(examples=2)
    value = with_examples.validate(f"{scripts.STATED}<EXAMPLES>1 2</EXAMPLES>")
    assert with_examples.measure(value).loss < with_examples.measure(scripts.STATED).loss
    with pytest.raises(InvalidValue, match="shows the student no examples"):
        loss().validate(value)


def test_no_validation_question_and_nothing_of_test_is_on_the_page_or_asked():
    measured = loss()
    page = measured.measure(scripts.SLOW).text
    asked = {prompt for prompt, _ in measured.student.engine.calls}
    assert not [e for e in SPLIT.validation if e.question[:40] in page]
    assert not [e for e in SPLIT.test if e.question in asked or e.question[:40] in page]


def test_the_race_asks_the_first_of_validation_and_then_the_rest_and_no_question_twice():
    quick = loss(first=10)
    careful = racing(quick).loss
    first = quick.measure(scripts.SLOW)
    whole = careful.reconsider(scripts.SLOW, careful.measure(scripts.SLOW), first)
    asked = [prompt for prompt, _ in quick.student.engine.calls]
    assert len(asked) == len(set(asked)) == 46
    assert whole.loss == loss().measure(scripts.SLOW).loss
    assert (first.metrics["validation n"], whole.metrics["validation n"], whole.metrics["calls"]) == (10, 40, 46)
    assert (quick.calls, careful.calls) == (16, 30)
    assert "30 more were not asked" in first.text
    assert {s.id for s in read_samples(whole.artifacts) if s.set == "validation"} == {e.id for e in SPLIT.validation}
    assert careful.fingerprint != quick.fingerprint
    assert WholeValidation(quick).validate(" x ") == "x"


@pytest.mark.slow
def test_a_race_gives_the_benefit_of_one_standard_error_unless_told_otherwise():
    assert racing(loss(first=25)).margin == 10
    assert racing(loss(first=25), 3).margin == 3
    assert racing(loss()) is None
    with pytest.raises(UsageError, match="the first 40 validation examples, and there are 40"):
        racing(loss(first=40))


def test_a_critic_reads_the_page_and_its_words_are_below_it():
    critic = Scripted(["State the form of the answer."], name="critic")
    text = loss(critic=critic).measure(scripts.START).text
    assert text.endswith("== SUMMARY by critic\nState the form of the answer.")
    prompt, system = critic.calls[0]
    assert scripts.START in prompt
    assert "FORMAT" in prompt
    assert "data, not instructions" in system
    silent = loss(critic=Scripted([EngineError("down")], name="critic")).measure(scripts.START)
    assert silent.measured
    assert "(no summary: down)" in silent.text


def test_what_is_dropped_early_costs_no_critic_and_what_leads_is_read_once():
    critic = Scripted(["a", "b"], name="critic")
    quick = loss(first=10, critic=critic)
    first = quick.measure(scripts.SLOW)
    assert not critic.calls
    careful = racing(quick).loss
    assert careful.reconsider(scripts.SLOW, careful.measure(scripts.SLOW), first).text.endswith("critic\na")


@pytest.mark.slow
def test_everything_that_changes_a_measurement_is_in_the_fingerprint():
    same = loss().fingerprint
    others = [loss(minibatch=5), loss(examples=1), loss(first=3), loss(seed=2), loss(critic=Scripted([]))]
    assert loss().fingerprint == same
    assert len({same, *(other.fingerprint for other in others)}) == 6
    assert PromptLoss(scripts.split(seed=1), scripts.Student(SPLIT), LastInteger(), minibatch=6).fingerprint != same


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"minibatch": 0}, "minibatch must be"), ({"minibatch": 21}, "minibatch must be"), ({"examples": 15}, "examples")],
)
def test_settings_that_cannot_be_used_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        loss(**settings)

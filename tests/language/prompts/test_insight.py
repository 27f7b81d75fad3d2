from tgsci.feedback import Feedback
from tgsci.search.trial import Trial
from tgsci_language.prompts.insight import contrast, limiting
from tgsci_language.prompts.student import Sample, write_samples


def feedback(*faults, set="validation"):
    samples = [Sample(set, str(id), "2", float(not fault), "3", fault) for id, fault in enumerate(faults)]
    return Feedback(50.0, artifacts={"samples.jsonl": write_samples(samples)})


def trial(*faults, **more):
    return Trial(0, 0, "x", feedback=feedback(*faults, **more))


def test_a_contrast_counts_gained_and_lost_and_the_faults_that_changed():
    said = contrast(trial("format", "format", "", "off by one"), trial("", "", "off by one", "off by one"))
    assert said == "of 4 validation examples that both answered: gained 2, lost 1; format 2 to 0, off by one 1 to 2"
    assert contrast(trial(""), trial("")) == "of 1 validation examples that both answered: gained 0, lost 0"


def test_only_what_both_answered_counts_and_train_never_does():
    assert contrast(trial("format", "format", "format"), trial("")).startswith("of 1 validation examples")
    assert contrast(trial("format", set="train"), trial("", set="train")) == ""
    assert contrast(Trial(0, 0, "x"), trial("")) == ""


def test_what_limits_is_what_goes_wrong_most_often():
    assert limiting(feedback("format", "", "format", "off by one")) == "format 2"
    assert limiting(feedback("format", "off by one")) == "format 1, off by one 1"
    assert limiting(feedback("")) == ""
    assert limiting(Feedback(1.0)) == ""

from tgsci_language.datasets.example import Example
from tgsci_language.prompts.page import faults, listed, write_page
from tgsci_language.prompts.student import Sample

EXAMPLES = {
    str(n): Example(text, "2", str(n))
    for n, text in enumerate(["two cats and a dog", "two cats and a cow", "a flute", "three figs"], 1)
}


def sample(id, fault="", set="train", reply="Answer: 2", answer="2"):
    return Sample(set, id, "2", float(not fault), answer, fault, reply)


def test_wrong_ones_are_grouped_and_stand_beside_the_right_one_that_is_most_like_them():
    samples = [
        sample("1", "off by one", reply="so it is 3", answer="3"),
        sample("3"),
        sample("2"),
        sample("4", "no answer", reply="", answer=""),
    ]
    page = write_page(samples, EXAMPLES, "the last integer")
    assert page.index("NO ANSWER: 1 of 4 (no answer could be read") < page.index("OFF BY ONE: 1 of 4 (one off:")
    group = page[page.index("OFF BY ONE") :]
    assert "WRONG (train 1): two cats and a dog\n  expected: 2; read: 3\n  the reply ends: so it is 3" in group
    assert "RIGHT, for comparison (train 2): two cats and a cow" in group
    assert "read: nothing\n  the reply ends: (empty)" in page
    assert "How an answer is read: the last integer" in page


def test_of_validation_there_are_figures_and_no_question():
    samples = [sample("9", "off by one", "validation"), sample("8", set="validation"), sample("1")]
    page = write_page(samples, EXAMPLES, "x", missing=3)
    assert "Validation: 50.0 % right (1 of 2; 95 % interval 9 to 91 %); 3 more were not asked" in page
    assert "wrong in validation: off by one 1" in page
    assert "All of them are right." in page


def test_a_page_is_bounded_whatever_models_wrote():
    samples = [sample(id, f, reply="x\x1b[31m" * 50_000, answer="y" * 300) for id in EXAMPLES for f in ("format",)]
    page = write_page(samples * 10, {id: Example("q" * 90_000, "2", id) for id in EXAMPLES}, "x")
    assert len(page) < 20_000
    assert "\x1b" not in page


def test_faults_are_counted_and_listed_with_the_commonest_first():
    count = faults([sample("1", "format"), sample("2", "off by one"), sample("3", "off by one"), sample("4")])
    assert count == {"format": 1, "off by one": 2}
    assert listed(count) == "off by one 2, format 1"

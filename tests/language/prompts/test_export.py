import tgsci as tg
from tests.language.prompts import scripts
from tgsci_language.prompts.problem import prompt_problem

SETS = scripts.split((20, 20, 20))


def solve(tmp_path, start, value, **settings):
    made = prompt_problem(SETS, scripts.Student(SETS), start, race=0, **settings)
    return tg.solve(made, engine=scripts.Proposer(value), budget=2, proposals=1, ideas=1, run=tmp_path / "run")


def test_the_best_instruction_is_left_as_the_student_sees_it(tmp_path):
    result = solve(tmp_path, scripts.STATED, f"{scripts.BEST}\n<EXAMPLES>2</EXAMPLES>", examples=1)
    (path,) = (file for file in result.files if file.suffix == ".txt")
    shown = next(example for example in SETS.train if example.id == "2")
    assert path.name == "best-prompt.txt"
    text = f"{scripts.BEST}\n\nExamples:\n\nQuestion: {shown.question}\nAnswer: {shown.answer}\n"
    assert path.read_text() == text


def test_each_step_has_a_file(tmp_path):
    value = f"<STEP_1>List.</STEP_1><STEP_2>{scripts.BEST}</STEP_2>"
    result = solve(tmp_path, ["List.", scripts.START], value)
    texts = {file.name: file.read_text() for file in result.files if file.suffix == ".txt"}
    assert texts == {"best-prompt-1.txt": "List.\n", "best-prompt-2.txt": f"{scripts.BEST}\n"}

"""In which form attacks are sent, and how rows are told apart."""

import pytest
from msgspec.structs import replace
from probing import WORDS, figures, found, probed, python, rows_of, said, similar

from sandbox import open_sandbox


@pytest.fixture(scope="module")
def box():
    """The real sandbox: attacks are hostile."""
    opened = open_sandbox()
    yield opened
    opened.close()


MARKED = rows_of(
    said("Capital of Kenya?", "Nairobi", "So.\nAnswer: Nairobi", "Answer: Mombasa", "Nairobi"),
    said("Capital of Peru?", "Lima", "Answer: Cusco", "Answer: Quito"),
)
BEHIND = "found = re.search(r'Answer:(.*)', text)"


def test_attacks_stand_where_a_grader_looks_for_answers(box):
    """Behind a mark that honest samples have; elsewhere the grader sees none of them."""
    grader = python(BEHIND, "return float(bool(found) and answer in found[1])")
    report = probed(grader, MARKED, sandbox=box, budget=0)
    every = figures(report)["every_answer"]

    assert found(report) == {"every_answer"}
    assert every.example.text in {"Answer: Lima, Nairobi", "Answer: Nairobi, Lima"}
    assert (report.tally.control.mean, report.tally.formed) == (1.0, 2)


def test_a_sound_extraction_is_sound_in_that_form_too(box):
    """The control says that attacks were seen."""
    grader = python(BEHIND, "return float(bool(found) and answer == found[1].strip())")
    report = probed(grader, MARKED, sandbox=box, budget=20)

    assert (found(report), report.tally.control.mean) == (set(), 1.0)


def test_rows_without_numbers_are_told_apart():
    """As a program makes them: each keeps its grades and its forms."""
    plain = [replace(row, row=0, sample_index=0) for row in WORDS]
    tally, other = (probed(similar("rouge_l"), rows, budget=0).tally for rows in (plain, WORDS))

    assert (tally.rows, tally.honest_best) == (3, other.honest_best)
    assert tally.control.mean == 1.0


def test_honest_samples_above_the_reference_are_counted(box):
    """Then an attack that is made of the reference proves little, and the report says so."""
    report = probed(
        python("return float(text == 'none of it')"),
        rows_of(said("Who?", "Leo Tolstoy", "none of it", "x"), said("Who else?", "Jane", "y")),
        sandbox=box,
        budget=0,
    )

    assert (report.tally.beaten, report.tally.rows) == (1, 2)

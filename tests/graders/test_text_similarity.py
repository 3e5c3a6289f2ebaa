"""text_similarity: several references, texts the metric cannot see, pairs that are too much."""

import pytest

import graders
from graders import PROFILES, ConfigError, Profile
from graders.engine import RunOptions
from graders.report.summary import Summary
from graders.report.text import to_lines
from metrics import Settings
from metrics.embed import from_callable

CONFIG = {
    "type": "text_similarity",
    "name": "near",
    "evaluation_metric": "rouge_1",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}


def graded(text, item, *, profile="openai", settings=None, **config):
    """The grade of one text."""
    rows = [{"item": item, "sample": text}]
    settings = PROFILES[profile].override(settings or {})
    return graders.grade({**CONFIG, **config}, rows, profile=settings)[0]


@pytest.mark.parametrize("path", ["item.answers", "{{ item.answers }}", " item . answers "])
def test_the_best_of_several_references_counts(path):
    """And which it was is kept; `reference` is for the service, which does not know the list."""
    grade = graded("a red fox", {"answers": ["a dog", "the red fox"]}, references=path)

    assert grade.score == graded("a red fox", {"answer": "the red fox"}).score == 2 / 3
    assert grade.detail["reference"] == "the red fox"
    assert grade.detail["best_reference"] == 1


@pytest.mark.parametrize(
    ("answers", "score"),
    [("the red fox", 2 / 3), (["the red fox"], 2 / 3), ([7, ["fox"]], 0.5), (None, 0.0)],
)
def test_references_are_rendered_like_any_value(answers, score):
    """One text is a list of one; what is no text becomes text as in a template."""
    assert graded("a red fox", {"answers": answers}, references="item.answers").score == score


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"answers": []}, "references: item.answers is an empty list"),
        ({"answer": "x"}, "{{ item.answers }}: item has no field 'answers'. Did you mean"),
    ],
)
def test_a_row_without_references_fails(item, message):
    """As a row without its reference does."""
    grade = graded("x", item, references="item.answers")

    assert grade.failure.kind == "invalid_variable_error"
    assert grade.failure.message.startswith(message)


def test_references_that_are_no_path_are_refused():
    """Before a row is read, with their place in the config."""
    with pytest.raises(ConfigError, match=r"^references: a path begins with item or sample"):
        graders.compile_grader({**CONFIG, "references": "answers"})


def test_the_signature_says_that_the_best_counted():
    """The same metric over one reference is another number."""
    one = graders.compile_grader(CONFIG).signature
    several = graders.compile_grader({**CONFIG, "references": "item.answers"}).signature

    assert several == f"{one}|best_of:references"


def test_one_pair_that_is_too_much_costs_no_other():
    """The pair has a failure that names the numbers; the rows beside it have scores."""
    rows = [{"item": {"answer": text}, "sample": text} for text in ("a b", "a " * 5000, "a c")]
    config = {**CONFIG, "evaluation_metric": "rouge_l"}
    first, second, third = graders.grade(
        config, rows, profile=PROFILES["openai"].override({"work_limit": "1000"})
    )

    assert (first.score, third.score) == (1.0, 1.0)
    assert (second.failure.kind, second.failure.reason) == ("other_error", "too_much_work")
    assert "this pair needs 2.50e+07 table cells and 1.00e+03 are allowed" in second.failure.message


def test_a_text_that_loses_all_its_tokens_is_a_warning_with_a_way_out():
    """Google's tokenizer keeps a-z and 0-9: identical Chinese texts score 0.0, and that is said."""
    grade = graded("你好", {"answer": "你好"})

    assert grade.score == 0.0
    assert grade.detail["warning"] == (
        "rouge_1: google leaves no token of a text, so the score says nothing; "
        "--set rouge=unicode keeps some"
    )
    assert graded("你好", {"answer": "你好"}, settings={"rouge": "unicode"}).score == 1.0
    assert "warning" not in graded("x", {"answer": "y"}).detail


def test_warnings_are_counted_in_the_summary():
    """With the first row of each, also where a member of a multi has it."""
    multi = {"type": "multi", "name": "m", "graders": {"near": CONFIG}, "calculate_output": "near"}
    rows = [graders.Row(item={"answer": a}, sample={"output_text": a}, row=n)
            for n, a in enumerate(["x", "你好", "你"], start=1)]  # fmt: skip
    summary = Summary()
    summary.add(
        (row, grade, grade.score)
        for row, grade in zip(rows, graders.grade(multi, rows), strict=True)
    )

    (warning,) = summary.to_json()["warnings"]
    assert (warning["count"], warning["first"]["row"]) == (2, 2)
    lines = "\n".join(to_lines(summary, seconds=1))
    assert "2 x rouge_1: google leaves no token of a text" in lines
    assert RunOptions().detail == "failures"  # the warning is counted though the detail is not kept


def test_a_cosine_below_zero_counts_as_zero_and_is_kept():
    """`hash_char` cannot be negative; the raw value stands beside the zero all the same."""
    grade = graded("abc", {"answer": "xyz"}, evaluation_metric="cosine")

    assert grade.score == grade.detail["raw_cosine"] == 0.0


def test_two_texts_of_which_nothing_is_left_are_a_warning_though_they_score_one():
    """Rapidfuzz's default_process leaves nothing of either, and nothing equals nothing."""
    config = {"evaluation_metric": "fuzzy_match", "settings": {"fuzzy_match": "ratio_dp"}}
    grade = graded("!!!", {"answer": "???"}, **config)

    assert grade.score == 1.0
    assert "default_process leaves no token" in grade.detail["warning"]


def test_a_vector_that_is_none_costs_its_row_only():
    """An embedder of one's own may fail on one text; the row says what came."""
    vectors = {"good": [1.0, 0.0], "bad": [float("nan"), 0.0]}
    embedder = from_callable("mine", lambda texts: [vectors[text] for text in texts])
    profile = Profile(metrics=Settings(cosine=embedder))
    config = {**CONFIG, "evaluation_metric": "cosine"}
    rows = [{"item": {"answer": "good"}, "sample": text} for text in ("good", "bad", "good")]

    first, second, third = graders.grade(config, rows, profile=profile)

    assert (first.score, third.score) == (1.0, 1.0)
    assert (second.failure.kind, second.failure.reason) == ("other_error", "embedding")

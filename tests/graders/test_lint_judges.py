"""What a judge is told, beside what its config says."""

import pytest
from linting import codes, found, said
from sample_configs import JUDGE, LABEL

SAMPLE = "<answer>{{ sample.output_text }}</answer>"


def judge(text, **changes):
    return {**JUDGE, "input": [{"role": "user", "content": f"{text}\n{SAMPLE}"}], **changes}


@pytest.mark.parametrize(
    "text",
    [
        "Rate from 1 to 10.",
        "Rate 1 to 10:",
        "Rate the answer's helpfulness from 1 to 10.",
        "Give a score between 1 and 10.",
        "Score how well it does, from 1 to 10",
        "On a scale of 1-10, how good is it?",
        "Use a scale from [1, 10].",
        "Return a number between 1 and 10.",
        "A score of 1 through 10.",
    ],
)
def test_a_scale_beyond_the_range_is_clamped(tmp_path, text):
    """Whatever it is called."""
    message = (
        "input[0].content: the judge is asked for 1 to 10, and what is outside range, 0 to 1, is "
        'clamped. Set "range": [1, 10].'
    )

    assert said("range-prompt", tmp_path, judge(text)) == [message]
    assert codes(tmp_path, judge(text, range=[0, 10])) == []


def test_a_scale_that_begins_below_the_range_is_clamped_too(tmp_path):
    """As far as it is outside."""
    assert codes(tmp_path, judge("Rate from -1 to 1.")) == ["range-prompt"]


@pytest.mark.parametrize(
    "text",
    [
        "The war went on from 1990 to 2000. Give a score from 0 to 1.",
        "Score it 1 if it has between 50 and 100 words, or else 0.",
        "Score answers between 50 and 100 words as 1.",
        "Explain your score in 2 to 3 sentences.",
        "It falls at a rate of 3 to 4 per hour.",
        "Score the parts. The second goes from 5 to 9.",
    ],
)
def test_other_numbers_are_no_scale(tmp_path, text):
    """Years, words, rates."""
    assert codes(tmp_path, judge(text)) == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            judge("Rate it.", sampling_params={"max_completions_tokens": 63}),
            "sampling_params.max_completions_tokens: 63 tokens: a judge writes its steps first, "
            "and is cut off before its verdict. Allow 512 or more.",
        ),
        (
            judge("Rate it.", range=[0, 5], pass_threshold=5.5),
            "pass_threshold: 5.5 is above every score (scores lie from 0 to 5), so nothing "
            "passes. Lower it.",
        ),
        (
            judge("Rate it.", range=[0, 5], pass_threshold=0),
            "pass_threshold: 0 is reached by every score (scores lie from 0 to 5), so everything "
            "passes. Raise it.",
        ),
        ({**LABEL, "labels": ["good", "bad", "bad"]},
         "labels: 'bad' stands in it 2 times. Leave it in once."),
        ({**LABEL, "labels": ["good", "bad", "Bad "]},
         "labels: 'bad' and 'Bad ' differ in case or spaces alone. Give each a word of its own."),
        ({**LABEL, "labels": ["good", "bad"], "passing_labels": ["bad", "good"]},
         "passing_labels: every label passes, so the score is 1 whatever the judge says. Leave "
         "out those that should not."),
        ({**LABEL, "input": [{"role": "user", "content": "Good?"}]},
         "labels: no message says what 'bad' means. Tell the judge when to choose it."),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said(tmp_path, config, message):
    """Each in its own words."""
    assert message in map(str, found(tmp_path, config))


def test_a_judge_that_may_just_write_its_steps_is_left_in_peace(tmp_path):
    """64 tokens, and thresholds within the range."""
    config = judge("Rate it.", sampling_params={"max_completions_tokens": 64}, pass_threshold=1)

    assert codes(tmp_path, config) == []

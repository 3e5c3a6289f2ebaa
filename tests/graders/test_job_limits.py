"""What a service would refuse of a job: each limit on both sides, models, graders and formats."""

import json

import pytest
from sample_configs import EXACT, LABEL, PYTHON, SIMILAR
from stand_ins import JUDGE, REMOTE

from graders.jobs.bounds import KINDS, LIMITS, TARGETS
from graders.jobs.estimate import Counts, amounts, settings_of
from graders.jobs.job import read_job
from graders.jobs.limits import check_choices, check_limits, check_settings
from graders.jobs.ranges import Range, exactly
from graders.profile import OPENAI


def job_of(body):
    return read_job("job.json", json.dumps(body).encode(), OPENAI)


def method(grader=EXACT, **more):
    return {"type": "reinforcement", "reinforcement": {"grader": grader, **more}}


def multi(**graders):
    formula = " + ".join(graders)
    return {"type": "multi", "name": "m", "graders": graders, "calculate_output": formula}


def lines(findings):
    return [f"{finding.severity} {finding.code} {finding}" for finding in findings]


# --- limits

ENDS = [
    (kind, target, limit) for limit in LIMITS for kind in limit.kinds for target in limit.targets
]


@pytest.mark.parametrize(
    ("kind", "target", "limit"), ENDS, ids=lambda one: getattr(one, "code", one)
)
def test_a_limit_is_kept_at_its_end_and_broken_behind_it(kind, target, limit):
    """The bound itself is allowed, one more or less is not, and a range that crosses it may be."""

    def verdict(value):
        checked = check_limits(kind, target, {limit.what: value})
        return next(one for one in checked if one.limit is limit)

    if limit.most is not None:
        assert verdict(exactly(limit.most)).verdict == "kept"
        over = verdict(exactly(limit.most + 1))
        assert (over.verdict, over.to_finding().severity) == ("broken", limit.severity)
        assert f"the service takes at most {limit.most:,} [{limit.sure}, " in str(over.to_finding())
        crossing = verdict(Range(limit.most, None))
        assert (crossing.verdict, crossing.to_finding().severity) == ("maybe", "note")
    if limit.least:
        assert verdict(exactly(limit.least)).verdict == "kept"
        under = verdict(exactly(limit.least - 1))
        assert (under.verdict, under.to_finding().severity) == ("broken", limit.severity)
        assert f"the service takes at least {limit.least:,} [" in str(under.to_finding())
        assert verdict(Range(limit.least - 1, limit.least)).verdict == "maybe"
    assert limit.fix
    assert limit.source


def test_what_is_not_counted_is_not_known():
    """And there is nothing to say of it."""
    (checked,) = (
        one for one in check_limits("dpo", "azure-rft", {}) if one.limit.most == 2 * 10**9
    )

    assert (checked.verdict, checked.to_finding()) == ("unknown", None)


def test_no_limit_is_there_twice():
    """For one method at one service, a code stands once for each thing it bounds."""
    for kind in KINDS:
        for target in TARGETS:
            held = [(one.limit.code, one.limit.what) for one in check_limits(kind, target, {})]
            assert len(held) == len(set(held))


@pytest.mark.parametrize(
    ("kind", "target", "what", "value", "message"),
    [
        (
            "supervised",
            "openai-rft",
            "training rows",
            exactly(9),
            "9 training rows, and the service takes at least 10 [D, OpenAI's supervised "
            "fine-tuning guide]. Add rows; 50 to 100 is where improvements are seen.",
        ),
        (
            "reinforcement",
            "openai-rft",
            "training rows",
            exactly(0),
            "0 training rows, and the service takes at least 1 [I, there is nothing to train on]. "
            "Add rows.",
        ),
        (
            "reinforcement",
            "openai-rft",
            "training rows",
            exactly(50_001),
            "50,001 training rows, and the service takes at most 50,000 [D, OpenAI's "
            "reinforcement fine-tuning guide]. Train on a part of the rows.",
        ),
        (
            "reinforcement",
            "azure-rft",
            "dollars for judges and training",
            Range(0, None),
            "an unknown number of dollars for judges and training, and the service takes at most "
            "5,000 [D, Azure's reinforcement fine-tuning page]. The job pauses there, with a "
            "checkpoint; plan to resume it, or to spend less.",
        ),
        (
            "reinforcement",
            "azure-rft",
            "dollars for judges and training",
            Range(12, None),
            "at least 12 dollars for judges and training, and the service takes at most 5,000 "
            "[D, Azure's reinforcement fine-tuning page]. The job pauses there, with a "
            "checkpoint; plan to resume it, or to spend less.",
        ),
    ],
)
def test_a_limit_is_said_with_its_value_and_source(kind, target, what, value, message):
    """Who wrote it, and how sure we are."""
    found = [one.to_finding() for one in check_limits(kind, target, {what: value})]

    assert [str(one) for one in found if one] == [message]


# --- choices

SCHEMA = {"name": "answer", "schema": {"type": "object"}, "strict": True}
READER = {**EXACT, "name": "reader", "input": "{{ sample.output_json.x }}"}
FORMAT = {"type": "json_schema", "json_schema": SCHEMA}


def said_of(job, target, model=None):
    """What is said of a job's choices, but for when its service ends."""
    found = check_choices(job, target, model)
    return lines(finding for finding in found if finding.code != "target-ends")


def test_when_a_service_ends_is_said():
    """As lint does."""
    assert lines(check_choices(job_of(method()), "openai-rft", None)) == [
        "note target-ends OpenAI's reinforcement fine-tuning takes new jobs until 2027-01-06. "
        "Plan for another."
    ]


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("openai-rft", method()),
        ("openai-rft", method(READER, response_format=FORMAT)),
        ("openai-rft", method(READER, response_format={"type": "json_object"})),
        ("openai-rft", method(READER, response_format={"type": "json_schema", **SCHEMA})),
        ("openai-rft", method(response_format={"type": "text"})),
        ("openai-rft", method({**JUDGE, "model": "o4-mini-2025-04-16"})),
        ("azure-rft", method({**JUDGE, "model": "gpt-4o-2024-08-06"})),
        ("azure-rft", method(REMOTE)),
        ("azure-rft", method(tools=[], max_episode_steps=3)),
        ("openai-rft", {"type": "supervised"}),
        ("openai-rft", {"grader": EXACT}),
    ],
)
def test_a_right_job_has_nothing_to_say(target, body):
    """Each service's own."""
    assert said_of(job_of(body), target) == []


NO_FORMAT = (
    "warning no-response-format reinforcement.response_format: is missing, and 'reader' reads "
    "sample.output_json, null for any other text. Give the schema of the answers: "
    '{"type": "json_schema", "json_schema": {...}}'
)


@pytest.mark.parametrize(
    ("target", "body", "message"),
    [
        (
            "openai-rft",
            method({**SIMILAR, "evaluation_metric": "cosine", "pass_threshold": 1}),
            "error target-metric reinforcement.grader.evaluation_metric: OpenAI's reinforcement "
            "fine-tuning has no cosine; only Evals have. Choose another metric, such as "
            "fuzzy_match.",
        ),
        (
            "openai-rft",
            method(multi(a=EXACT, b=REMOTE)),
            "error target-type reinforcement.grader.graders.b.type: OpenAI's reinforcement "
            "fine-tuning takes no endpoint inside a multi. It takes label_model, python, "
            "score_model, string_check, text_similarity.",
        ),
        (
            "openai-rft",
            method({**LABEL, "model": "o4-mini-2025-04-16"}),
            "warning target-type reinforcement.grader.type: OpenAI's reinforcement fine-tuning "
            "takes no label_model by itself, by its schema; its guide shows one. Put it into a "
            "multi.",
        ),
        (
            "azure-rft",
            method({**JUDGE, "model": "o3-mini"}),
            "warning target-judge reinforcement.grader.model: 'o3-mini' is no judge that Azure's "
            "reinforcement fine-tuning is known to take. Did you mean 'o3-mini-2025-01-31'?",
        ),
        ("openai-rft", method(READER), NO_FORMAT),
        (
            "openai-rft",
            {"model": "o4-mini-2025-04-16", "method": method(READER)},
            NO_FORMAT.replace("reinforcement.response", "method.reinforcement.response"),
        ),
        (
            "openai-rft",
            {"grader": READER},
            NO_FORMAT.replace("reinforcement.response", "response"),
        ),
        (
            "openai-rft",
            method(
                {**PYTHON, "source": "def grade(sample, item):\n    return sample['output_json']"}
            ),
            NO_FORMAT.replace("'reader'", repr(PYTHON["name"])),
        ),
        (
            "openai-rft",
            method(response_format={"type": "json"}),
            "error response-format reinforcement.response_format.type: 'json' is not one of text, "
            "json_object, json_schema",
        ),
        (
            "openai-rft",
            method(READER, response_format={"type": "json_schema", "json_schema": {"name": "n"}}),
            "error response-format reinforcement.response_format.json_schema.schema: has no "
            "schema, which is an object. Add it.",
        ),
        (
            "openai-rft",
            method(READER, response_format={"type": "json_schema", "schema": {}}),
            "error response-format reinforcement.response_format.name: is missing. Add it.",
        ),
        (
            "openai-rft",
            method(response_format=FORMAT),
            "note json-unread reinforcement.response_format: answers are JSON, and no grader "
            "reads sample.output_json",
        ),
        (
            "openai-rft",
            method(max_episode_steps=3),
            "warning not-here reinforcement.max_episode_steps: is known of Azure alone [D]",
        ),
    ],
)
def test_what_the_service_does_not_have_is_said(target, body, message):
    """With its path in the file, method, job or bare method."""
    assert said_of(job_of(body), target) == [message]


def test_a_base_model_that_is_not_trained_so_is_a_warning():
    """Services differ and models come, so it is no error; other methods train others."""
    said = (
        "warning base-model model: 'o4-mini' is no model that OpenAI trains so: "
        "o4-mini-2025-04-16 [D]. Did you mean 'o4-mini-2025-04-16'?"
    )

    assert said_of(job_of(method()), "openai-rft", "o4-mini") == [said]
    assert said_of(job_of(method()), "azure-rft", "o4-mini") == []
    assert said_of(job_of({"type": "dpo"}), "openai-rft", "gpt-4.1") == []


# --- settings that do nothing


@pytest.mark.parametrize(
    ("chosen", "counts", "messages"),
    [
        ({"batch_size": 10}, Counts(rows=10, tokens=9, validation_rows=1), []),
        (
            {"batch_size": 11},
            Counts(rows=10, tokens=9, validation_rows=1),
            ["warning batch-too-large h.batch_size: 11 is more than the 10 rows there are. An "
             "epoch is one step at most."],
        ),
        (
            {"batch_size": 1, "eval_interval": 20},
            Counts(rows=10, tokens=9, validation_rows=1),
            [],
        ),
        (
            {"batch_size": 1, "eval_interval": 21},
            Counts(rows=10, tokens=9, validation_rows=1),
            ["warning never-evaluated h.eval_interval: 21 is more than the steps there are, 20 "
             "at most. Lower it."],
        ),
        (
            {"batch_size": 1, "eval_samples": 3},
            Counts(rows=10, tokens=9),
            ["warning nothing-to-evaluate h.eval_samples: 3, and there are no validation rows "
             "to draw samples of. Give --validation ROWS."],
        ),
    ],
)  # fmt: skip
def test_a_setting_that_does_nothing_is_said(chosen, counts, messages):
    """In bounds, and still not meant."""
    auto = dict.fromkeys(("eval_interval", "eval_samples"), "auto")
    settings = settings_of("reinforcement", {**auto, "n_epochs": 2, **chosen}, {})
    taken = amounts("reinforcement", settings, counts).steps

    assert lines(check_settings(settings, taken, counts, "h")) == messages

"""Codes about a config's form: what loading it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graders.lint.codes.code import EXACT, Code, Example, exact, judge, label, multi

_TRAINED: Final[Mapping[str, object]] = {"type": "supervised", "supervised": {}}

_CODE: Final = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1.0"}

CODES: Final = (
    Code(
        name="not-json",
        severity="error",
        title="The file is not JSON, or has a key twice in one object.",
        bad=Example(config='{"type": "string_check",}'),
        good=exact(),
    ),
    Code(
        name="not-python",
        severity="error",
        title="A .py file is not text in the encoding that it declares.",
        here="It is about the bytes of a .py file.",
    ),
    Code(
        name="not-a-config",
        severity="error",
        title="The JSON is no object.",
        bad=Example(config=[dict(EXACT)]),
        good=exact(),
    ),
    Code(
        name="depth",
        severity="error",
        title="The config is nested more deeply than it can be read.",
        here="How deep that is depends on the Python.",
    ),
    Code(
        name="no-type",
        severity="error",
        title="Nothing says what kind of grader, method or block this is.",
        bad=exact(type=None),
        good=exact(),
    ),
    Code(
        name="unknown-type",
        severity="error",
        title="There is no grader, method or block of this type.",
        bad=exact(type="String-Check"),
        good=exact(),
        fixable=True,
    ),
    Code(
        name="missing",
        severity="error",
        title="A required field is missing.",
        bad=Example(
            config={
                **{k: v for k, v in EXACT.items() if k != "reference"},
                "refrence": "{{ item.answer }}",
            }
        ),
        good=exact(),
        fixable=True,
    ),
    Code(
        name="not-one-of",
        severity="error",
        title="A word that is not among those allowed, such as an operation of another tool.",
        bad=exact(operation="contains"),
        good=exact(operation="like"),
        fixable=True,
    ),
    Code(
        name="wrong-type",
        severity="error",
        title="A value is not of the kind that its field takes.",
        bad=exact(reference=42),
        good=exact(reference="{{ item.answer }}"),
    ),
    Code(
        name="out-of-bounds",
        severity="error",
        title="A number is outside its bounds.",
        bad=judge(sampling_params={"max_completions_tokens": 0}),
        good=judge(sampling_params={"max_completions_tokens": 1024}),
    ),
    Code(
        name="wrong-length",
        severity="error",
        title="A list or a text is too short or too long.",
        bad=judge(input=[]),
        good=judge(),
    ),
    Code(
        name="range",
        severity="error",
        title="A range does not rise.",
        bad=judge(range=[1, 0]),
        good=judge(range=[0, 1]),
    ),
    Code(
        name="passing-labels",
        severity="error",
        title="A passing label is not among the labels.",
        bad=label(passing_labels=["Good"]),
        good=label(),
        fixable=True,
    ),
    Code(
        name="hyperparameter",
        severity="error",
        title="A hyperparameter is neither auto nor a number within its bounds.",
        bad=Example(config={**_TRAINED, "supervised": {"hyperparameters": {"n_epochs": 51}}}),
        good=Example(config={**_TRAINED, "supervised": {"hyperparameters": {"n_epochs": 3}}}),
    ),
    Code(
        name="schema",
        severity="error",
        title="Something else about the form is wrong.",
        here="It is the rest, of which we know no case.",
    ),
    Code(
        name="unknown-key",
        severity="warning",
        title="A key that nothing reads: misspelt, or of another type of grader.",
        bad=judge(image_tag="2025-05-08"),
        good=judge(),
        at_key=True,
        fixable=True,
    ),
    Code(
        name="filled-name",
        severity="note",
        title="The grader has no name, and gets one.",
        bad=exact(name=None),
        good=exact(),
    ),
    Code(
        name="multi-form",
        severity="note",
        title="A multi's members are a list or a single grader, and the service uses a map.",
        bad=multi("exact", graders=[dict(EXACT)]),
        good=multi("a"),
    ),
    Code(
        name="same-name",
        severity="error",
        title="Two members in a list have one name, and the formula can only mean one.",
        bad=multi("exact", graders=[dict(EXACT), dict(EXACT)]),
        good=multi("exact", graders=[dict(EXACT), {**EXACT, "name": "other"}]),
    ),
    Code(
        name="no-threshold",
        severity="error",
        title="A criterion of an Evals body has nothing that says when it is passed.",
        bad=Example(
            config={
                "testing_criteria": [
                    {
                        "type": "python",
                        "name": "code",
                        "source": "def grade(sample, item):\n    return 1.0",
                    }
                ]
            }
        ),
        good=Example(
            config={
                "testing_criteria": [
                    {
                        "type": "python",
                        "name": "code",
                        "source": "def grade(sample, item):\n    return 1.0",
                        "pass_threshold": 0.5,
                    }
                ]
            }
        ),
    ),
    Code(
        name="threshold-out-of-range",
        severity="warning",
        title="A pass_threshold that no score reaches, or that every score does.",
        bad=judge(pass_threshold=50),
        good=judge(pass_threshold=0.5),
    ),
    Code(
        name="no-package",
        severity="error",
        title="A metric's setting needs a package that is not installed.",
        here="It depends on what is installed.",
    ),
)

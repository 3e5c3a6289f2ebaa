"""The JSON Schema that editors get: it takes what loading takes, and points at what it does not."""

import json
from importlib import import_module

import pytest
from sample_configs import EXACT, JUDGE, LABEL, PYTHON, SIMILAR

from graders.config.parse import parse_config
from graders.errors import ConfigError
from graders.lint.schema import config_schema
from graders.starter import CONFIGS, FILES

SCHEMA = config_schema()
MULTI = {"type": "multi", "name": "m", "graders": {"a": EXACT, "b": JUDGE}, "calculate_output": "a"}
NAMELESS = {key: value for key, value in EXACT.items() if key != "name"}
RIGHT = [
    *(EXACT, SIMILAR, PYTHON, JUDGE, LABEL, MULTI, NAMELESS),
    {**MULTI, "graders": [EXACT, JUDGE], "calculate_output": "exact"},
    {**MULTI, "graders": EXACT, "calculate_output": "exact"},
    {"type": "endpoint", "name": "far", "url": "https://example.com/g"},
    {**JUDGE, "range": None, "sampling_params": None, "pass_threshold": None},
    {**PYTHON, "image_tag": None, "mine": 1, "$schema": "./grader.schema.json"},
    {**JUDGE, "input": [{"role": "user", "content": ["a", {"type": "input_text", "text": "b"}]}]},
    {"grader": EXACT},
    {"type": "reinforcement", "reinforcement": {"grader": MULTI,
                                                "hyperparameters": {"n_epochs": "auto"}}},
    {"type": "supervised"},
    {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}},
    {"grader": EXACT, "model_sample": "x", "item": {}},
    {"testing_criteria": [EXACT, LABEL]},
    *(json.loads(FILES[name]) for name in CONFIGS if name.endswith(".json")),
]  # fmt: skip
WRONG = [
    {},
    {"type": "string-check"},
    {**EXACT, "operation": "neq"},
    {**EXACT, "input": 5},
    {key: value for key, value in EXACT.items() if key != "reference"},
    {**SIMILAR, "evaluation_metric": "rouge"},
    {**JUDGE, "range": [0]},
    {**JUDGE, "input": []},
    {**JUDGE, "sampling_params": {"max_completions_tokens": 0}},
    {**LABEL, "labels": []},
    {**MULTI, "graders": {}},
    {**MULTI, "graders": {"a": MULTI}},
    {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}},
    {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 0}}},
    {"testing_criteria": []},
]


def test_every_reference_leads_somewhere():
    """Nothing was lost when the five forms were put together."""
    text = json.dumps(SCHEMA)
    names = {part.partition('"')[0] for part in text.split("#/$defs/")[1:]}

    assert names <= SCHEMA["$defs"].keys()


@pytest.mark.parametrize(
    ("config", "field", "expected"),
    [
        ("StringCheckConfig", "operation", ["eq", "ne", "like", "ilike"]),
        ("InputImage", "detail", ["low", "high", "auto"]),
    ],
)
def test_an_editor_can_offer_what_is_allowed(config, field, expected):
    """Enumerations stand in it as such."""
    found = SCHEMA["$defs"][config]["properties"][field]
    choices = [found, *found.get("anyOf", [])]

    assert [choice["enum"] for choice in choices if "enum" in choice] == [expected]


def test_a_name_is_asked_for_nowhere_that_it_is_filled_in():
    """Every grader has one, and none must."""
    graders = [d for d in SCHEMA["$defs"].values() if {"type", "name"} <= d["properties"].keys()]

    assert len(graders) == 7
    assert all("name" not in grader["required"] for grader in graders)


@pytest.mark.parametrize("config", RIGHT)
def test_what_is_right_here_parses(config):
    """The examples below are what they say."""
    parse_config(config)


@pytest.mark.parametrize("config", WRONG)
def test_what_is_wrong_here_does_not(config):
    with pytest.raises(ConfigError):
        parse_config(config)


@pytest.mark.needs("jsonschema")
def test_the_schema_takes_what_loading_takes():
    """As an editor reads it."""
    validator = import_module("jsonschema").Draft202012Validator
    validator.check_schema(SCHEMA)
    checker = validator(SCHEMA)

    assert [config for config in RIGHT if not checker.is_valid(config)] == []
    assert [config for config in WRONG if checker.is_valid(config)] == []

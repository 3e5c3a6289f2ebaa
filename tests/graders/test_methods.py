"""Where graders stand: in methods with hyperparameters, requests, Evals bodies and multis."""

import re

import pytest
from sample_configs import EXACT, LABEL, PYTHON, SIMILAR

from graders.config.parse import parse_config
from graders.errors import ConfigError

WRONG = {**EXACT, "operation": "neq"}
NAMELESS = {key: value for key, value in EXACT.items() if key != "name"}
NEQ = "operation: 'neq' is not one of eq, ne, like, ilike. Did you mean 'ne'?"

BATCH = "an integer from 1 to 256"
EPOCHS = "an integer from 1 to 50"
COUNT = "an integer of at least 1"
RATE = "a number above 0"
BETA = "a number above 0 and at most 2"
COMPUTE = "a number above 1e-05 and at most 10"
HYPERPARAMETERS = [  # method, key, in bounds, out of bounds, what is allowed
    *(
        row
        for method in ("supervised", "dpo", "reinforcement")
        for row in [
            (method, "batch_size", [1, 256], [0, 257, -1, 1.0, "8", True], BATCH),
            (method, "n_epochs", [1, 50], [0, 51, 2.0, "3", True], EPOCHS),
            (
                method,
                "learning_rate_multiplier",
                [1, 0.1, 5e-324, 100.0],
                [0, 0.0, -0.1, "0.1", True, float("inf"), float("nan"), 10**400],
                RATE,
            ),
        ]
    ),
    ("dpo", "beta", [2, 2.0, 0.1], [0, 2.0001, -1, "0.1", True, float("nan")], BETA),
    (
        "reinforcement",
        "compute_multiplier",
        [0.000011, 1, 10],
        [0.00001, 10.01, 0, "1", True, float("inf")],
        COMPUTE,
    ),
    ("reinforcement", "eval_interval", [1, 10**6], [0, 2**63, 1.0, "1", True], COUNT),
    ("reinforcement", "eval_samples", [1, 2**63 - 1], [0, 10**400, 1.0, "1", True], COUNT),
]


def method(kind, hyperparameters=None, **more):
    """A method object as a fine-tuning job has it."""
    inside = {"grader": EXACT} if kind == "reinforcement" else {}
    if hyperparameters is not None:
        inside["hyperparameters"] = hyperparameters
    return {"type": kind, kind: {**inside, **more}}


def multi(graders, formula="1"):
    return {"type": "multi", "name": "both", "graders": graders, "calculate_output": formula}


def refusal(config):
    """Every problem of a config, as lines."""
    with pytest.raises(ConfigError) as caught:
        parse_config(config)
    return str(caught.value).split("\n")


# --- hyperparameters


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (kind, key, value)
        for kind, key, allowed, _, _ in HYPERPARAMETERS
        for value in ("auto", *allowed)
    ],
)
def test_a_hyperparameter_is_auto_or_within_its_bounds(kind, key, value):
    """The bounds are the documented ones, and the value stays as it was written."""
    document = parse_config(method(kind, {key: value}))
    read = getattr(getattr(document.value, kind).hyperparameters, key)

    assert (read, type(read)) == (value, type(value))
    assert document.findings == ()


@pytest.mark.parametrize(
    ("kind", "key", "value", "bounds"),
    [
        (kind, key, value, bounds)
        for kind, key, _, refused, bounds in HYPERPARAMETERS
        for value in ("Auto", *refused)
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_hyperparameter_out_of_bounds_is_refused(kind, key, value, bounds):
    """Just outside is outside, text is no number, and true is not 1."""
    path = f"{kind}.hyperparameters.{key}"

    assert refusal(method(kind, {key: value})) == [
        f"{path}: {repr(value)[:60]} is not 'auto' or {bounds}"
    ]


@pytest.mark.parametrize("effort", ["default", "low", "medium", "high"])
def test_reasoning_effort_of_a_job_has_words_of_its_own(effort):
    """They are not a judge's, and auto is not among them."""
    document = parse_config(method("reinforcement", {"reasoning_effort": effort}))

    assert document.value.reinforcement.hyperparameters.reasoning_effort == effort
    assert refusal(method("reinforcement", {"reasoning_effort": "auto"})) == [
        "reinforcement.hyperparameters.reasoning_effort: 'auto' is not one of default, low, "
        "medium, high"
    ]


@pytest.mark.parametrize("kind", ["supervised", "dpo", "reinforcement"])
@pytest.mark.parametrize("given", [None, {}])
def test_defaults_are_auto(kind, given):
    """What is not written is the service's to choose."""
    hyperparameters = getattr(parse_config(method(kind, given)).value, kind).hyperparameters
    keys = {key for method_, key, *_ in HYPERPARAMETERS if method_ == kind}
    extra = {"reasoning_effort": "default"} if kind == "reinforcement" else {}

    assert hyperparameters.model_dump() == dict.fromkeys(keys, "auto") | extra


def test_all_hyperparameters_are_checked_at_once():
    """And every message has its path."""
    lines = refusal(method("supervised", {"batch_size": 0, "n_epochs": 0}))

    assert lines == [
        f"supervised.hyperparameters.batch_size: 0 is not 'auto' or {BATCH}",
        f"supervised.hyperparameters.n_epochs: 0 is not 'auto' or {EPOCHS}",
    ]


# --- the four documents


@pytest.mark.parametrize(
    ("config", "kind", "path", "words"),
    [
        (EXACT, "grader", "", "a string_check grader named 'exact'"),
        (multi({"a": EXACT}), "grader", "", "a multi grader named 'both'"),
        ({"grader": EXACT, "model_sample": "x"}, "request", "grader",
         "a run request with a string_check grader named 'exact'"),
        ({"grader": EXACT, "model_sample": {"output_text": "x"}, "item": {}}, "request", "grader",
         "a run request with a string_check grader named 'exact'"),
        (method("reinforcement"), "method", "reinforcement.grader",
         "a reinforcement method with a string_check grader named 'exact'"),
        ({"grader": EXACT}, "method", "grader",
         "a reinforcement method with a string_check grader named 'exact'"),
        ({"grader": EXACT, "hyperparameters": {"n_epochs": 2}}, "method", "grader",
         "a reinforcement method with a string_check grader named 'exact'"),
        ({"testing_criteria": [EXACT, LABEL], "name": "e", "data_source_config": {"type": "x"},
          "metadata": None}, "eval", "", "an Evals body with 2 criteria"),
    ],
)  # fmt: skip
def test_a_document_says_what_it_is_and_where_its_grader_stands(config, kind, path, words):
    """Four kinds of JSON hold something to compile; the paths are those of the file."""
    document = parse_config(config)

    assert (document.kind, document.path, document.findings) == (kind, path, ())
    assert document.has_grader
    assert document.describe() == words
    assert document.grader.name in ("exact", "both", "e")


@pytest.mark.parametrize("kind", ["supervised", "dpo"])
@pytest.mark.parametrize("config", [method, lambda kind: {"type": kind}])
def test_a_method_without_a_grader_is_checked_and_has_nothing_to_compile(kind, config):
    """Its hyperparameters are all there is to it."""
    document = parse_config(config(kind))

    assert not document.has_grader
    assert document.describe() == f"a {kind} method"
    with pytest.raises(ConfigError, match=f"^type: a {kind} method has no grader$"):
        _ = document.grader


@pytest.mark.parametrize(
    ("config", "lines"),
    [
        ({"type": "reinforcement"}, ["reinforcement: is missing"]),
        ({"type": "reinforcement", "reinforcement": {}}, ["reinforcement.grader: is missing"]),
        (method("reinforcement", []), ["reinforcement.hyperparameters: [] is not an object"]),
        (method("reinforcement", max_episode_steps=0),
         ["reinforcement.max_episode_steps: 0 is not at least 1"]),
        (method("reinforcement", tools={}), ["reinforcement.tools: {} is not a list"]),
        (method("reinforcement", grader=WRONG), [f"reinforcement.grader.{NEQ}"]),
        (method("reinforcement", grader=multi([EXACT, {**WRONG, "name": "b"}])),
         [f"reinforcement.grader.graders[1].{NEQ}"]),
        ({"grader": WRONG}, [f"grader.{NEQ}"]),  # bare: the file has no `reinforcement`
        ({"grader": EXACT, "hyperparameters": {"n_epochs": 0}},
         [f"hyperparameters.n_epochs: 0 is not 'auto' or {EPOCHS}"]),
        ({"grader": WRONG, "model_sample": "x"}, [f"grader.{NEQ}"]),
        ({"grader": EXACT, "model_sample": 5}, ["model_sample: 5 is not a string or an object"]),
        ({"grader": EXACT, "model_sample": "x", "item": []}, ["item: [] is not an object"]),
        ({"testing_criteria": []}, ["testing_criteria: has 0 entries, and must have at least 1"]),
        ({"testing_criteria": None}, ["testing_criteria: None is not a list"]),
        ({"testing_criteria": [EXACT, WRONG]}, [f"testing_criteria[1].{NEQ}"]),
        ({"testing_criteria": [multi({"a": EXACT})]},
         ["testing_criteria[0].type: 'multi' is not one of string_check, text_similarity, python, "
          "score_model, label_model"]),
    ],
)  # fmt: skip
def test_problems_in_a_document_have_their_path_in_the_file(config, lines):
    """Whatever the form, the path leads from the top of what the user wrote."""
    assert refusal(config) == lines


def test_a_misspelt_method_gets_the_near_miss():
    """The words of methods are known here as well as those of graders."""
    (line,) = refusal({"type": "reinforcment", "reinforcement": {"grader": EXACT}})

    assert line.startswith("type: 'reinforcment' is not one of ")
    assert line.endswith("Did you mean 'reinforcement'?")


@pytest.mark.parametrize(
    ("config", "path", "hint"),
    [
        (method("supervised", {"n_epoch": 3}), "supervised.hyperparameters.n_epoch", "n_epochs"),
        (method("reinforcement", respons_format={}), "reinforcement.respons_format",
         "response_format"),
        ({"grader": EXACT, "hyperparamters": {}}, "hyperparamters", "hyperparameters"),
        ({"testing_criteria": [{**EXACT, "extra": 1}]}, "testing_criteria[0].extra", None),
        ({"grader": EXACT, "model_sample": "", "trace": 1}, "trace", None),
    ],
)  # fmt: skip
def test_unknown_keys_of_a_document_are_warnings(config, path, hint):
    """With the near miss, where there is one."""
    (finding,) = parse_config(config).findings

    assert (finding.severity, finding.path) == ("warning", path)
    assert finding.fix == (f"Did you mean {hint!r}?" if hint else "")


def test_what_azure_and_the_guides_add_to_reinforcement_is_known():
    """response_format, tools and max_episode_steps are read without a word."""
    more = {"response_format": {"type": "json_schema"}, "tools": [{}], "max_episode_steps": 3}

    assert parse_config(method("reinforcement", **more)).findings == ()


# --- the forms of multi.graders


@pytest.mark.parametrize(
    ("graders", "keys", "note"),
    [
        ({"a": EXACT, "b": SIMILAR}, ["a", "b"], None),
        ([EXACT, SIMILAR], ["exact", "similar"], "graders: a list, read as the map the service "
         "uses, keyed by name: exact, similar"),
        ((EXACT,), ["exact"], "graders: a list, read as the map the service uses, keyed by name: "
         "exact"),
        (EXACT, ["exact"], "graders: a single grader, read as the map the service uses, keyed by "
         "name: exact"),
        ({"b": EXACT, "a": EXACT}, ["b", "a"], None),  # one name twice, but two keys
        ({"name": EXACT, "python": PYTHON, "max": SIMILAR, "my key": EXACT, "": EXACT},
         ["name", "python", "max", "my key", ""], None),
        ({"type": EXACT}, ["type"], None),  # a member called type, not a grader of that type
        ({"type": EXACT, "name": SIMILAR}, ["type", "name"], None),
    ],
)  # fmt: skip
def test_every_form_of_graders_becomes_the_map(graders, keys, note):
    """Real jobs use a map, the schema a single grader, its example a list; all are read."""
    document = parse_config(multi(graders))

    assert list(document.value.graders) == keys
    assert [str(finding) for finding in document.findings] == ([note] if note else [])


def test_nameless_members_are_named_where_they_stand():
    """A filled name is a note with the path in the file's own form."""
    document = parse_config(multi([NAMELESS]))
    (name,) = document.value.graders

    assert re.fullmatch("grader-[0-9a-f]{12}", name)
    assert document.findings[0].path == "graders[0].name"
    assert document.value.graders[name].name == name


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"grader": EXACT, "item": {"a": 1}}, "model_sample: is missing"),
        (
            {"model": "m", "method": {"type": "dpo"}},
            "type: is missing, and says what this is. Of a whole job, give what stands under ",
        ),
        ({"type": ["string_check"]}, "type: a list is not one of string_check, text_similarity, "),
        ({"type": {}}, "type: {} is not one of string_check, "),
    ],
)
def test_what_was_meant_is_said(config, line):
    """A request without its sample, a whole job, and types that are no text."""
    with pytest.raises(ConfigError) as caught:
        parse_config(config)
    assert str(caught.value).startswith(line)

"""Grader configs: what may be written, what is tolerated and said, what is refused and how."""

import json
import re

import pytest
from sample_configs import EXACT, JUDGE, LABEL, PYTHON, SIMILAR

from graders.config.parse import parse_config
from graders.errors import ConfigError, findings_of

REMOTE = {"type": "endpoint", "name": "remote", "url": "https://grade.example/v1"}
MULTI = {"type": "multi", "name": "both", "graders": {"a": EXACT}, "calculate_output": "a"}

SAMPLING = {"seed": 7, "top_p": 0.5, "temperature": 0.0}
SAMPLING |= {"max_completions_tokens": 1, "reasoning_effort": "xhigh"}
TYPES = "string_check, text_similarity, python, score_model, label_model, endpoint"
BLOCKS = "input_text, output_text, input_image, input_audio"
METRICS = "cosine, fuzzy_match, bleu, gleu, meteor, rouge_1, rouge_2, rouge_3, rouge_4, rouge_5"
METRICS += ", rouge_l"
SECRET = "sk-secret"
IGNORED = "and is ignored (as on the hosted service)"


def without(config, *keys):
    return {key: value for key, value in config.items() if key not in keys}


def without_nulls(value):
    """Where null means the same as nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return list(map(without_nulls, value)) if isinstance(value, list) else value


def dumped(document):
    return without_nulls(json.loads(document.value.model_dump_json(exclude_unset=True)))


def saying(content):
    """A judge with one message."""
    return {**JUDGE, "input": [{"role": "user", "content": content}]}


def multi(graders, formula="1"):
    return {**MULTI, "graders": graders, "calculate_output": formula}


def refusal(config):
    """Every error of a config, as lines."""
    with pytest.raises(ConfigError) as caught:
        parse_config(config)
    return [str(finding) for finding in findings_of("error", caught.value.findings)]


# --- what may be written


@pytest.mark.parametrize(
    "config",
    [
        EXACT,
        *({**EXACT, "operation": operation} for operation in ("ne", "like", "ilike")),
        *({**SIMILAR, "evaluation_metric": metric} for metric in METRICS.split(", ")),
        {**SIMILAR, "pass_threshold": 0.8},
        PYTHON,
        {**PYTHON, "image_tag": "2025-05-08", "pass_threshold": 0.5},
        JUDGE,
        {**JUDGE, "range": [1.0, 5.0], "sampling_params": SAMPLING, "pass_threshold": 3.0},
        {**JUDGE, "range": [-1.0, 100.0], "sampling_params": {}},
        {**JUDGE, "sampling_params": dict.fromkeys(SAMPLING)},
        LABEL,
        {**LABEL, "sampling_params": SAMPLING},
        REMOTE,
        {**REMOTE, "headers": {"Authorization": "x"}, "rate_limit": 2.5, "pass_threshold": 0.5},
        MULTI,
        {**MULTI, "pass_threshold": 0.5},
        multi({"a": EXACT, "b": SIMILAR, "c": PYTHON, "d": JUDGE, "e": LABEL, "f": REMOTE}),
    ],
)
def test_every_type_in_its_least_and_fullest_form(config):
    """What the service accepts is read without a word, and stays what was written."""
    document = parse_config(config)

    assert document.findings == ()
    assert (document.kind, document.path) == ("grader", "")
    assert dumped(document) == without_nulls(config)


def test_defaults_are_the_services():
    """What is not written has the hosted default."""
    judge = parse_config(JUDGE).value
    image = parse_config(saying({"type": "input_image", "image_url": "u"})).value.input[0].content

    assert judge.range == (0.0, 1.0)
    assert judge.sampling_params is None
    assert judge.input[0].type == "message"
    assert image.detail == "auto"
    assert parse_config(SIMILAR).value.pass_threshold is None
    assert parse_config(PYTHON).value.image_tag is None
    assert parse_config(REMOTE).value.headers == {}


@pytest.mark.parametrize(
    "content",
    [
        "text",
        "",
        {"type": "input_text", "text": "t"},
        {"type": "output_text", "text": "t"},
        {"type": "input_image", "image_url": "https://x/{{ item.id }}.png"},
        *(
            {"type": "input_image", "image_url": "data:image/png;base64,", "detail": detail}
            for detail in ("low", "high", "auto")
        ),
        {"type": "input_image", "image_url": "u", "detail": "high", "file_id": None},
        {"type": "input_audio", "input_audio": {"data": "{{ item.clip }}", "format": "mp3"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        ["one", "two"],
        ["one", {"type": "input_text", "text": "t"}, {"type": "output_text", "text": "t"}],
        [{"type": "input_image", "image_url": "u"}],
    ],
)
@pytest.mark.parametrize("role", ["user", "assistant", "system", "developer"])
def test_every_form_of_content(content, role):
    """A string, a block, or an array of either; one object instead of an array is real."""
    message = {"role": role, "content": content, "type": "message"}
    document = parse_config({**JUDGE, "input": [message]})

    assert document.findings == ()
    assert dumped(document)["input"] == [without_nulls(message)]


@pytest.mark.parametrize(
    ("config", "nothing"),
    [
        ({**JUDGE, "range": None}, lambda config: config.range == (0.0, 1.0)),
        (saying({"type": "input_image", "image_url": "u", "detail": None}),
         lambda config: config.input[0].content.detail in ("auto", None)),
        ({**JUDGE, "input": [{"role": "user", "content": "x", "type": None}]},
         lambda config: config.input[0].type in ("message", None)),
        ({**EXACT, "name": None}, lambda config: config.name.startswith("grader-")),
        ({**PYTHON, "image_tag": None}, lambda config: config.image_tag is None),
    ],
)  # fmt: skip
def test_null_is_nothing_where_the_sdk_has_an_optional_field(config, nothing):
    """A config that went through the SDK carries nulls for what was never set."""
    assert nothing(parse_config(config).value)


# --- what is refused


@pytest.mark.parametrize(
    ("config", "message"),
    [
        # operations that users try
        ({**EXACT, "operation": "neq"}, "operation: 'neq' is not one of eq, ne, like, ilike. "
         "Did you mean 'ne'?"),
        ({**EXACT, "operation": "contains"}, "operation: 'contains' is not one of eq, ne, like, "
         "ilike. Did you mean 'like'?"),
        ({**EXACT, "operation": "starts_with"}, "operation: 'starts_with' is not one of eq, ne, "
         "like, ilike. No operation does that; a python grader can."),
        ({**EXACT, "operation": None}, "operation: None is not one of eq, ne, like, ilike"),
        ({**EXACT, "operation": "x" * 300}, f"operation: '{'x' * 55} ... is not one of eq, ne, "
         "like, ilike"),
        ({**SIMILAR, "evaluation_metric": "rougel"}, "evaluation_metric: 'rougel' is not one of "
         f"{METRICS}. Did you mean 'rouge_l'?"),
        ({**EXACT, "input": 5}, "input: 5 is not a string"),
        ({**EXACT, "name": ""}, "name: is empty"),
        ({**EXACT, "name": 5}, "name: 5 is not a string"),
        (without(EXACT, "reference"), "reference: is missing"),
        ({**without(EXACT, "reference"), "refrence": "x"}, "reference: is missing. Did you mean "
         "'reference' where it says 'refrence'?"),
        (without(LABEL, "labels"), "labels: is missing"),  # passing_labels is no misspelt labels
        # types
        ({}, 'type: is missing, and says what this is. Add "type".'),
        ({**EXACT, "type": "string_chek"}, f"type: 'string_chek' is not one of {TYPES}, multi. "
         "Did you mean 'string_check'?"),
        ({**EXACT, "type": 5}, f"type: 5 is not one of {TYPES}, multi"),
        ([EXACT], "a config is a JSON object, and this is a list"),
        ("exact", "a config is a JSON object, and this is a str"),
        # numbers
        ({**SIMILAR, "pass_threshold": "0.5"}, "pass_threshold: '0.5' is not a number"),
        ({**SIMILAR, "pass_threshold": True}, "pass_threshold: True is not a number"),
        ({**SIMILAR, "pass_threshold": float("nan")}, "pass_threshold: nan is not a finite number"),
        # range
        ({**JUDGE, "range": [5, 1]}, "range: [5.0, 1.0] does not rise: the first number must be "
         "below the second"),
        ({**JUDGE, "range": [1, 1]}, "range: [1.0, 1.0] does not rise: the first number must be "
         "below the second"),
        ({**JUDGE, "range": [1]}, "range[1]: is missing"),
        ({**JUDGE, "range": [1, 2, 3]}, "range: has 3 entries, and must have at most 2"),
        ({**JUDGE, "range": ["0", 1]}, "range[0]: '0' is not a number"),
        ({**JUDGE, "range": [0, float("inf")]}, "range[1]: inf is not a finite number"),
        ({**JUDGE, "range": {"min": 0}}, "range: {'min': 0} is not a list"),
        # sampling_params
        ({**JUDGE, "sampling_params": []}, "sampling_params: [] is not an object"),
        ({**JUDGE, "sampling_params": {"seed": 1.5}}, "sampling_params.seed: 1.5 is not an "
         "integer"),
        ({**JUDGE, "sampling_params": {"temperature": True}}, "sampling_params.temperature: True "
         "is not a number"),
        ({**JUDGE, "sampling_params": {"max_completions_tokens": 0}},
         "sampling_params.max_completions_tokens: 0 is not at least 1"),
        ({**JUDGE, "sampling_params": {"reasoning_effort": "lo"}},
         "sampling_params.reasoning_effort: 'lo' is not one of none, minimal, low, medium, high, "
         "xhigh, max. Did you mean 'low'?"),
        # labels
        ({**LABEL, "passing_labels": ["fine"]}, "passing_labels: 'fine' is not among labels "
         "('good', 'bad')"),
        ({**LABEL, "passing_labels": []}, "passing_labels: has 0 entries, and must have at least "
         "1"),
        ({**LABEL, "labels": [1, "good"]}, "labels[0]: 1 is not a string"),
        # messages and blocks
        ({**JUDGE, "model": ""}, "model: is empty"),
        ({**JUDGE, "input": []}, "input: has 0 entries, and must have at least 1"),
        ({**JUDGE, "input": "Rate."}, "input: 'Rate.' is not a list"),
        ({**JUDGE, "input": ["Rate."]}, "input[0]: 'Rate.' is not an object"),
        ({**JUDGE, "input": [{"role": "usr", "content": "x"}]}, "input[0].role: 'usr' is not one "
         "of user, assistant, system, developer. Did you mean 'user'?"),
        ({**JUDGE, "input": [{"content": "x"}]}, "input[0].role: is missing"),
        ({**JUDGE, "input": [{"role": "user", "content": "x", "type": "msg"}]}, "input[0].type: "
         "'msg' is not one of message. Did you mean 'message'?"),
        (saying([]), "input[0].content: has 0 entries, and must have at least 1"),
        (saying({}), 'input[0].content.type: is missing, and says what this is. Add "type".'),
        (saying(5), "input[0].content: 5 is not an object with a type"),
        (saying(["x", 5]), "input[0].content[1]: 5 is not an object with a type"),
        # the chat API's words for blocks, the likeliest mistake of all
        (saying({"type": "text", "text": "x"}), f"input[0].content.type: 'text' is not one of "
         f"{BLOCKS}"),
        (saying([{"type": "text", "text": "x"}]), f"input[0].content[0].type: 'text' is not one "
         f"of {BLOCKS}"),
        (saying({"type": "array"}), f"input[0].content.type: 'array' is not one of {BLOCKS}"),
        (saying({"type": "image_url"}), f"input[0].content.type: 'image_url' is not one of "
         f"{BLOCKS}"),
        (saying({"type": "input_text", "text": 5}), "input[0].content.text: 5 is not a string"),
        (saying([{"type": "input_image", "image_url": "u", "detail": "hi"}]),
         "input[0].content[0].detail: 'hi' is not one of low, high, auto. Did you mean 'high'?"),
        (saying([{"type": "input_image", "image_url": "u", "file_id": "f"}]),
         "input[0].content[0].file_id: 'f' is not null"),
        (saying({"type": "input_audio", "input_audio": {"data": "", "format": "ogg"}}),
         "input[0].content.input_audio.format: 'ogg' is not one of mp3, wav"),
        # endpoints
        (
            {**REMOTE, "url": "ftp://me:pw@x/?key=k"},
            "url: 'ftp://***@x/?***' is not an http:// or https:// address",
        ),
        ({**REMOTE, "url": "ftp://x"}, "url: 'ftp://x' is not an http:// or https:// address"),
        ({**REMOTE, "rate_limit": 0}, "rate_limit: 0 is not above 0"),
        # multi
        (without(MULTI, "calculate_output"), "calculate_output: is missing"),
        ({**MULTI, "calculate_output": 5}, "calculate_output: 5 is not a string"),
        ({**without(MULTI, "graders"), "grader": {"a": EXACT}}, "graders: is missing. Did you "
         "mean 'graders' where it says 'grader'?"),
        (multi({}), "graders: has 0 entries, and must have at least 1"),
        (multi([]), "graders: has 0 entries, and must have at least 1"),
        (multi(None), "graders: None is not an object"),
        (multi({"a": 5}), "graders.a: 5 is not an object with a type"),
        (multi({"a": MULTI}), f"graders.a.type: 'multi' is not one of {TYPES}"),
        (multi([5]), "graders[0]: 5 is not an object with a type"),
        (multi([EXACT, {**EXACT, "name": "b", "operation": "neq"}]), "graders[1].operation: 'neq' "
         "is not one of eq, ne, like, ilike. Did you mean 'ne'?"),
        (multi({**EXACT, "input": 5}), "graders.input: 5 is not a string"),
        (multi({"my key": {**EXACT, "input": 5}}), 'graders["my key"].input: 5 is not a string'),
        (multi({'a"b': {**EXACT, "input": 5}}), r'graders["a\"b"].input: 5 is not a string'),
        (multi({"é": {**EXACT, "input": 5}}), 'graders["é"].input: 5 is not a string'),
        (multi([EXACT, EXACT]), "graders[1]: a second member is called 'exact', and the formula "
         "can only mean one. Write graders as a map, with a key for each."),
    ],
)  # fmt: skip
def test_a_wrong_config_is_refused_with_path_value_and_what_is_allowed(config, message):
    """One line that says where, what is there, what may be there, and the near miss."""
    assert refusal(config) == [message]


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        ({**EXACT, "input": 1, "reference": None, "operation": "x", "name": ""},
         ["name", "input", "reference", "operation"]),
        ({**JUDGE, "range": [5, 1], "model": ""}, ["model", "range"]),
        ({**LABEL, "passing_labels": ["fine"], "model": ""}, ["model", "passing_labels"]),
        (multi([EXACT, EXACT, 5, {**EXACT, "name": "c", "input": 3}], 7),
         ["graders[1]", "graders[2]", "graders[3].input", "calculate_output"]),
        (multi({"a": {**JUDGE, "range": [2, 1]}, "b": {**EXACT, "input": 5}}),
         ["graders.a.range", "graders.b.input"]),
        ({**JUDGE, "sampling_params": {"seed": "1", "top_p": "2", "temperature": "3"}},
         ["sampling_params.seed", "sampling_params.top_p", "sampling_params.temperature"]),
    ],
)  # fmt: skip
def test_all_problems_are_reported_at_once(config, paths):
    """One round of corrections is enough."""
    with pytest.raises(ConfigError) as caught:
        parse_config(config)

    assert sorted(finding.path for finding in caught.value.findings) == sorted(paths)
    assert {finding.severity for finding in caught.value.findings} == {"error"}


@pytest.mark.parametrize(
    ("count", "first", "told"),
    [
        (10_000, "labels[0]: 1 is not a string", 1_000),
        (10_001, "has 10,001 errors, which are too many to say where they are. Give a part of it; "
         "of up to 10,000 the first 1,000 are told.", 1),
    ],
)  # fmt: skip
def test_of_very_many_problems_not_all_are_told(count, first, told):
    """Nobody reads them, and pydantic holds up all other threads while it lists them."""
    lines = refusal({**LABEL, "labels": [1] * (count - 1)})  # then it is too short, too

    assert (lines[0], len(lines)) == (first, told)


@pytest.mark.parametrize(
    "config",
    [
        {**REMOTE, "headers": {"Authorization": [SECRET]}},
        *({**REMOTE, "headers": headers} for headers in (SECRET, [SECRET])),
        {**REMOTE, "url": "x", "headers": {"Authorization": SECRET}},
        {**REMOTE, "type": "endpont", "headers": {"Authorization": SECRET}},
        {**REMOTE, "name": {"headers": {"Authorization": SECRET}}},
        multi({"a": [{"headers": {"Authorization": SECRET}}]}),
        multi([[{"headers": {"Authorization": SECRET}}]]),
        {"grader": [{"headers": {"Authorization": SECRET}}], "model_sample": ""},
        {"testing_criteria": {"headers": {"Authorization": SECRET}}},
    ],
)
def test_credentials_are_never_echoed(config):
    """Header values stay out of messages, wherever in a broken config they stand."""
    assert SECRET not in "\n".join(refusal(config))


def test_credentials_are_not_printed_with_the_config():
    """A traceback or a log that shows the config does not show them."""
    assert SECRET not in repr(parse_config({**REMOTE, "headers": {"A": SECRET}}))


# --- what is tolerated, and said


@pytest.mark.parametrize(
    ("config", "path", "message"),
    [
        ({**SIMILAR, "pass_treshold": 1}, "pass_treshold", f"'pass_treshold' is not a field that "
         f"a text_similarity reads, {IGNORED}. Did you mean 'pass_threshold'?"),
        ({**EXACT, "pass_threshold": 1}, "pass_threshold", f"'pass_threshold' is not a field that "
         f"a string_check reads, {IGNORED}"),
        ({**EXACT, "refrence": 1}, "refrence", f"'refrence' is not a field that a string_check "
         f"reads, {IGNORED}"),  # reference is there, so this was not meant
        ({**PYTHON, "input": "x"}, "input", f"'input' is not a field that a python reads, "
         f"{IGNORED}"),
        ({**JUDGE, "image_tag": "x"}, "image_tag", f"'image_tag' is not a field that a "
         f"score_model reads, {IGNORED}"),
        ({**JUDGE, "sampling_params": {"max_tokens": 5}}, "sampling_params.max_tokens",
         f"'max_tokens' is not a field that is read here, {IGNORED}. Did you mean "
         "'max_completions_tokens'?"),
        (multi([{**EXACT, "extra": 1}]), "graders[0].extra", f"'extra' is not a field that a "
         f"string_check reads, {IGNORED}"),
        (multi({"my key": {**EXACT, "extra": 1}}), 'graders["my key"].extra', f"'extra' is not a "
         f"field that a string_check reads, {IGNORED}"),
        (saying({"type": "input_text", "text": "x", "txt": 1}), "input[0].content.txt",
         f"'txt' is not a field that a input_text reads, {IGNORED}"),
        ({**EXACT, "templates": 1}, "templates", f"'templates' is not a field that a string_check "
         f"reads, {IGNORED}"),  # a name of one of our own methods
    ],
)  # fmt: skip
def test_an_unknown_key_is_a_warning(config, path, message):
    """The service tolerates it, so it does not stop; it is worth saying all the same."""
    (finding,) = [f for f in parse_config(config).findings if f.code != "multi-form"]

    assert (finding.severity, finding.code, finding.path) == ("warning", "unknown-key", path)
    shown = str(finding).removeprefix(f"{path}: ")
    assert re.sub(r"that an (\w+) reads", r"that a \1 reads", shown) == message


def test_a_missing_name_is_filled_in_the_same_on_every_run():
    """`grader-` and 12 characters of the config's hash, as the service draws them."""
    document = parse_config(without(EXACT, "name"))
    (note,) = document.findings

    assert re.fullmatch("grader-[0-9a-f]{12}", document.value.name)
    assert str(note) == f"name: there is no name; it is called {document.value.name}"
    assert note.severity == "note"
    assert parse_config({**EXACT, "name": None}).value.name == document.value.name
    assert parse_config(dict(reversed(without(EXACT, "name").items()))).value == document.value
    other = parse_config(without({**EXACT, "input": "x"}, "name"))
    assert other.value.name != document.value.name


@pytest.mark.parametrize("odd", [{"seen": float("nan"), "text": "\ud800"}, {"seen": {1: 2}}])
def test_a_name_is_filled_in_whatever_else_a_dict_holds(odd):
    """An unknown key made in Python may hold what JSON cannot, and is ignored like any other."""
    document = parse_config({**without(EXACT, "name"), **odd})

    assert re.fullmatch("grader-[0-9a-f]{12}", document.value.name)

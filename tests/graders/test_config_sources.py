"""What a config may come as: a file, a dict, an SDK object, one of ours."""

import json
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import openai.types.graders as sdk
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import EvalCreateResponse, fine_tuning
from openai.types.fine_tuning.fine_tuning_job import Method
from sample_configs import EXACT, JUDGE, LABEL, PYTHON, SIMILAR

from graders.config.parse import load_config, parse_config, read_config
from graders.errors import ConfigError

REQUEST = {"grader": EXACT, "model_sample": "x"}
JOB = fine_tuning.ReinforcementHyperparameters(n_epochs=3, batch_size=None)


def multi(graders):
    return {"type": "multi", "name": "both", "graders": graders, "calculate_output": "1"}


def refusal(path):
    """Every problem of a file, as lines."""
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return str(caught.value).split("\n")


# --- files


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b'{"type": "string_check" 1}', "1:25", "Expecting ',' delimiter"),
        (b'{\n  "type": NaN}', "2:11", "NaN is not a JSON number"),
        (b'{"a": {},\n "b": "\xff"}', "2:8", "byte 0xff is not UTF-8"),
        (b"", "1:1", "Expecting value"),
        (b"\xff\xfe{\x00}\x00", "1:1", "byte 0xff is not UTF-8"),
        (b"[" * 100_000, "1:1", "nested too deeply"),
    ],
)
def test_a_file_that_is_not_json_is_refused_with_file_line_and_column(
    tmp_path, data, place, problem
):
    """In the form that editors and terminals can follow."""
    path = tmp_path / "g.json"
    path.write_bytes(data)

    (line,) = refusal(path)
    assert line.startswith(f"{path}:{place}: not JSON: {problem}")


def test_a_member_key_that_stands_twice_is_refused(tmp_path):
    """One of the two members would silently not count."""
    path = tmp_path / "g.json"
    path.write_text(json.dumps(multi({"a": EXACT})).replace('"a": {', '"a": {}, "a": {'), "utf-8")

    (line,) = refusal(path)
    assert "the key 'a' stands twice in one object, and only one can count" in line


@pytest.mark.parametrize("form", [str, Path])
def test_a_path_is_read_with_or_without_a_byte_order_mark(tmp_path, form):
    """Windows editors write one."""
    path = tmp_path / "g.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(EXACT).encode())

    assert read_config(form(path)).value == parse_config(EXACT).value


def test_an_absent_file_is_the_systems_error(tmp_path):
    """It is not a wrong config, and the system names it best."""
    with pytest.raises(FileNotFoundError, match=r"absent\.json"):
        read_config(tmp_path / "absent.json")


# --- what a config may be in Python


@pytest.mark.parametrize(
    ("made", "plain"),
    [
        (sdk.StringCheckGrader(**EXACT), EXACT),
        (sdk.TextSimilarityGrader(**SIMILAR), SIMILAR),
        (sdk.PythonGrader(**PYTHON), PYTHON),
        (sdk.LabelModelGrader(**LABEL), LABEL),
        (sdk.ScoreModelGrader(**JUDGE), JUDGE),
        (sdk.ScoreModelGrader(**JUDGE, range=[1, 5], sampling_params={"temperature": 0.5}),
         {**JUDGE, "range": [1, 5], "sampling_params": {"temperature": 0.5}}),
        (sdk.ScoreModelGrader(**JUDGE, range=None, sampling_params=None), JUDGE),
        (sdk.TextSimilarityGrader.model_construct(**SIMILAR, pass_threshold=0.5),
         {**SIMILAR, "pass_threshold": 0.5}),
        (sdk.MultiGrader(**multi(EXACT)), multi({"exact": EXACT})),
        (sdk.MultiGrader.model_construct(**multi({"a": EXACT})), multi({"a": EXACT})),
        (sdk.MultiGrader.model_construct(**multi({"a": sdk.StringCheckGrader(**EXACT)})),
         multi({"a": EXACT})),
        (sdk.MultiGrader.model_construct(**multi([sdk.StringCheckGrader(**EXACT),
                                                  sdk.TextSimilarityGrader(**SIMILAR)])),
         multi({"exact": EXACT, "similar": SIMILAR})),
        (multi({"a": sdk.StringCheckGrader(**EXACT)}), multi({"a": EXACT})),
        (multi([sdk.PythonGrader(**PYTHON), EXACT]), multi({"code": PYTHON, "exact": EXACT})),
        ({**REQUEST, "grader": sdk.StringCheckGrader(**EXACT)}, REQUEST),
        ({"testing_criteria": [sdk.StringCheckGrader(**EXACT), LABEL]},
         {"testing_criteria": [EXACT, LABEL]}),
        (fine_tuning.ReinforcementMethod(grader=sdk.PythonGrader(**PYTHON)), {"grader": PYTHON}),
        (fine_tuning.ReinforcementMethod(grader=sdk.PythonGrader(**PYTHON), hyperparameters=JOB),
         {"grader": PYTHON, "hyperparameters": {"n_epochs": 3}}),
        (fine_tuning.ReinforcementMethod(grader=sdk.PythonGrader(**PYTHON), hyperparameters=None),
         {"grader": PYTHON}),
        (Method(type="dpo", dpo={"hyperparameters": {"beta": 0.1}}),
         {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}}),
        (Method(type="dpo", dpo={"hyperparameters": None}), {"type": "dpo", "dpo": {}}),
        (Method(type="supervised", supervised=None), {"type": "supervised"}),
        (MappingProxyType(EXACT), EXACT),
        *((parse_config(config).value, config) for config in (
            EXACT, multi({"a": EXACT}), {**JUDGE, "range": [1, 5]}, REQUEST,
            {"type": "dpo", "dpo": {"hyperparameters": {"beta": 2}}}, {"testing_criteria": [EXACT]},
        )),
        (multi({"a": parse_config(EXACT).value}), multi({"a": EXACT})),
    ],
)  # fmt: skip
def test_objects_are_read_as_the_json_they_stand_for(made, plain):
    """The SDK's objects, ours and mappings, also inside each other, also built unchecked."""
    document = read_config(made)

    assert document.value == parse_config(plain).value
    assert {finding.code for finding in document.findings} <= {"multi-form"}


@pytest.mark.parametrize(
    ("value", "kind"), [(5, "int"), (b"{}", "bytes"), ([EXACT], "list"), (None, "NoneType")]
)
def test_what_is_no_object_is_no_config(value, kind):
    """The message says what it is instead."""
    with pytest.raises(ConfigError, match=f"^a config is a JSON object, and this is a.? {kind}$"):
        read_config(value)


def test_an_eval_that_the_service_returned_is_read():
    """Its own ids and dates are nothing to grade with, and are warnings at most."""
    made = EvalCreateResponse.model_construct(
        id="eval_1",
        object="eval",
        created_at=1,
        name="mine",
        metadata={},
        data_source_config={"type": "custom", "schema": {}},
        testing_criteria=[{**EXACT, "id": "exact-1"}, {**SIMILAR, "pass_threshold": 0.5}, LABEL],
    )
    document = read_config(made)

    assert [criterion.name for criterion in document.grader.testing_criteria] == [
        *("exact", "similar", "judge")
    ]
    assert {finding.severity for finding in document.findings} == {"warning"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "grader", "graders", "input", "name", "testing_criteria"]),
            inner | st.sampled_from(["multi", "python", "dpo", "score_model"]),
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_any_json_is_a_config_or_refused(value):
    """Whatever stands where, the answer is a document or a ConfigError."""
    with suppress(ConfigError):
        parse_config(value)


def test_a_config_that_is_nested_absurdly_is_refused():
    """Not a traceback, whichever part of Python meets its limit first."""
    deep = {}
    for _ in range(900):
        deep = {"a": deep}
    for config in ({**EXACT, "more": deep}, {**JUDGE, "input": [deep]}):
        with suppress(ConfigError):
            parse_config(config)


def test_what_is_wrong_with_the_form_hides_nothing_else():
    """Templates, formulas and unknown keys are reported beside it, each at its place."""
    member = {**EXACT, "operation": "neq", "input": "{{ item.a", "refrence": "x"}
    config = {"type": "multi", "name": "m", "calculate_output": "a +", "graders": {"a": member}}

    with pytest.raises(ConfigError) as caught:
        parse_config({"grader": config, "hyperparameters": {}})
    assert [(finding.severity, finding.path) for finding in caught.value.findings] == [
        ("error", "grader.graders.a.operation"),
        ("error", "grader.calculate_output"),
        ("error", "grader.graders.a.input"),
        ("warning", "grader.graders.a.refrence"),
    ]


def test_a_key_that_stands_twice_has_no_made_up_place(tmp_path):
    """It is JSON, and where the second one is, the reader does not say."""
    path = tmp_path / "g.json"
    path.write_text('{"type": "python",\n"type": "multi"}')

    assert refusal(path) == [
        f"{path}: the key 'type' stands twice in one object, and only one can count"
    ]

"""Our configs and answers have the field names and the words of the installed SDK.

Where they differ on purpose, a table says so; a row of it that no longer holds fails as well. What
the server answers is held to the SDK in `test_sdk_answers`.
"""

import re
from pathlib import Path
from typing import Required, get_args, get_origin, get_type_hints

import openai.types.graders as sdk
import pytest
from openai.types import eval_create_params, eval_create_response
from openai.types import fine_tuning as jobs
from openai.types.fine_tuning import alpha, job_create_params
from openai.types.fine_tuning.alpha import grader_run_response
from openai.types.graders import score_model_grader, score_model_grader_param
from openai.types.responses import ResponseInputText, ResponseInputTextParam
from openai.types.responses import response_input_audio as audio
from openai.types.responses import response_input_audio_param as audio_param
from pydantic import BaseModel
from typing_extensions import is_typeddict  # knows its own TypedDict, which the SDK uses

from graders import hosted
from graders.config import content, graders, methods
from graders.jobs.body import BODY_KEYS

PAIRS = [  # what a client sends, what it reads back, ours
    (sdk.StringCheckGraderParam, sdk.StringCheckGrader, graders.StringCheckConfig),
    (sdk.TextSimilarityGraderParam, sdk.TextSimilarityGrader, graders.TextSimilarityConfig),
    (eval_create_params.TestingCriterionTextSimilarity,
     eval_create_response.TestingCriterionEvalGraderTextSimilarity, graders.TextSimilarityConfig),
    (sdk.PythonGraderParam, sdk.PythonGrader, graders.PythonConfig),
    (eval_create_params.TestingCriterionPython,
     eval_create_response.TestingCriterionEvalGraderPython, graders.PythonConfig),
    (sdk.ScoreModelGraderParam, sdk.ScoreModelGrader, graders.ScoreModelConfig),
    (eval_create_params.TestingCriterionScoreModel,
     eval_create_response.TestingCriterionEvalGraderScoreModel, graders.ScoreModelConfig),
    (sdk.LabelModelGraderParam, sdk.LabelModelGrader, graders.LabelModelConfig),
    (eval_create_params.TestingCriterionLabelModel, sdk.LabelModelGrader,
     graders.LabelModelConfig),
    (sdk.MultiGraderParam, sdk.MultiGrader, graders.MultiConfig),
    (score_model_grader_param.SamplingParams, score_model_grader.SamplingParams,
     graders.SamplingParams),
    (score_model_grader_param.Input, score_model_grader.Input, content.Message),
    (ResponseInputTextParam, ResponseInputText, content.InputText),
    (score_model_grader_param.InputContentOutputText, score_model_grader.InputContentOutputText,
     content.OutputText),
    (score_model_grader_param.InputContentInputImage, score_model_grader.InputContentInputImage,
     content.InputImage),
    (audio_param.ResponseInputAudioParam, audio.ResponseInputAudio, content.InputAudio),
    (audio_param.InputAudio, audio.InputAudio, content.AudioData),
    (alpha.GraderRunParams, None, graders.RunRequest),
    (eval_create_params.EvalCreateParams, None, graders.EvalConfig),
    (jobs.SupervisedHyperparametersParam, jobs.SupervisedHyperparameters,
     methods.SupervisedHyperparameters),
    (jobs.DpoHyperparametersParam, jobs.DpoHyperparameters, methods.DPOHyperparameters),
    (jobs.ReinforcementHyperparametersParam, jobs.ReinforcementHyperparameters,
     methods.ReinforcementHyperparameters),
    (jobs.SupervisedMethodParam, jobs.SupervisedMethod, methods.SupervisedMethod),
    (jobs.DpoMethodParam, jobs.DpoMethod, methods.DPOMethod),
    (jobs.ReinforcementMethodParam, jobs.ReinforcementMethod, methods.ReinforcementMethod),
]  # fmt: skip
SENT = [(sent, ours) for sent, _, ours in PAIRS]
THRESHOLD = "belongs to Evals criteria, and real jobs have it on graders as well"
REPEATS = "our extension: several answers of a judge"
AZURE = "Azure's, and in real jobs"
FIELDS_OF_OURS = {  # SDK type: field: why only we have it
    "TextSimilarityGraderParam": {
        "references": "our extension: the best of several references",
        "pass_threshold": THRESHOLD,
    },
    "TestingCriterionTextSimilarity": {"references": "our extension"},
    "PythonGraderParam": {"pass_threshold": THRESHOLD},
    "ScoreModelGraderParam": {
        "pass_threshold": THRESHOLD, "repeats": REPEATS, "aggregate": REPEATS,
    },
    "TestingCriterionScoreModel": {"repeats": REPEATS, "aggregate": REPEATS},
    "LabelModelGraderParam": {
        "sampling_params": "the guide has it", "repeats": REPEATS, "aggregate": REPEATS,
    },
    "TestingCriterionLabelModel": {
        "sampling_params": "the guide has it", "repeats": REPEATS, "aggregate": REPEATS,
    },
    "MultiGraderParam": {"pass_threshold": THRESHOLD},
    "InputContentInputImage": {"file_id": "null in real configs"},
    "ReinforcementMethodParam": {
        "response_format": "in real jobs", "tools": AZURE, "max_episode_steps": AZURE,
    },
}  # fmt: skip
FIELDS_OF_THEIRS = {  # SDK type: field: why we have it not
    "ResponseInputTextParam": {"prompt_cache_breakpoint": "of the Responses API, no grader's"},
}
REQUIRED_ONLY_BY = {  # SDK type: field: why one requires what the other does not
    "TestingCriterionTextSimilarity": {"pass_threshold": "of Evals alone; without it no pass"},
    "EvalCreateParams": {"data_source_config": "grading rows of a file needs none"},
}
TYPED_OTHERWISE = {  # SDK type: field: how the two say it
    "MultiGraderParam": {"graders": "one grader there, a map of them here"},
    "InputContentInputImage": {"detail": "any string there, its words here: see below"},
    "GraderRunParams": {"item": "any object there, one with keys here"},
    "EvalCreateParams": {"metadata": "text by text there, kept unread here"},
}
KINDS_OF_OURS = {  # where a grader stands: kinds that only we take there, and why
    "run": {"label_model", "endpoint"},  # the guide runs a label_model; endpoint is Azure's
    "method": {"label_model", "endpoint"},
    "multi": {"endpoint"},
    "criterion": set(),
}
HOSTED_ERRORS = {  # recorded in real answers, and not in the SDK's type
    "sample_parse_error_details",
    "invalid_variable_error_details",
    "model_grader_refusal_error_details",
    "model_grader_parse_error_details",
    "model_grader_exceeded_max_tokens_error",
    *("endpoint_grader_internal_error", "endpoint_grader_internal_error_details"),
    *("endpoint_grader_server_error", "endpoint_grader_server_error_details"),
    "endpoint_grader_safety_check_error",
}
JOB_KEYS_OF_OURS = {"trainingType"}  # Azure's
SCALARS = (str, int, float, bool)


def parts(annotation):
    """An annotation and all that it is made of, models left closed."""
    yield annotation
    for part in get_args(annotation):
        yield from parts(part)


def words(annotation):
    """The strings that a Literal allows, also inside Optional and Union."""
    return {part for part in parts(annotation) if isinstance(part, str)}


def scalars(annotation):
    """The plain types of a value; a float is one that takes an integer as well."""
    found = {part for part in parts(annotation) if part in SCALARS}
    return found - {int} if float in found else found


def fields(model):
    """Every field that goes over the wire, by its name there, with its annotation."""
    if is_typeddict(model):
        return {
            name: get_args(hint)[0] if get_origin(hint) is Required else hint
            for name, hint in get_type_hints(model, include_extras=True).items()
        }
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def required(model):
    """The fields that may not be left out."""
    if is_typeddict(model):
        hints = get_type_hints(model, include_extras=True)
        return {name for name, hint in hints.items() if get_origin(hint) is Required}
    return {name for name, field in model.model_fields.items() if field.is_required()}


def types(union):
    """The `type` of every member of a union that has one."""
    members = [part for part in parts(union) if is_typeddict(part) or _is_model(part)]
    return {word for member in members for word in words(fields(member).get("type"))}


def _is_model(part):
    return isinstance(part, type) and issubclass(part, BaseModel)


# --- configs


@pytest.mark.parametrize(("sent", "read", "ours"), PAIRS)
def test_our_fields_are_the_sdks_and_those_the_tables_name(sent, read, ours):
    """In both directions, so that neither a new field there nor one of ours goes unnoticed."""
    more = set(FIELDS_OF_OURS.get(sent.__name__, ()))
    fewer = set(FIELDS_OF_THEIRS.get(sent.__name__, ()))

    assert set(fields(ours)) - set(fields(sent)) == more
    assert set(fields(sent)) - set(fields(ours)) == fewer
    assert read is None or set(fields(read)) == set(fields(sent))


@pytest.mark.parametrize(("sent", "ours"), SENT)
def test_what_the_sdk_requires_we_require(sent, ours):
    """And nothing more: a request that the SDK builds is complete here."""
    differing = set(REQUIRED_ONLY_BY.get(sent.__name__, ()))

    assert required(sent) ^ required(ours) == differing


@pytest.mark.parametrize(("sent", "ours"), SENT)
def test_the_words_and_plain_types_of_a_field_are_the_sdks(sent, ours):
    """A new operation, metric, effort or role of a new SDK fails here, not at a user's desk."""
    shared = fields(sent).keys() & fields(ours).keys()
    theirs, our = (
        {name: (words(hint), scalars(hint)) for name, hint in fields(one).items() if name in shared}
        for one in (sent, ours)
    )
    differing = {name for name in shared if theirs[name] != our[name]}

    assert differing == set(TYPED_OTHERWISE.get(sent.__name__, ()))


def test_every_row_of_the_tables_is_about_a_pair():
    """A misspelt name would be an exception that nobody makes."""
    names = {sent.__name__ for sent, _, _ in PAIRS}
    tables = (FIELDS_OF_OURS, FIELDS_OF_THEIRS, REQUIRED_ONLY_BY, TYPED_OTHERWISE)

    assert {name for table in tables for name in table} - names == set()


@pytest.mark.parametrize(
    ("place", "theirs", "ours"),
    [
        ("run", fields(alpha.GraderRunParams)["grader"], graders.GraderConfig),
        ("run", fields(alpha.GraderValidateParams)["grader"], graders.GraderConfig),
        ("method", fields(jobs.ReinforcementMethodParam)["grader"], graders.GraderConfig),
        ("multi", fields(sdk.MultiGraderParam)["graders"], graders.MemberConfig),
        (
            "criterion",
            fields(eval_create_params.EvalCreateParams)["testing_criteria"],
            graders.CriterionConfig,
        ),
    ],
)
def test_the_kinds_of_graders_are_the_sdks_wherever_one_stands(place, theirs, ours):
    """Ours take more in some places, never fewer."""
    assert types(ours) - types(theirs) == KINDS_OF_OURS[place]
    assert types(theirs) - types(ours) == set()


def test_the_blocks_of_a_judges_message_are_the_sdks():
    """Text in and out, images, audio, plain strings and arrays of them."""
    theirs = fields(score_model_grader_param.Input)["content"]

    assert types(content.Content) == types(theirs) != set()
    assert str in parts(content.Content)
    assert str in parts(theirs)


def test_the_details_of_an_image_are_those_the_sdk_writes_about():
    """It types them as any string, and names them in its documentation."""
    source = Path(score_model_grader.__file__).read_text("utf-8")
    sentence = re.search(r"One of ([^.]*)\.\s+Defaults to `auto`", source)[1]

    assert words(fields(content.InputImage)["detail"]) == set(re.findall(r"`(\w+)`", sentence))


def test_the_methods_of_a_job_are_the_sdks():
    """Their names are those of the objects inside as well."""
    method = fields(job_create_params.Method)

    assert types(methods.Method) == words(method["type"]) == set(method) - {"type"}


def test_a_jobs_body_has_the_keys_that_the_sdk_sends():
    """Others are warned of as unknown."""
    assert set(BODY_KEYS) ^ set(fields(job_create_params.JobCreateParams)) == JOB_KEYS_OF_OURS


# --- what a run answers


def test_the_error_keys_are_the_sdks_and_the_recorded_ones():
    """The SDK's type leaves out what newer answers have."""
    theirs = fields(grader_run_response.MetadataErrors)

    assert len(hosted.ERROR_KEYS) == len(set(hosted.ERROR_KEYS))
    assert set(hosted.ERROR_KEYS) - set(theirs) == HOSTED_ERRORS
    assert set(theirs) - set(hosted.ERROR_KEYS) == set()


def test_an_error_key_is_a_flag_or_a_text_as_in_the_sdk():
    """By the ending of its name here, by its type there."""
    for key, hint in fields(grader_run_response.MetadataErrors).items():
        value = hosted.to_errors(None)[key]
        assert scalars(hint) == ({str} if value is None else {bool}), key

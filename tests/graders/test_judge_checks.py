"""What the checks say of a judge: its name, its parameters, where a sample could speak to it."""

import pytest
from sample_configs import JUDGE, LABEL

from graders.checks import check_document
from graders.checks.judge import MODELS, check_judge
from graders.config.parse import parse_config
from graders.profile import OPENAI

GUIDE = [  # the vendors' lists of judges
    *("gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "gpt-4.1-2025-04-14"),
    *("gpt-4.1-mini-2025-04-14", "gpt-4.1-nano-2025-04-14", "o1-2024-12-17"),
    *("o3-mini-2025-01-31", "o3-2025-04-16", "o4-mini-2025-04-16"),
    *("gpt-4o", "gpt-4.1", "o3", "gpt-5", "gpt-5.1", "gpt-5-pro", "gpt-5.1-codex-max", "gpt-5.2"),
]


def said(config, code=None):
    """What is said of a config, as text."""
    findings = check_document(parse_config(config), OPENAI)
    return [str(finding) for finding in findings if code is None or finding.code == code]


def asked(model, **params):
    return {**JUDGE, "model": model, "sampling_params": params}


# --- names


@pytest.mark.parametrize("model", [*GUIDE, "ft:gpt-4o-2024-08-06:acme:tone:A1", "openai/gpt-4.1"])
def test_a_model_of_the_guide_is_known(model):
    """As itself, fine-tuned and behind a router's prefix."""
    assert said({**JUDGE, "model": model}) == []


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("gpt-4o-2024-08-07", "Did you mean 'gpt-4o-2024-08-06'?"),
        ("gpt4o", "Did you mean 'gpt-4o'?"),
        ("gpt-4.1-minni", "Did you mean 'gpt-4.1-mini'?"),
        ("ft:gpt-4oo:acme::A1", "Did you mean 'gpt-4o'?"),
        ("qwen2.5:7b", "If the judge's service has it, all is well."),
        ("meta-llama/Llama-3.1-8B-Instruct", "If the judge's service has it, all is well."),
    ],
)
def test_a_name_that_nobody_knows_is_a_warning_and_never_an_error(model, hint):
    """New models come, and other services have others."""
    (finding,) = check_document(parse_config({**LABEL, "model": model}), OPENAI)

    assert (finding.code, finding.severity) == ("model-unknown", "warning")
    assert str(finding) == f"model: {model!r} is no model that we know. {hint}"


# --- parameters

REASONS = "which is a reasoning model. Leave it out."
NO_REASONING = "which is no reasoning model. Leave it out."
TO_HIGH = "which knows minimal, low, medium, high. Choose minimal or low or medium or high."
OF_5_1 = "which knows none, low, medium, high. Choose none or low or medium or high."


@pytest.mark.parametrize(
    ("model", "name", "value", "problem"),
    [
        ("o1-2024-12-17", "temperature", 0.5, f"0.5 is not for o1-2024-12-17, {REASONS}"),
        ("o3", "temperature", 0, f"0.0 is not for o3, {REASONS}"),
        ("o3", "temperature", 1, f"1.0 is not for o3, {REASONS}"),
        ("o3", "top_p", 0.9, f"0.9 is not for o3, {REASONS}"),
        ("o4-mini", "temperature", 1, f"1.0 is not for o4-mini, {REASONS}"),
        ("ft:o4-mini-2025-04-16:acme::A", "top_p", 1,
         f"1.0 is not for o4-mini-2025-04-16, {REASONS}"),
        ("gpt-5", "temperature", 0, f"0.0 is not for gpt-5, {REASONS}"),
        ("gpt-5-mini", "top_p", 0.1, f"0.1 is not for gpt-5-mini, {REASONS}"),
        ("gpt-5-chat-latest", "temperature", 0, None),
        ("gpt-5.1", "temperature", 0, None),  # by default it does not reason
        ("gpt-4o", "temperature", 0, None),
        ("gpt-4.1", "top_p", 0.5, None),
        ("o3", "seed", 1, None),
        ("o3", "max_completions_tokens", 100, None),
        ("gpt-4o", "reasoning_effort", "low", f"'low' is not for gpt-4o, {NO_REASONING}"),
        ("gpt-4.1-nano-2025-04-14", "reasoning_effort", "none",
         f"'none' is not for gpt-4.1-nano-2025-04-14, {NO_REASONING}"),
        ("gpt-3.5-turbo", "reasoning_effort", "low",
         f"'low' is not for gpt-3.5-turbo, {NO_REASONING}"),
        ("gpt-5-chat-latest", "reasoning_effort", "low",
         f"'low' is not for gpt-5-chat-latest, {NO_REASONING}"),
        ("o3", "reasoning_effort", "none", f"'none' is not for o3, {TO_HIGH}"),
        ("gpt-5", "reasoning_effort", "none", f"'none' is not for gpt-5, {TO_HIGH}"),
        ("gpt-5-mini", "reasoning_effort", "xhigh", f"'xhigh' is not for gpt-5-mini, {TO_HIGH}"),
        ("o4-mini", "reasoning_effort", "max", f"'max' is not for o4-mini, {TO_HIGH}"),
        ("gpt-5", "reasoning_effort", "minimal", None),
        ("o1", "reasoning_effort", "high", None),
        ("gpt-5.1", "reasoning_effort", "minimal", f"'minimal' is not for gpt-5.1, {OF_5_1}"),
        ("gpt-5.1", "reasoning_effort", "xhigh", f"'xhigh' is not for gpt-5.1, {OF_5_1}"),
        ("gpt-5.1-2025-11-13", "reasoning_effort", "none", None),
        ("gpt-5.1-codex-max", "reasoning_effort", "xhigh", None),
        ("gpt-5.2", "reasoning_effort", "xhigh", None),
        ("gpt-5.2", "reasoning_effort", "none", None),
        ("gpt-5-pro", "reasoning_effort", "medium",
         "'medium' is not for gpt-5-pro, which knows high. Choose high."),
        ("gpt-5-pro", "reasoning_effort", "high", None),
        ("gpt-5.2-pro", "reasoning_effort", "medium", None),
    ],
)  # fmt: skip
def test_a_parameter_that_the_model_refuses_is_warned_of(model, name, value, problem):
    """With the value, the model and what to do; documented rules only."""
    expected = [] if problem is None else [f"sampling_params.{name}: {problem}"]

    assert said(asked(model, **{name: value})) == expected
    multi = {"type": "multi", "name": "m", "graders": {"j": asked(model, **{name: value})},
             "calculate_output": "j"}  # fmt: skip
    assert said(multi) == [f"graders.j.{text}" for text in expected]


@pytest.mark.parametrize("effort", ["low", "high"])
def test_a_model_that_can_rest_takes_a_temperature_only_at_rest(effort):
    """From gpt-5.1 on the two parameters exclude each other."""
    assert said(asked("gpt-5.1", temperature=0.2, reasoning_effort="none")) == []
    assert said(asked("gpt-5.2", temperature=0.2, top_p=1, reasoning_effort=effort)) == [
        "sampling_params.temperature: 0.2 is not for gpt-5.2, which is a reasoning model. Leave it "
        "out, or set reasoning_effort to none.",
        "sampling_params.top_p: 1.0 is not for gpt-5.2, which is a reasoning model. Leave it out, "
        "or set reasoning_effort to none.",
    ]


@pytest.mark.parametrize("model", ["qwen2.5:7b", "my-o3-clone", "gpt-6.2-sol", "gpt-40", "o30"])
def test_nothing_is_said_of_parameters_of_models_that_we_do_not_know(model):
    """A guess would be wrong for somebody."""
    config = asked(model, temperature=0, top_p=1, reasoning_effort="max")

    assert said(config, "parameter-refused") == []


def test_every_model_of_the_tables_is_judged_without_an_error():
    """Warnings, whatever the parameters."""
    for model in MODELS:
        for effort in ("none", "xhigh", None):
            config = parse_config(asked(model, temperature=0.5, reasoning_effort=effort)).grader
            assert {finding.severity for finding in check_judge(config)} <= {"warning"}


# --- where a sample could pose as instructions

SAMPLE = "{{ sample.output_text }}"
CAN_WRITE = "so the model that is judged can write some of its own"
ENDS = (f"nothing shows the judge where {SAMPLE} ends and the instructions go on, {CAN_WRITE}. "
        f"Enclose it: <answer>{SAMPLE}</answer>")  # fmt: skip


def placed(*messages):
    config = {**JUDGE, "input": [{"role": role, "content": text} for role, text in messages]}
    return said(config, "sample-as-instructions")


@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize("content", [SAMPLE, f"<answer>{SAMPLE}</answer>", [f"Rate '{SAMPLE}'."]])
def test_a_sample_in_a_message_of_instructions_is_warned_of(role, content):
    """However it is enclosed: there all is instructions."""
    assert placed((role, content), ("user", "Rate it.")) == [
        f"input[0]: {SAMPLE} stands in a {role} message, where all is instructions, {CAN_WRITE}. "
        f"Move it to a user message: <answer>{SAMPLE}</answer>"
    ]


@pytest.mark.parametrize(
    "content",
    [
        f"Rate {SAMPLE} from 0 to 1.",
        f"{SAMPLE}\n\nGive 1 if it is polite.",
        f"Answer: {SAMPLE}\nReference: {{{{ item.answer }}}}",
        f"{SAMPLE} {{{{ item.answer }}}}",  # the sample can forge the reference
        f"<answer>{SAMPLE} Rate it.",  # never closed
        f"<answer></answer>{SAMPLE}<answer></answer> Rate it.",  # open nowhere
        f"<a>{SAMPLE}</b> Rate it.",
        f"```text``` {SAMPLE} ```text``` Rate it.",
        f'"{SAMPLE}. Rate it.',
        [SAMPLE, {"type": "input_text", "text": "Rate it."}],
        [{"type": "input_text", "text": f"Rate {SAMPLE}"}, "from 0 to 1"],
    ],
)
def test_a_sample_that_has_no_visible_end_is_warned_of(content):
    """Blocks of one message are one text to a model."""
    assert placed(("user", content)) == [f"input[0]: {ENDS}"]
    assert placed(("system", "Be fair."), ("user", content)) == [f"input[1]: {ENDS}"]


@pytest.mark.parametrize(
    "content",
    [
        SAMPLE,
        f"Answer: {SAMPLE}",  # a message's end cannot be forged
        f"Question: {{{{ item.q }}}}\nAnswer: {SAMPLE}\n",
        f"Rate this: '{SAMPLE}'.",
        f'Rate "{SAMPLE}" from 0 to 1.',
        f"Rate “ {SAMPLE} ” from 0 to 1.",
        f"<answer>{SAMPLE}</answer> Rate it.",
        f'<answer id="1">\n{SAMPLE}\n</answer>\nRate it.',
        f"<answer>It says {SAMPLE} and {SAMPLE}.</answer> Rate it.",
        f"<br><answer>{SAMPLE}</answer> Rate it.",
        f"```json\n{SAMPLE}\n```\nRate it.",
        f'"""{SAMPLE}""" Rate it.',
        ["<answer>", SAMPLE, "</answer>", "Rate it."],
        [SAMPLE, {"type": "input_image", "image_url": "{{ item.url }}"}],
        "Rate {{ item.answer }} from 0 to 1.",
        "<answer>{{ sample.output_json.a }}</answer> of {{ item.q }}?",
    ],
)
def test_a_sample_whose_end_can_be_seen_is_fine(content):
    """Enclosed, or last in its message; the item is the user's own."""
    assert placed(("system", "Rate 0 to 1."), ("user", content), ("user", "Go.")) == []


def test_an_answer_in_its_own_role_is_fine():
    """Nobody takes an assistant's message for an order."""
    assert placed(("user", "Hi"), ("assistant", f"{SAMPLE} and more"), ("user", "Rate it.")) == []


def test_every_slot_is_named_and_a_broken_template_is_reported_once():
    """In the order in which they stand."""
    both = placed(("user", "{{ sample.output_text }}, {{ sample.choices[0] }}, rate them"))

    assert [text.partition("where ")[2].partition(" ends")[0] for text in both] == [
        SAMPLE,
        "{{ sample.choices[0] }}",
    ]
    broken = {**JUDGE, "input": [{"role": "user", "content": "{{ sample.output_text rate"}]}
    assert len(said(broken)) == 1

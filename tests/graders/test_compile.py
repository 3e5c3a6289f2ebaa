"""From a config to a grader: all that can be wrong without a row, tools, settings, records."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from rapidfuzz import fuzz
from sample_configs import EXACT, JUDGE, LABEL, PYTHON

from graders.clients import ModelReply, ScriptedClient
from graders.compile import Tools, compile_grader
from graders.config.parse import read_config
from graders.errors import ConfigError
from graders.profile import OPENAI, PROFILES, Profile, find_profile
from graders.rows import Row, to_sample
from sandbox import Outcome, Status

SIMILAR = {
    "type": "text_similarity",
    "name": "similar",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "evaluation_metric": "fuzzy_match",
}
REMOTE = {"type": "endpoint", "name": "remote", "url": "https://x.example/g"}
OPEN = {**EXACT, "input": "{{ item.a"}
UNCLOSED = "this slot has no closing '}}'\n    {{ item.a\n             ^"
NO_GRADE = "binds no function called grade. Define def grade(sample, item)."
NO_THRESHOLD = (
    "is missing, so nothing says when this criterion is passed. "
    "Add pass_threshold, or give one for all: --set default_threshold=0.5."
)


@dataclass
class OneOutcome:
    """A sandbox in which every call ends the same."""

    outcome: Outcome

    layers = frozenset()
    batch = 1

    async def run(self, calls):
        return [self.outcome for _ in calls]

    async def aclose(self):
        """Nothing is open."""


class OneAnswer:
    """An endpoint client that answers the same to everything."""

    async def post(self, url, headers, body, **_):
        return {"score": len(url) + len(headers) + len(body)}


TOOLS = Tools(
    sandbox=OneOutcome(Outcome(status=Status.OK, value=0.5)),
    client=ScriptedClient(lambda _: ModelReply(text='{"steps": [], "result": 0.5}')),
    endpoint=OneAnswer(),
)


def multi(members, formula="1"):
    return {"type": "multi", "name": "m", "graders": members, "calculate_output": formula}


def problems(config, tools=TOOLS, profile=OPENAI):
    """Each problem of a config, as it is shown."""
    with pytest.raises(ConfigError) as caught:
        compile_grader(config, tools=tools, profile=profile)
    assert {finding.severity for finding in caught.value.findings} == {"error"}
    return [str(finding) for finding in caught.value.findings]


def grades(config, *rows, tools=TOOLS, profile=OPENAI):
    return asyncio.run(compile_grader(config, tools=tools, profile=profile).grade(rows))


def row(output, answer=""):
    return Row(item={"answer": answer}, sample=to_sample(output))


# --- what can be wrong without a row


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({**EXACT, "input": "{{ item.a", "reference": "{{ item.a"},
         [f"input: {UNCLOSED}", f"reference: {UNCLOSED}"]),
        ({**SIMILAR, "reference": "{{ item.a"}, [f"reference: {UNCLOSED}"]),
        ({**JUDGE, "input": [
            {"role": "system", "content": "{{ item.a"},
            {"role": "user", "content": {"type": "input_text", "text": "{{ item.a"}},
            {"role": "user", "content": [
                "{{ item.a",
                {"type": "output_text", "text": "{{ item.a"},
                {"type": "input_image", "image_url": "{{ item.a"},
                {"type": "input_audio", "input_audio": {"data": "{{ item.a", "format": "mp3"}},
            ]},
        ]}, [
            f"input[0].content: {UNCLOSED}",
            f"input[1].content.text: {UNCLOSED}",
            f"input[2].content[0]: {UNCLOSED}",
            f"input[2].content[1].text: {UNCLOSED}",
            f"input[2].content[2].image_url: {UNCLOSED}",
            f"input[2].content[3].input_audio.data: {UNCLOSED}",
        ]),
        (multi({"a": EXACT}, "a + b"), ["calculate_output: unknown name 'b'. Known names: 'a'.\n"
                                        "    a + b\n        ^"]),
        (multi({"a": OPEN, "p": {**PYTHON, "source": "x = 1"}}, "a +"),
         ["calculate_output: expected a number, a name or '(', found the end\n    a +\n       ^",
          f"graders.a.input: {UNCLOSED}", f"graders.p.source: {NO_GRADE}"]),
        # paths in the file's own form
        (multi({"my key": OPEN}), [f'graders["my key"].input: {UNCLOSED}']),
        (multi([EXACT, {**OPEN, "name": "b"}]), [f"graders[1].input: {UNCLOSED}"]),
        (multi(OPEN), [f"graders.input: {UNCLOSED}"]),
        ({"grader": OPEN, "model_sample": ""}, [f"grader.input: {UNCLOSED}"]),
        ({"grader": OPEN}, [f"grader.input: {UNCLOSED}"]),
        ({"type": "reinforcement", "reinforcement": {"grader": multi({"a": OPEN}, ")")}},
         ["reinforcement.grader.calculate_output: expected a number, a name or '(', found ')'\n"
          "    )\n    ^", f"reinforcement.grader.graders.a.input: {UNCLOSED}"]),
        ({"testing_criteria": [EXACT, {**OPEN, "name": "b"}, SIMILAR, PYTHON]},
         [f"testing_criteria[1].input: {UNCLOSED}",
          f"testing_criteria[2].pass_threshold: {NO_THRESHOLD}",
          f"testing_criteria[3].pass_threshold: {NO_THRESHOLD}"]),
        ({"testing_criteria": [JUDGE, LABEL]},
         [f"testing_criteria[0].pass_threshold: {NO_THRESHOLD}"]),
        ({"type": "dpo"}, ["type: a dpo method has no grader"]),
    ],
)  # fmt: skip
def test_every_problem_is_reported_at_once_with_its_path(config, expected):
    """Templates, formulas, sources and thresholds, before the first row."""
    assert problems(config) == expected


@pytest.mark.parametrize(
    ("members", "formula", "problem"),
    [
        ({"exact": EXACT}, "exakt", "unknown name 'exakt'. Did you mean 'exact'?"),
        ({"a": EXACT}, "exact", "unknown name 'exact'. Known names: 'a'."),  # the member's name
        ({"my key": EXACT}, "my key", "A formula cannot spell 'my key': rename that grader"),
        ({"a": EXACT}, "0.5 * a)", "the formula is complete, but ')' follows"),
        ({"a": EXACT}, "", "the formula is empty"),
    ],
)
def test_a_formula_is_over_the_members_keys(members, formula, problem):
    """Names instead of keys and a stray parenthesis are the mistakes that are made."""
    (shown,) = problems(multi(members, formula))

    assert shown.startswith("calculate_output: ")
    assert problem in shown


def test_a_source_that_cannot_run_is_reported_with_its_line():
    """The caret stays under the character."""
    (shown,) = problems(multi({"p": {**PYTHON, "source": "x = 1\ndef grade(sample: pass"}}))

    assert shown.startswith("graders.p.source")
    assert "line 2: invalid syntax\n    def grade(sample: pass\n" in shown


def test_warnings_do_not_stop():
    """Swapped parameters, unknown keys and an unspellable key that nothing needs are no errors."""
    swapped = {**PYTHON, "source": "def grade(item, sample): return 1", "extra": 1}

    assert grades(multi({"my key": swapped, "a": EXACT}, "a + 1"), row("x", "x"))[0].score == 2.0


@pytest.mark.parametrize("key", ["name", "type", "python", "max", "sqrt", "calculate_output", "e1"])
def test_a_member_key_may_be_any_name(key):
    """Even that of a function, a type or a field."""
    config = multi({key: EXACT, "other": SIMILAR}, f"max({key}, 0) + {key}")

    assert grades(config, row("x", "x"))[0].score == 2.0


# --- tools


@pytest.mark.parametrize(
    ("config", "path", "does", "tool"),
    [
        (PYTHON, "", "the python grader 'code' runs Python code and needs a sandbox", "sandbox"),
        (JUDGE, "", "the score_model grader 'judge' asks the model 'gpt-4o' and needs a model "
         "client", "client"),
        (LABEL, "", "the label_model grader 'judge' asks the model 'gpt-4o' and needs a model "
         "client", "client"),
        (REMOTE, "", "the endpoint grader 'remote' asks an HTTP service and needs an endpoint "
         "client", "endpoint"),
        (multi({"a": EXACT, "my key": PYTHON}), 'graders["my key"]: ', "the python grader 'code' "
         "runs Python code and needs a sandbox", "sandbox"),
        ({"grader": PYTHON, "model_sample": ""}, "grader: ", "the python grader 'code' runs "
         "Python code and needs a sandbox", "sandbox"),
        ({"testing_criteria": [EXACT, LABEL]}, "testing_criteria[1]: ", "the label_model grader "
         "'judge' asks the model 'gpt-4o' and needs a model client", "client"),
    ],
)  # fmt: skip
def test_a_missing_tool_is_named(config, path, does, tool):
    """The message says who needs it, what for, and how to pass it here and on the command line."""
    ways = {
        "sandbox": "In Python, pass tools=Tools(sandbox=sandbox.open_sandbox()); `graders run` "
        "opens one by itself.",
        "client": "In Python, pass tools=Tools(client=...), such as an OpenAICompatible() of "
        "graders.clients.openai_compatible; on the command line, set OPENAI_API_KEY, or give "
        "--base-url URL for a server of your own, --client MODULE:NAME or --replay FILE.",
        "endpoint": "In Python, pass tools=Tools(endpoint=...), such as an HttpEndpoint() of "
        "graders.clients.endpoint; `graders run` has one by itself.",
    }

    assert problems(config, tools=None) == [f"{path}{does}. {ways[tool]}"]


def test_missing_tools_are_reported_together_and_with_other_problems():
    """One round of corrections is enough."""
    config = multi({"p": PYTHON, "j": JUDGE, "r": REMOTE, "o": OPEN})

    assert [shown.split(": ")[0] for shown in problems(config, tools=Tools())] == [
        *("graders.o.input", "graders.p", "graders.j", "graders.r")
    ]


@pytest.mark.parametrize(
    ("config", "score"),
    [(EXACT, 1.0), (SIMILAR, 1.0), (PYTHON, 0.5), (JUDGE, 0.5), (REMOTE, 22.0),
     (multi({"p": PYTHON, "j": JUDGE, "r": REMOTE}, "p + j + r"), 23.0),
     ({"testing_criteria": [EXACT]}, 1.0), ({"grader": EXACT, "model_sample": "y"}, 1.0),
     ({"grader": EXACT, "hyperparameters": {}}, 1.0)],
)  # fmt: skip
def test_with_its_tools_every_document_becomes_a_grader(config, score):
    """Rows in, grades out, and a signature that names the settings."""
    grader = compile_grader(config, tools=TOOLS)

    assert [grade.score for grade in asyncio.run(grader.grade([row("x", "x")]))] == [score]
    assert grader.signature
    assert grader.name in ("exact", "similar", "code", "judge", "remote", "m", "eval")


def test_a_file_and_a_checked_document_compile_too(tmp_path):
    """So that a config is read once and its findings shown before it runs."""
    path = tmp_path / "g.json"
    path.write_text(json.dumps(EXACT), "utf-8")

    for source in (path, str(path), read_config(path), read_config(path).value, EXACT):
        assert compile_grader(source) == compile_grader(EXACT)


# --- profiles and settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"render": "yaml"}, "render: 'yaml' is not one of json, python"),
        ({"bool_returns": "numbr"}, "bool_returns: 'numbr' is not one of fail, number. Did you "
         "mean 'number'?"),
        ({"member_failure": ""}, "member_failure: '' is not one of fail, zero"),
        ({"default_threshold": "high"}, "default_threshold: 'high' is not a number"),
        ({"default_threshold": "nan"}, "default_threshold: 'nan' is not a number"),
        ({"default_threshold": "inf"}, "default_threshold: 'inf' is not a number"),
        ({"rendr": "python"}, "rendr: there is no such setting. Did you mean 'render'?"),
        ({"name": "mine"}, "name: there is no such setting. Known settings: "),
        ({"rouge": "pltrd"}, "rouge: Settings(rouge=...): 'pltrd' is none of google, "),
    ],
)  # fmt: skip
def test_a_setting_that_does_not_exist_is_refused(settings, message):
    """Name and value are text from a command line, and typos are likely."""
    with pytest.raises(ConfigError) as caught:
        OPENAI.override(settings)

    assert str(caught.value).startswith(message)


def test_the_known_settings_are_all_named():
    """Those of the profile and those of the metrics."""
    with pytest.raises(ConfigError, match=r"bool_returns, .*default_threshold, .*rouge, tokens"):
        OPENAI.override({"zzz": "1"})


def test_overrides_add_up_and_show_in_the_name():
    """Every result can say under which settings it was made."""
    profile = OPENAI.override({"render": "python", "default_threshold": "0.5"})

    assert profile.name == "openai,render=python,default_threshold=0.5"
    assert (profile.render, profile.default_threshold) == ("python", 0.5)
    assert profile.metrics == OPENAI.metrics
    assert OPENAI.override({}) == OPENAI
    assert OPENAI.override({"rouge": "pltrdy"}).metrics.rouge == "pltrdy"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("opnai", "Did you mean 'openai'?"), ("mine", "Known profiles: openai, azure, azure-docs, "
                                                   "google-rouge.")],
)  # fmt: skip
def test_a_profile_is_found_by_its_name(name, hint):
    """Or the near miss is named."""
    assert [find_profile(known).name for known in PROFILES] == list(PROFILES)
    with pytest.raises(ConfigError, match=f"^profile: there is no profile '{name}'") as caught:
        find_profile(name)

    assert str(caught.value).endswith(hint)


def test_a_default_threshold_stands_in_for_a_missing_one():
    """A criterion without its own compiles, and passes by the default."""
    body = {"testing_criteria": [SIMILAR, {**SIMILAR, "name": "b", "pass_threshold": 0.9}]}
    profile = OPENAI.override({"default_threshold": "0.5"})
    (grade,) = grades(body, row("abcd1", "abcd2"), profile=profile)

    assert {key: part.passed for key, part in grade.parts.items()} == {"similar": True, "b": False}


# --- recorded hosted results


@pytest.mark.parametrize(
    ("output", "answer", "score"),
    [
        ("Vons", "Vons", 1.0),
        ("sam's club", "Sam's Club", 0.0),  # case-sensitive
        ("Costco #429", "Costco", 1.0),  # the input contains the reference
        ("Costco", "Costco #429", 0.0),
    ],
)
def test_like_is_contains_as_recorded(output, answer, score):
    """The hosted rows that passed are those that contain the text."""
    assert grades({**EXACT, "operation": "like"}, row(output, answer))[0].score == score


@pytest.mark.parametrize(
    ("output", "answer", "passed"),
    [("Vons", "Vons", True), ("sam's club", "sam's club", False), ("Costco #429", "Costco", False)],
)
def test_bleu_of_short_texts_passes_and_fails_as_recorded(output, answer, passed):
    """Even two identical texts of three tokens fail at 0.8, as users must be warned."""
    config = {**SIMILAR, "evaluation_metric": "bleu", "pass_threshold": 0.8}

    assert grades(config, row(output, answer))[0].passed is passed


@pytest.mark.parametrize(
    ("output", "answer"),
    [("fuzzy wuzzy was a bear", "fuzzy wuzzy had no hair"), ("", ""), ("Costco #429", "Costco"),
     ("Grüße", "GRÜSSE"), ("a" * 170, "a" * 85 + "b" * 85)],
)  # fmt: skip
def test_fuzzy_match_is_ratio_as_recorded(output, answer):
    """The one hosted number of a metric there is equals `ratio` bit for bit, and no other."""
    assert grades(SIMILAR, row(output, answer))[0].score == fuzz.ratio(output, answer) / 100


def test_a_grading_of_exactly_the_threshold_passes_as_recorded():
    """77 hosted gradings of exactly 0.5 at a threshold of 0.5 all passed."""
    (grade,) = grades({**JUDGE, "pass_threshold": 0.5}, row("x"))

    assert (grade.score, grade.passed) == (0.5, True)


@pytest.mark.parametrize("setting", ["render", "member_failure", "bool_returns"])
def test_a_profile_made_in_python_is_checked_too(setting):
    """A misspelt choice would otherwise end a run in its middle."""
    with pytest.raises(ConfigError, match=f"^{setting}: 'pyton' is not one of "):
        Profile(**{setting: "pyton"})


# --- what a grader waits for


@pytest.mark.parametrize(
    ("config", "waits"),
    [
        (EXACT, "never"),
        (SIMILAR, "never"),
        (PYTHON, "batches"),
        (JUDGE, "rows"),
        (LABEL, "rows"),
        (REMOTE, "rows"),
        (multi({"a": EXACT, "b": SIMILAR}), "never"),
        (multi({"a": EXACT, "b": PYTHON}), "batches"),
        (multi({"a": PYTHON, "b": JUDGE, "c": EXACT}), "rows"),
        ({"name": "e", "testing_criteria": [EXACT, LABEL]}, "rows"),
        ({"name": "e", "testing_criteria": [EXACT, {**PYTHON, "pass_threshold": 1}]}, "batches"),
    ],
)
def test_a_grader_waits_for_what_its_members_wait_for(config, waits):
    """A row that is paid for is handed on by itself; what only computes stays in batches."""
    assert compile_grader(config, tools=TOOLS).waits == waits

"""Contestants on rows that a person judged: what is read, what is scored, what fails."""

import asyncio
import json
from dataclasses import replace

import pytest
from stand_ins import EXACT

from graders.compile import compile_grader
from graders.engine import run_sync
from graders.errors import RowError
from graders.ledger import Ledger
from graders.profile import OPENAI
from graders.row_files import read_rows
from graders.template import parse_path
from graders.testing.contest import grade_column, metric_cost, score_metrics
from graders.testing.contestants import ALL, CONTESTANTS, contestants, packs
from graders.testing.labelled import read_labelled
from graders.testing.probe import ProbeOptions, probe
from graders.testing.weakness import weakness
from metrics import METRICS, Settings, best_batch, metric

LINES = [
    {
        "item": {"a": "a red fox", "all": ["a red fox", "the fox is red"]},
        "samples": [
            {"output_text": "The red fox.", "human": 1},
            {"output_text": "a dog", "human": False},
        ],
    },
    {
        "item": {"a": "blue whale", "all": ["blue whale"]},
        "samples": [
            {"output_text": "It is a blue whale", "human": 1.0},
            {"output_text": "", "human": 0},
        ],
    },
]


@pytest.fixture
def labelled(tmp_path):
    """Read lines as rows with labels."""

    def reading(*lines, reference="item.a", human="sample.human", limit=None):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return read_labelled(
            read_rows(path),
            file="rows.jsonl",
            reference=parse_path(reference),
            human=parse_path(human),
            limit=limit,
        )

    return reading


def test_rows_with_all_three_are_taken(labelled):
    """True and false are labels too; a text is a list of one; samples of one item are its."""
    found = labelled(*LINES)

    assert found.texts == ["The red fox.", "a dog", "It is a blue whale", ""]
    assert found.labels == [1.0, 0.0, 1.0, 0.0]
    assert found.references == [("a red fox",)] * 2 + [("blue whale",)] * 2
    assert found.items == [1, 1, 2, 2]
    assert found.lengths == [12, 5, 18, 0]
    assert labelled(*LINES, reference="item.all").reference_lengths == [11.5, 11.5, 10.0, 10.0]
    assert len(labelled(*LINES, limit=3).rows) == 3
    assert (found.left_out, found.bad_lines) == ({}, [])


def test_rows_that_lack_something_are_counted_and_named(labelled):
    """Each by what it lacks, with the first place; a line that is no row too."""
    found = labelled(
        LINES[0],
        {"item": {"a": "x"}, "sample": {"output_text": "no label"}},
        {"item": {"a": "x"}, "sample": {"output_text": "null", "human": None}},
        {"item": {"b": "x"}, "sample": {"output_text": "no reference", "human": 1}},
        {"item": {"a": []}, "sample": {"output_text": "empty list", "human": 1}},
        {"item": {"a": "x"}, "sample": {"human": 1}},
        {"item": 7, "sample": "no row"},
    )

    assert len(found.rows) == 2
    assert {what: one.count for what, one in found.left_out.items()} == {
        "a label": 2,
        "a reference": 2,
        "an output": 1,
    }
    assert found.left_out["a label"].first.startswith("rows.jsonl:2:1: {{ sample.human }}: sample")
    assert found.left_out["an output"].first == "rows.jsonl:6:1: sample.output_text is not there"
    assert len(found.bad_lines) == 1
    assert "item is a number, and must be an object" in found.bad_lines[0]


@pytest.mark.parametrize(
    ("item", "sample", "message"),
    [
        ({"a": "x"}, {"output_text": "y", "human": "yes"}, "sample.human is 'yes', and a label is"),
        ({"a": "x"}, {"output_text": "y", "human": [1]}, "sample.human is a list, and a label is"),
        ({"a": {}}, {"output_text": "y", "human": 1}, "item.a: an object, and a reference is text"),
        ({"a": ["x", 3]}, {"output_text": "y", "human": 1}, "item.a: an entry of it is a number"),
        ({"a": "x"}, {"output_text": 5, "human": 1}, "sample.output_text is a number, and must be"),
    ],
)
def test_what_is_of_a_wrong_type_is_a_bad_line_with_its_place(labelled, item, sample, message):
    """It is never left out in silence, and loses no other row."""
    found = labelled(LINES[0], {"item": item, "sample": sample}, LINES[1])
    assert [line.startswith(f"rows.jsonl:2:1: {message}") for line in found.bad_lines] == [True]
    assert (len(found.rows), found.left_out) == (4, {})


def test_no_row_at_all_says_what_they_lack(labelled):
    """With the near miss of a path."""
    lacking = r"a label \(4 without a label, first rows.jsonl:1:1: .*Did you mean 'sample.human'"
    with pytest.raises(RowError, match=f"no row has an output, a reference and {lacking}"):
        labelled(*LINES, human="sample.humann")
    wrong = (
        r"\(4 on bad lines, first rows.jsonl:1:1: sample.output_text is 'The red fox.', and a label"
    )
    with pytest.raises(RowError, match=f"no row has .* a label {wrong}"):
        labelled(*LINES, human="sample.output_text")
    with pytest.raises(RowError, match=r"^rows.jsonl: it holds no rows: rows.jsonl:1:1: not"):
        read_labelled(
            [RowError("rows.jsonl:1:1", "not JSON")],
            file="rows.jsonl",
            reference=parse_path("item.a"),
            human=parse_path("sample.human"),
        )


def scored(rows, *names, settings=None):
    profile = settings or Settings()
    return score_metrics(packs(contestants(names, profile), profile), rows, profile)


def test_every_contestant_scores_as_its_metric_does(labelled):
    """Whatever shares a pass with it: to the bit, best of several references."""
    rows = labelled(*LINES, reference="item.all")
    found = scored(rows, "all")

    assert list(ALL) == [name for name in CONTESTANTS if name in found]
    assert len(found) >= 24
    for name, column in found.items():
        one = CONTESTANTS[name]
        alone = metric(one.metric, one.settings(Settings()))
        best = best_batch(alone, rows.texts, rows.references)
        assert column.scores == [score for score, _ in best], name
        assert column.signature == f"{alone.signature}|best_of:references"
        assert column.failures == {}


@pytest.mark.parametrize("name", ["partial", "rouge_l_stem", "bleu_sacrebleu", "hash_char"])
def test_a_contestant_is_the_grader_that_it_says(labelled, name):
    """A run that is told what `how` says gives the same scores."""
    rows = labelled(*LINES)
    one = CONTESTANTS[name]
    profile = OPENAI.override(one.changes)
    config = {**one.config("item.a")}
    config.pop("references")
    grader = compile_grader(config, profile=profile)
    column = run_sync(lambda: grade_column(grader, rows, Ledger()))

    assert column.scores == scored(rows, name)[name].scores
    assert column.signature == one.signature(Settings())
    assert one.how == f"evaluation_metric {config['evaluation_metric']}" + "".join(
        f", --set {key}={value}" for key, value in one.changes.items()
    )


@pytest.mark.parametrize("name", ALL)
def test_the_table_of_contestants_is_sound(name):
    """Each is a metric, in settings that there are, and no two are the same number."""
    signatures = [one.signature(Settings()) for key, one in CONTESTANTS.items() if key in ALL]

    assert CONTESTANTS[name].metric in METRICS
    assert CONTESTANTS[name].name == name
    assert signatures.count(CONTESTANTS[name].signature(Settings())) == 1


def test_without_names_the_eleven_of_the_profile_are_compared():
    """In the profile's variants, each under its own name."""
    default = [one.name for one in contestants([], Settings())]
    other = [one.name for one in contestants([], Settings(fuzzy_match="partial"))]

    assert default[:2] == ["hash_char", "ratio"]
    assert len(default) == 11
    assert other == ["hash_char", "partial", *default[2:]]


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        (["rogue_l"], Settings(), "there is no metric 'rogue_l'. Did you mean 'rouge_l'"),
        (["cosine"], None, "cosine asks a server in this profile; compare it as a grader"),
    ],
)
def test_names_that_are_none(names, settings, message):
    """Are refused, with the near miss."""
    asks = OPENAI.override({"cosine": "server:m"}, base_url="http://localhost:1/v1").metrics

    with pytest.raises(ValueError, match=message):
        contestants(names, settings or asks)


def test_a_pair_that_is_too_much_fails_its_row_for_its_metric_alone(labelled):
    """It is never a 0, and the rows beside it have their scores."""
    long = {"item": {"a": "y" * 60}, "sample": {"output_text": "x" * 60, "human": 1}}
    rows = labelled(LINES[0], long, LINES[1])
    found = scored(rows, "ratio", "rouge_1", "levenshtein", settings=Settings(work_limit=3_000))
    alone = metric("fuzzy_match", Settings())

    assert found["ratio"].scores[2] is None
    assert [x for x in found["ratio"].scores if x is not None] == [
        alone.pair(rows.texts[i], rows.references[i][0]) for i in (0, 1, 3, 4)
    ]
    ((kind, tally),) = found["ratio"].failures.items()
    assert (kind, tally.count) == ("too_much_work", 1)
    assert tally.first.startswith("row 2, sample 0: fuzzy_match ratio: this pair needs 3.60e+03")
    assert found["rouge_1"].scores[2] == 0.0
    assert found["rouge_1"].failures == {}
    assert metric_cost(CONTESTANTS["ratio"], rows, Settings(work_limit=3_000)) is None


def test_one_of_several_references_that_is_too_much_leaves_the_row_without_a_score(labelled):
    """The best of the others may not be the best."""
    both = {"item": {"a": ["fox", "y" * 60]}, "sample": {"output_text": "x" * 60, "human": 1}}
    found = scored(labelled(both, LINES[1]), "ratio", settings=Settings(work_limit=3_000))

    assert found["ratio"].scores[0] is None
    assert found["ratio"].failures["too_much_work"].count == 1


def test_costs_are_measured(labelled):
    """CPU-seconds of 1,000 rows, above 0, of metrics and of graders."""
    rows = labelled(*LINES)
    grader = compile_grader(EXACT)
    column = run_sync(lambda: grade_column(grader, rows, Ledger()))

    assert 0 < metric_cost(CONTESTANTS["rouge_l"], rows, Settings()) < 60
    assert 0 < column.cpu_seconds < 60
    assert (column.tokens, column.usd) == (0, 0)


def test_failures_of_a_grader_are_no_scores(labelled):
    """They are counted by kind, with the first."""
    rows = labelled(*LINES)
    config = {**EXACT, "reference": "{{ item.all[1] }}"}
    column = run_sync(lambda: grade_column(compile_grader(config), rows, Ledger()))

    assert column.scores == [0.0, 0.0, None, None]
    ((kind, tally),) = column.failures.items()
    assert (kind, tally.count) == ("invalid_variable_error", 2)
    assert tally.first.startswith("row 2, sample 0: {{ item.all[1] }}: ")


def test_a_weakness_is_what_a_probe_finds(labelled):
    """On the same rows, without its search; the same in every run."""
    rows = labelled(*LINES)
    config = {**EXACT, "operation": "ilike"}
    options = ProbeOptions(references=(parse_path("item.a"),), limit=10, budget=0)
    found = [
        asyncio.run(weakness(compile_grader(config), rows, Ledger(), options)) for _ in range(2)
    ]
    report = probe(compile_grader(config), rows.rows, options)

    assert found[0] == found[1]
    assert (found[0].share, found[0].rows) == (report.tally.cheated_share, 2) == (1.0, 2)
    assert found[0].interval is None
    assert found[0].attack_share == max(one.wins for one in report.tally.attacks) / 2
    sound = asyncio.run(weakness(compile_grader(EXACT), rows, Ledger(), options))
    assert (sound.share, sound.attack) == (0.0, "")


def test_nothing_to_make_attacks_of_is_no_weakness(labelled):
    """A reference of white space is none; a comparison goes on."""
    blank = {"item": {"a": " "}, "sample": {"output_text": "x", "human": 1}}
    options = ProbeOptions(references=(parse_path("item.a"),), limit=10, budget=0)

    assert asyncio.run(weakness(compile_grader(EXACT), labelled(blank), Ledger(), options)) is None


def test_settings_that_contradict_each_other_do_not_share_a_pass():
    """And those that do not, do."""
    profile = replace(Settings(), tokens="split")
    found = packs(contestants(["bleu", "bleu_none", "gleu", "ratio", "partial"], profile), profile)

    assert [[one.name for one in pack.members.values()] for pack in found] == [
        ["bleu", "gleu", "ratio"],
        ["bleu_none", "partial"],
    ]
    assert all(pack.settings.tokens == "split" for pack in found)

"""`graders compare`: options, exit codes, what people and programs read."""

import json
from pathlib import Path

import pytest
from stand_ins import JUDGE

from graders.cli import main
from graders.starter import FILES

PATHS = ("--reference", "item.answer", "--human", "sample.human")
FEW = ("--metrics", "hash_char,rouge_l,rouge_3", "--resamples", "200")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("labelled.jsonl", "grade.py", "grader.json"):
        Path(name).write_text(FILES[name], encoding="utf-8")


@pytest.fixture
def compare(capsys):
    """Run `graders compare labelled.jsonl ...`; gives the exit code and both outputs."""

    def command(*arguments, rows="labelled.jsonl"):
        code = main(["compare", rows, *PATHS, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def found(compare):
    """The same as JSON, of a comparison that ends well."""

    def command(*arguments, code=0):
        ended, out, err = compare(*arguments, "--json")
        assert (ended, err) == (code, "")
        return json.loads(out)

    return command


def relabelled(change, name="rows.jsonl"):
    """The starter's labelled rows, each sample changed."""
    lines = [json.loads(line) for line in FILES["labelled.jsonl"].splitlines()]
    for line in lines:
        line["samples"] = [change(sample) for sample in line["samples"]]
    Path(name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return name


def test_what_people_read(compare):
    """What was compared, who is best, each measure, what makes a bad reward, and advice."""
    code, out, err = compare(*FEW)
    lines = out.splitlines()

    assert (code, err) == (0, "")
    assert max(map(len, lines)) <= 80
    assert lines[:14] == [
        "labelled.jsonl: 36 rows of 12 items, item.answer against sample.human of 0 to 1",
        "good from 0.5 on (the middle of 0 to 1; --good-from sets it): 19 rows",
        "",
        "  by AUC                    [95 % interval]  behind best   Holm's p",
        "  hash_char            1.000 [1.000, 1.000]         best",
        "  rouge_l               .947  [.875, 1.000]         .053      0.279",
        "  rouge_3               .500   [.500, .500]         .500      0.020",
        "",
        f"  hash_char          {57 * ' '}●",
        f"  rouge_l            {43 * ' '}{8 * '─'}●{6 * '─'}",
        "  rouge_3            ●",
        f"  {18 * ' '} .500{49 * ' '}1.000",
        "",
        "                       AUC pairs Pearson Spearm. Kendall    F1 at threshold",
    ]
    assert "  rouge_3             .500  .500       -       -       -  .691 0 all pass\n" in out
    assert "  rouge_3                   100 %             -             -          50 %\n" in out
    assert "on   most by\n* hash_char  " in out
    assert "\n  good    Use hash_char: AUC 1.00 [1.00, 1.00]; no other is better, and after" in out
    assert "rouge_3 is dead as a reward: 100 % [74 %, 100 %] of items" in out
    assert "The best threshold lets everything pass (0)" in out
    assert "Williams" not in out
    assert lines[-2:] == [
        "  in a run  evaluation_metric cosine, --set cosine=hash_char",
        "  signature cosine|embedder:hash_char",
    ]


def test_what_programs_read(found):
    """All of it: measures with intervals, differences, tests, what to draw."""
    told = found(*FEW)
    one = told["contestants"]["rouge_l"]

    assert list(told["contestants"]) == ["hash_char", "rouge_l", "rouge_3"]
    assert (told["by"], told["best"], told["rows"]["compared"]) == ("auc", "hash_char", 36)
    assert told["recommended"] == "hash_char"
    assert set(one["measures"]) == {
        *("auc", "pairwise_accuracy", "pearson", "spearman", "kendall", "f1")
    }
    for measure in one["measures"].values():
        assert measure["interval"]["low"] <= measure["value"] <= measure["interval"]["high"]
    assert one["threshold"]["interval"]["resamples"] == 200
    assert one["behind_best"]["auc"]["best"] == "hash_char"
    assert one["behind_best"]["auc"]["p"] <= one["behind_best"]["auc"]["p_holm"]
    assert set(one["williams"]["pearson"]) == {"t", "df", "p", "takes"}
    assert sum(one["histogram"]["good"]) == told["labels"]["good"] == 19
    assert sum(one["histogram"]["bad"]) == 17
    assert len(one["points"]) == len(told["points"]["human"]) == len(told["points"]["rows"]) == 36
    assert told["points"]["rows"][1] == {"row": 1, "sample_index": 1}
    assert one["hackability"]["rows"] == 12
    assert one["cost_per_1000"]["cpu_seconds"] > 0
    assert one["signature"] == "rouge_l|v:f1|tok:google|lib:rouge-score-0.1.2"
    assert told["contestants"]["rouge_3"]["measures"]["pearson"] == {
        "value": None,
        "undefined": "scores do not vary: all 36 are 0",
    }
    assert {verdict["code"] for verdict in told["verdicts"]} >= {"recommendation", "dead", "chance"}


def test_all_but_costs_is_the_same_in_every_run(found):
    """And another seed gives other intervals."""

    def without_costs(*arguments):
        told = found(*FEW, *arguments)
        told["verdicts"] = [one for one in told["verdicts"] if one["code"] != "cheaper"]
        del told["pareto"]
        for one in told["contestants"].values():
            del one["cost_per_1000"]
        return told

    first = without_costs()
    assert first == without_costs()
    assert first != without_costs("--seed", "1")


@pytest.mark.parametrize("said", [["--graders", "grade.py", "grader.json"],
                                  ["--graders", "grade.py", "--graders", "grader.json"],
                                  ["--graders=grade.py", "--graders", "grader.json"]])  # fmt: skip
def test_graders_beside_metrics(found, said):
    """Several files behind one option, or an option each; python graders in their sandbox."""
    told = found("--metrics", "rouge_l", "--resamples", "100", "--probe", "3", *said)

    assert set(told["contestants"]) == {"rouge_l", "grade.py", "grader.json"}
    assert told["contestants"]["grade.py"]["measures"]["auc"]["value"] == pytest.approx(
        0.947, abs=1e-3
    )
    assert told["contestants"]["grader.json"]["signature"].startswith("multi|")
    assert all(one["hackability"]["rows"] == 3 for one in told["contestants"].values())


def test_graders_alone(found):
    """Without a metric beside them."""
    told = found("--metrics", "none", "--graders", "grader.json", "--probe", "0")

    assert list(told["contestants"]) == ["grader.json"]
    assert told["contestants"]["grader.json"]["hackability"] is None


def test_rows_that_a_grader_fails_on(compare):
    """Are left out of all, said, and no scores; exit code 1."""
    Path("half.py").write_text("def grade(sample, item):\n    return 1 / ('o' in item['answer'])\n")
    code, out, _ = compare(*FEW, "--graders", "half.py", "grader.json")

    assert code == 1
    assert "rows left out, which some contestant failed on; see below\n" in out
    assert "  failures (not scores; first of each kind)\n    half.py: " in out
    assert " python_grader_runtime_error, row " in out
    assert "A failure is no score." in " ".join(out.split())


def test_rows_without_a_label(compare):
    """Are counted, with the first, and cost no exit code."""
    rows = relabelled(lambda s: s if s["human"] else {"output_text": s["output_text"]})
    code, out, _ = compare(*FEW, rows=rows)

    assert code == 0
    assert "17 rows without a label, left out; the first:\n  rows.jsonl:1:1: {{ sample.hu" in out
    assert "Nothing can be recommended: AUC does not exist, for labels have one class" in " ".join(
        out.split()
    )


def test_lines_that_are_no_rows(compare):
    """Are shown; exit code 1."""
    with Path("labelled.jsonl").open("a") as file:
        file.write("no JSON\n")
    code, out, _ = compare(*FEW)

    assert code == 1
    assert "  bad lines (left out)\n    labelled.jsonl:13:1: not JSON" in out


def test_graded_labels(found):
    """The median is where good begins, or where it is told; ranks decide who is best."""
    rows = relabelled(lambda s: {**s, "human": 1 + 2 * s["human"] + len(s["output_text"]) % 2})
    Path("labelled.jsonl").write_text(Path(rows).read_text("utf-8"), encoding="utf-8")
    told, other = found(*FEW), found(*FEW, "--good-from", "4", "--by", "kendall")

    assert (told["by"], told["labels"]["chosen"]) == ("spearman", "the median")
    assert (other["by"], other["labels"]["good_from"], other["labels"]["chosen"]) == (
        *("kendall", 4.0, "as told"),
    )


def test_correlations_have_williams_test_beside_holms(compare):
    """Which takes rows as independent, and is said to."""
    code, out, _ = compare(*FEW, "--by", "pearson")
    lines = out.splitlines()
    second = next(line for line in lines if line.startswith("  rouge_l"))

    assert code == 0
    assert lines[3] == (
        "  by Pearson's r            [95 % interval]  behind best   Holm's p  Williams' p"
    )
    assert len(second.split()) == 7
    assert max(map(len, lines)) <= 80


def test_nothing_is_recommended_that_is_dead(compare):
    """Nor is it said what gives it in a run."""
    Path("flat.py").write_text("def grade(sample, item):\n    return item['n'] / 99\n")
    lines = [json.loads(line) for line in FILES["labelled.jsonl"].splitlines()]
    for n, line in enumerate(lines):
        line["item"]["n"] = n
        line["samples"] = [{**one, "human": int(n > 5)} for one in line["samples"]]
    Path("rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    few = ("--metrics", "ratio", "--graders", "flat.py", "--probe", "0", "--resamples", "100")
    code, out, _ = compare(*few, rows="rows.jsonl")
    told = json.loads(compare(*few, "--json", rows="rows.jsonl")[1])

    assert code == 0
    assert "\n  bad     Use none of these as a reward: flat.py agrees most, AUC 1.00" in out
    assert "in a run" not in out
    assert (told["best"], told["recommended"]) == ("flat.py", None)


def test_the_best_of_several_references(found):
    """A list at --reference, named in the signature."""
    lines = [json.loads(line) for line in FILES["labelled.jsonl"].splitlines()]
    for line in lines:
        line["item"]["answer"] = [line["item"]["answer"], "or in other words"]
    Path("labelled.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    one = found(*FEW)["contestants"]["rouge_l"]

    assert one["signature"].endswith("|best_of:references")
    assert one["how"] == "evaluation_metric rouge_l, with references"


def judged_by(tmp_path, monkeypatch):
    """A config of a judge, and a client that answers it, counting."""
    Path("judge.json").write_text(json.dumps(JUDGE))
    source = (
        "from graders.clients import ModelReply\nfrom graders.grades import Usage\n"
        "class Client:\n    asked = 0\n    async def complete(self, request):\n"
        "        Client.asked += 1\n"
        "        text = '{\"steps\": [], \"result\": ' + str(Client.asked % 7 / 7) + '}'\n"
        "        return ModelReply(text=text, usage=Usage(prompt_tokens=90, "
        "completion_tokens=10, total_tokens=100))\nclient = Client()\n"
    )
    (tmp_path / "my_judge_of_compare.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)


def test_judges_are_asked_once_a_row_and_attacked_only_when_asked(compare, tmp_path, monkeypatch):
    """Their cost is in tokens."""
    judged_by(tmp_path, monkeypatch)
    asking = ("--graders", "judge.json", "--client", "my_judge_of_compare:client")
    code, out, err = compare("--metrics", "rouge_l", "--resamples", "100", *asking, "--json")
    one = json.loads(out)["contestants"]["judge.json"]
    import my_judge_of_compare

    assert code == 0
    assert err.startswith("note: asking gpt-4o through my_judge_of_compare:client")
    assert my_judge_of_compare.Client.asked == 36
    assert one["hackability"] is None
    del one["cost_per_1000"]["usd"]  # as far as prices are known here
    assert one["cost_per_1000"] == {"cpu_seconds": None, "tokens": 100_000}
    code, out, _ = compare(
        *("--metrics", "none", "--resamples", "100", *asking, "--probe-judges", "--probe", "2")
    )
    assert code == 0
    assert "  judge.json          100,000 tokens " in out.replace("* judge", "  judge")
    assert my_judge_of_compare.Client.asked > 72


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics", "rogue_l"], "there is no metric 'rogue_l'. Did you mean 'rouge_l' or"),
        (["--metrics", "none"], "--metrics none, and no --graders: there is nothing to compare."),
        (["--reference", "sample.human"], "is no path to a value of the item, such as item.answer"),
        (["--reference", "answer"], "--reference"),
        (["--human", "sample"], "'sample' is no path to a value, such as item.answer or sample."),
        (["--graders", "grade.py", "grade.py"], "grade.py is given twice"),
        (["--graders", "rouge_l"], "rouge_l has the name of a metric; rename it"),
        (
            ["--graders", "huge.py"],
            "a score of huge.py is -1.7e+308, and only numbers up to 1e100 can be compared",
        ),
        (["--graders", "a.cases.json"], "a.cases.json is a case file; name the grader that it is"),
        (["--graders", "gone.json"], "gone.json"),
        (
            ["--human", "sample.humn"],
            "labelled.jsonl: no row has an output, a reference and a label",
        ),
        (["--seed", "-1"], "Invalid value for '--seed': -1 is not in the range x>=0."),
        (["--resamples", "99"], "Invalid value for '--resamples': 99 is not in the range x>=100."),
        (["--good-from", "nan"], "Invalid value for --good-from: nan is no label"),
        (
            ["--metrics", "none", "--graders", "fails.py"],
            "no contestant has a score on any row. The "
            "first failure is python_grader_runtime_error of fails.py at row 1, sample 0: Trace",
        ),
    ],
)
def test_what_cannot_be_compared(compare, arguments, message):
    """Ends with exit code 2 and the reason."""
    Path("a.cases.json").write_text("{}")
    Path("rouge_l").write_text(FILES["grader.json"])
    Path("huge.py").write_text(
        "def grade(sample, item):\n    return (-1.7e308, 1.7e308)['O' in sample['output_text']]\n"
    )
    Path("fails.py").write_text("def grade(sample, item):\n    raise ValueError\n")
    code, out, err = compare(*arguments)

    assert (code, out) == (2, "")
    assert message in err


def test_no_rows_are_nothing_to_compare(compare):
    """As the other studies say it: exit code 2."""
    Path("empty.jsonl").touch()
    code, out, err = compare(rows="empty.jsonl")

    assert (code, out) == (2, "")
    assert err.endswith("graders: empty.jsonl: it holds no rows\n")


def test_every_line_fits_a_terminal(compare):
    """Whatever is best, and of one row too, where a threshold of many digits lets all pass."""
    line = json.loads(FILES["labelled.jsonl"].splitlines()[0])
    line["samples"] = [{"output_text": f"It is {line['item']['answer']}, a city.", "human": 1}]
    Path("one.jsonl").write_text(json.dumps(line) + "\n")
    code, out, _ = compare("--metrics", "all", "--probe", "0", rows="one.jsonl")
    lines = out.splitlines()

    assert code == 0
    assert any(one.endswith(" all pass") for one in lines)
    assert max(map(len, lines)) <= 80
    assert not any(one.endswith("best") for one in lines[4:36])


def test_p_values_are_never_shown_as_0(compare):
    """Williams' test of hundreds of rows has tiny ones."""
    lines = [json.loads(line) for line in FILES["labelled.jsonl"].splitlines()]
    copies = [{**one, "item": {**one["item"], "n": n}} for one in lines for n in range(30)]
    Path("many.jsonl").write_text("".join(json.dumps(one) + "\n" for one in copies))
    code, out, _ = compare(
        *("--metrics", "hash_char,rouge_l", "--by", "pearson", "--probe", "0"), rows="many.jsonl"
    )

    assert code == 0
    assert next(one for one in out.splitlines() if "<0.001" in one).startswith("  ")


def test_a_label_of_a_wrong_type(compare):
    """Is a bad line with its place, exit code 1, and loses no other row."""
    lines = FILES["labelled.jsonl"].splitlines(keepends=True)
    first = json.loads(lines[0])
    first["samples"][0]["human"] = "good"
    Path("rows.jsonl").write_text("".join([json.dumps(first) + "\n", *lines]), encoding="utf-8")
    code, out, _ = compare(*FEW, rows="rows.jsonl")

    assert code == 1
    assert "rows.jsonl: 38 rows of 12 items" in out
    assert "bad lines (left out)\n    rows.jsonl:1:1: sample.human is 'good', and a label is" in out


def test_rows_have_to_be_named_before_graders(capsys):
    """What stands behind them is taken for one."""
    assert main(["compare", *PATHS, "--graders", "grade.py", "labelled.jsonl"]) == 2
    assert "Missing argument 'ROWS'" in capsys.readouterr().err


@pytest.mark.long
def test_names_of_files_cannot_rewrite_the_screen(compare):
    """Nor can what a grader says when it fails."""
    name = "red\x1b[31m.py"
    Path(name).write_text("def grade(sample, item):\n    raise ValueError('\\x1b[2J')\n")
    code, out, err = compare("--metrics", "rouge_l", "--resamples", "100", "--graders", name)

    assert code == 1
    assert "\x1b" not in out + err
    assert "red\\x1b[31m.py failed on every row" in out

"""`graders study --report`: the page has what the study found, and the rows that it is of."""

import gzip
import json
from pathlib import Path

import pytest
from html_gallery import HOSTILE
from html_reading import Reader
from taught_rows import LIKE, MULTI, ROWS, SAME, write

from graders.cli import main

TITLES = [
    *("Overview", "Rewards", "Groups", "Passing", "Length and form", "Members", "People", "Noise"),
    *("Drift", "Rows", "How it was made"),
]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("rows.jsonl", *ROWS)
    write("grader.json", MULTI)


@pytest.fixture
def graders(capsys):
    """Run `graders ...`; gives the exit code, standard output and standard error."""

    def command(*arguments):
        code = main([*arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def studied(graders):
    """Results of a run, and the page of their study."""

    def command(*options):
        graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl", "--detail", "all")
        code, out, err = graders("study", "out.jsonl", "--report", "r.html", *options)
        assert (code, err) == (0, "")
        return Reader(Path("r.html").read_text("utf-8")), out

    return command


def data(page):
    return json.loads(page.inside["script", "data"])


def test_a_page_has_all_that_a_study_found(studied, graders):
    page, out = studied("--rows", "rows.jsonl", "--human", "sample.human", "--against", "out.jsonl")
    found, said = data(page), page.text()
    _, as_json, _ = graders(
        *("study", "out.jsonl", "--rows", "rows.jsonl", "--human", "sample.human"),
        *("--against", "out.jsonl", "--json"),
    )

    assert out.endswith("  report   r.html\n")
    assert [*dict.fromkeys(title for title in page.texts if title in TITLES)] == TITLES
    for key in ("samples", "groups", "passing", "members", "length", "form", "human", "drift"):
        assert found[key] == json.loads(as_json)[key]
    for one in found["verdicts"]:
        assert one["text"] in said
    for part in (
        *("graders study", "64 samples of 16 items, 64 with a reward", "50 %", "[25 %, 75 %]"),
        *("Items by the standard deviation of their rewards", "pass@4", "Suggested pass_threshold"),
        *("Member", "How members go with each other", "The same grader, run twice", "All 64 rows."),
        *("graders study out.jsonl --report r.html --rows rows.jsonl", "file rows.jsonl"),
        *("r with the reward", "none: dead does not vary", "always 0", "ends with a full stop"),
    ):
        assert part in said, part


def test_rows_have_their_texts_members_and_details(studied):
    page, _ = studied("--rows", "rows.jsonl")
    first = data(page)["rows"]["rows"][1]

    assert (first["row"], first["sample"], first["output"]) == (1, 1, "abxy.")
    assert first["member same"] == 0.0
    assert first["more"][0] == ["item", '{\n  "a": "abcd",\n  "n": 0\n}']
    assert [label for label, _ in first["more"]][1:] == [
        "output, same: input, like: input, dead: input",
        *("same: reference, like: reference", "dead: reference"),
    ]


def test_rewards_are_points_beside_human_labels_and_of_many_some_are_drawn(studied):
    human = ("--rows", "rows.jsonl", "--human", "sample.human")
    page, _ = studied(*human)
    dots = [given for tag, given in page.tags if tag == "circle" and "class" not in given]

    assert "Rewards and people. 64 points: what people said against reward." in page.text()
    assert "All 64 samples." in page.text()
    assert len(dots) == 64

    rows = data(page)["rows"]
    wanted = [
        float(sample["human"])
        for line in Path("rows.jsonl").read_text().splitlines()
        for sample in json.loads(line)["samples"]
    ]
    assert [row["human"] for row in rows["rows"]] == wanted
    assert "People" in [one["label"] for one in rows["columns"]]

    first, *others = Path("rows.jsonl").read_text().splitlines(keepends=True)
    Path("rows.jsonl").write_text(first * 100 + "".join(others))
    page, _ = studied(*human, "--seed", "3")
    points = data(page)["human"]["points"]

    assert "300 of 460 samples, drawn with seed 3." in page.text()
    assert len(points["rows"]) == len(points["human"]) == len(points["reward"]) == 300
    assert points["rows"] == sorted(points["rows"], key=lambda one: [*one.values()])
    assert len({tuple(one.values()) for one in points["rows"]}) == 300


@pytest.mark.long
def test_a_study_with_every_part_is_below_a_megabyte(graders):
    """Of as many rows as a page has, long ones, and as many members as are drawn."""
    part = {"type": "string_check", "input": "{{ sample.output_text }}", "reference": "a"}
    members = {
        f"m{i}": {**part, "name": f"<{i}>" * 20, "operation": "ilike" if i % 2 else "eq"}
        for i in range(24)
    }
    formula = " + ".join(f"{i + 1} * m{i}" for i in range(24))
    multi = {"type": "multi", "name": "x", "graders": members, "calculate_output": formula}
    Path("wide.json").write_text(json.dumps(multi))
    texts = [("a" if i % 3 else "b") + "<\N{SNOWMAN}>" * (i % 900) for i in range(3_000)]
    write(
        "rows.jsonl",
        *(
            {"item": {"q": text}, "samples": [{"output_text": text, "human": i % 4}, text[:9]]}
            for i, text in enumerate(texts)
        ),
    )
    graders("run", "wide.json", "rows.jsonl", "-o", "out.jsonl")
    code, _, _ = graders(
        *("study", "out.jsonl", "--rows", "rows.jsonl", "--human", "sample.human"),
        *("--against", "out.jsonl", "--resamples", "50", "--report", "r.html"),
    )
    found = data(Reader(Path("r.html").read_text("utf-8")))

    assert code == 0
    assert found["rows"]["shown"] < found["rows"]["total"]  # there was no room for more
    assert len(found["members"]["members"]) == 24
    assert 700_000 < Path("r.html").stat().st_size < 1_000_000


def test_a_study_of_standard_input_has_its_rows(graders, monkeypatch):
    """What can be read once is read once."""
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    with Path("out.jsonl").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        code, _, err = graders("study", "-", "--report", "r.json")

    assert (code, err) == (0, "")
    assert json.loads(Path("r.json").read_bytes())["rows"]["total"] == 64


def test_failures_lead_to_their_rows(graders):
    rows = [{"item": {"a": "x"}, "samples": ["x", "y"]}, {"item": {}, "samples": ["x", "y"]}]
    write("rows.jsonl", *rows)
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    with Path("out.jsonl").open("a") as file:
        file.write("oops\n")
    code, _, _ = graders("study", "out.jsonl", "--report", "r.html")
    page = Reader(Path("r.html").read_text("utf-8"))

    assert code == 1
    assert "2: 50 %" in page.text()
    assert "out.jsonl:5:1: not JSON" in page.text()
    links = [given for tag, given in page.tags if tag == "a" and "data-show" in given]
    assert [one["data-show"] for one in links] == [
        "outcome=failed",  # of the verdict
        "failure=invalid_variable_error",
    ]
    assert {one["href"] for one in links} == {"#rows"}


def test_a_study_of_nothing_says_so(graders):
    write("rows.jsonl", {"item": {}, "sample": "x"})
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    graders("study", "out.jsonl", "--report", "r.html")

    text = Reader(Path("r.html").read_text("utf-8")).text()
    assert "Nothing can be said of rewards: no sample has a reward." in text


def test_hostile_names_stay_text(graders):
    """Names of members, groups and files are whatever somebody wrote."""
    names = [f"m{i}" for i in range(3)]
    members = {name: {**SAME, "name": text} for name, text in zip(names, HOSTILE, strict=False)}
    members["like"] = LIKE
    config = {
        **MULTI,
        "graders": members,
        "calculate_output": "0.5 * m0 + 0.2 * m1 + 0.1 * m2 + 0.2 * like",
    }
    rows = [
        {"item": {"a": HOSTILE[i], "id": HOSTILE[i]}, "samples": [HOSTILE[i], HOSTILE[0], "z"]}
        for i in range(12)
    ]
    write("grader.json", config)
    write("rows.jsonl", *rows)
    graders("run", "grader.json", "rows.jsonl", "-o", "<b>.jsonl", "--group-by", "item.id")
    graders("study", "<b>.jsonl", "--rows", "rows.jsonl", "--report", "r.html")
    page = Reader(Path("r.html").read_text("utf-8"))

    assert not {tag for tag, _ in page.tags} & {"img", "iframe", "b"}
    assert not [key for _, given in page.tags for key in given if key.startswith("on")]
    assert HOSTILE[0] in page.text()


@pytest.mark.parametrize("taken", ["out.jsonl", "rows.jsonl", "old.jsonl", "keyed.jsonl"])
def test_a_report_overwrites_no_input(graders, taken):
    """Whatever an option reads stays."""
    names = ["out.jsonl", "old.jsonl", "keyed.jsonl"]
    for name in names:
        graders("run", "grader.json", "rows.jsonl", "-o", name)
    kept = Path(taken).read_bytes()
    Path("r.html").hardlink_to(taken)
    code, _, err = graders(
        *("study", "out.jsonl", "--rows", "rows.jsonl", "--against", "old.jsonl"),
        *("--outputs", "keyed.jsonl", "--report", "r.html"),
    )

    assert code == 2
    assert f"--report r.html would overwrite {taken}." in err
    assert Path(taken).read_bytes() == kept


def test_another_formula_has_a_page_of_before_and_now(graders):
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl.gz")
    code, out, err = graders(
        *("study", "out.jsonl.gz", "--formula", "max(same, like)", "--report", "r.html"),
        *("-o", "new.jsonl"),
    )
    page = Reader(Path("r.html").read_text("utf-8"))
    found, said = data(page), page.text()
    results = gzip.decompress(Path("out.jsonl.gz").read_bytes()).splitlines()

    assert (code, err) == (0, "")
    assert out.endswith("  report   r.html\n")
    assert found["rows"]["total"] == len(results) == 64
    assert sum(found["histograms"]["before"]["counts"]) == 64
    for part in (
        *("max(same, like)", "of scores changed (", "Samples by reward, before", "Before and now"),
        *("Mean reward", f"{found['after']['mean_reward']:.4g}", "Rows as they are now"),
    ):
        assert part in said, part


@pytest.mark.parametrize("taken", ["out.jsonl", "new.jsonl"])
def test_a_page_of_a_formula_overwrites_nothing(graders, taken):
    graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    Path("new.jsonl").write_text("")
    Path("r.html").hardlink_to(taken)
    arguments = ("--formula", "same", "-o", "new.jsonl", "--report", "r.html")
    code, _, err = graders("study", "out.jsonl", *arguments)

    assert code == 2
    assert f"--report r.html would overwrite {taken}." in err

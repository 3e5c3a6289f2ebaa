"""`graders run --report`: what is on the page is what the run found, however it ran."""

import gzip
import hashlib
import html
import io
import json
import shlex
import sys
from pathlib import Path

import pytest
from html_gallery import HOSTILE
from html_reading import Reader

from graders.cli import main

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
GRADER = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "like": {**EXACT, "name": "like", "operation": "like"}},
    "calculate_output": "0.5 * exact + 0.5 * like",
    "pass_threshold": 0.75,
}


def row(answer, *samples):
    return json.dumps({"item": {"a": answer} if answer else {}, "samples": samples}) + "\n"


ROWS = [row("x", "x", "y"), row("z", "z", HOSTILE[0]), row("", "x"), "oops\n", row("q", "q", "qq")]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("g.json").write_text(json.dumps(GRADER))
    Path("rows.jsonl").write_text("".join(ROWS))


def data(path="r.json"):
    return json.loads(Path(path).read_bytes())


def hashed(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def without_times(found):
    """Data of a report without what differs from run to run."""
    return {
        **found,
        "seconds": None,
        "summary": {**found["summary"], "slowest": None},
        "made": {**found["made"], "command": None},
    }


def test_the_page_has_what_the_run_found(run):
    code, out, err = run("g.json", "rows.jsonl", "--report", "r.html")
    page = Reader(Path("r.html").read_text("utf-8"))
    said = page.text()
    found = json.loads(page.inside["script", "data"])

    assert (code, err) == (1, "")
    assert out.endswith("  report   r.html\n")
    for part in (
        *("graders run", "a multi grader named 'both', from g.json, on rows.jsonl"),
        *("14 % of the samples have no score (1 of 7)", "1 line could not be read and was left"),
        *("invalid_variable_error: 1 sample", "rows.jsonl:4:1: not JSON"),
        "exact: {{ item.a }}: item has no field 'a'. It is empty.",
        "graders run g.json rows.jsonl --report r.html",
        "profile:openai|multi|0.5 * exact + 0.5 * like|exact=string_check|op:eq",
        *("All 7 rows.", "local-graders 0.", "file rows.jsonl", f"sha256 {hashed('rows.jsonl')}"),
    ):
        assert part in said
    assert found["summary"]["mean_reward"] == pytest.approx(3.5 / 6)
    assert found["title"] == "both"
    titles = ["Overview", "Rewards", "Members", "Groups", "Failures", "Rows", "How it was made"]
    assert [title for title in page.texts if title in titles][: len(titles)] == titles


def test_rows_have_their_texts_and_the_command_that_shows_all(run):
    run("g.json", "rows.jsonl", "--report", "r.json", "--detail", "all", "--set", "render=python")
    rows = data()["rows"]
    hostile = rows["rows"][3]

    assert [(one["row"], one["sample"], one["score"]) for one in rows["rows"]] == [
        *((1, 0, 1.0), (1, 1, 0.0), (2, 0, 1.0), (2, 1, 0.0), (3, 0, None), (5, 0, 1.0)),
        (5, 1, 0.5),
    ]
    assert hostile["output"] == HOSTILE[0]
    assert hostile["item"] == "a: z"
    assert [one["label"] for one in rows["columns"]][-4:] == ["Item", "Output", "exact", "like"]
    assert (hostile["member exact"], hostile["member like"]) == (0.0, 0.0)
    assert hostile["more"] == [
        ["item", '{\n  "a": "z"\n}'],
        ["output, exact: input, like: input", HOSTILE[0]],
        ["exact: reference, like: reference", "z"],
    ]
    assert rows["command"] == [
        "graders explain g.json rows.jsonl --set render=python --row ",
        *("row", " --sample-index ", "sample"),
    ]


def test_the_command_that_shows_a_row_does(run, capsys):
    Path("it's here.jsonl").write_text("".join(ROWS))
    run("g.json", "it's here.jsonl", "--report", "r.json", "--pass-threshold", "0.25")
    parts, (*_, last) = data()["rows"]["command"], data()["rows"]["rows"]
    said = "".join(str(last[part]) if i % 2 else part for i, part in enumerate(parts))
    capsys.readouterr()

    assert main(shlex.split(said)[1:]) == 0
    out = capsys.readouterr().out
    assert "row         5, sample 1" in out
    assert "passed" in out


def test_the_data_of_the_page_is_the_file_of_data(run):
    run("g.json", "rows.jsonl", "--report", "r.html", "-o", "out.jsonl")
    run("g.json", "rows.jsonl", "--report", "r.json")
    page = Reader(Path("r.html").read_text("utf-8"))

    assert without_times(json.loads(page.inside["script", "data"])) == without_times(data())


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "out.jsonl"],
        ["-o", "out.jsonl.gz"],
        ["-o", "-"],
        ["-o", "/dev/null"],
        ["-o", "out.jsonl", "--workers", "2"],
        ["--workers", "2"],
        ["--json"],
    ],
)
def test_the_report_is_the_same_wherever_results_go(run, options):
    run("g.json", "rows.jsonl", "--report", "plain.json")
    code, *_ = run("g.json", "rows.jsonl", "--report", "r.json", *options)

    assert code == 1
    assert without_times(data()) == without_times(data("plain.json"))


def test_results_on_standard_output_are_the_same_with_a_report(capfdbinary):
    main(["run", "g.json", "rows.jsonl", "-o", "-"])
    plain = capfdbinary.readouterr().out
    main(["run", "g.json", "rows.jsonl", "-o", "-", "--report", "r.html"])
    told = capfdbinary.readouterr()

    assert told.out == plain
    assert b"report   r.html" in told.err


def test_json_on_standard_output_is_the_summary_alone(run):
    _, out, err = run("g.json", "rows.jsonl", "--json", "--report", "r.html")

    assert json.loads(out)["samples"] == 7
    assert err == "  report   r.html\n"


def test_rows_of_standard_input_have_neither_items_nor_commands(run, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO("".join(ROWS).encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    run("g.json", "-", "--report", "r.json")
    rows = data()["rows"]

    assert rows["command"] is None
    assert rows["total"] == 7
    assert not any("output" in one for one in rows["rows"])


def test_a_run_that_goes_on_reports_all_of_it(run):
    run("g.json", "rows.jsonl", "-o", "out.jsonl", "--limit", "3", "--report", "r.json")
    first = data()
    run("g.json", "rows.jsonl", "-o", "out.jsonl", "--resume", "--report", "r.json")

    assert [one["sample"] for one in first["rows"]["rows"]] == [0, 1, 0]
    assert data()["rows"]["total"] == 7
    assert data()["summary"]["samples"] == 7


EPOCHS = [
    json.dumps({"item": {"a": "x", "g": f"q{item}"}, "samples": [said, "y"]}) + "\n"
    for epoch in range(3)
    for item, said in enumerate(["x" if epoch else "y", "y", "x"])
]


@pytest.mark.parametrize(
    "options", [[], ["-o", "o.jsonl"], ["-o", "o.jsonl", "--workers", "2"], ["--workers", "2"]]
)
def test_a_group_by_name_is_whole_wherever_its_rows_are(run, capsys, options):
    """An epoch after the other; the page, the summary and the study say the same."""
    Path("g.json").write_text(json.dumps(EXACT))
    Path("epochs.jsonl").write_text("".join(EPOCHS))
    named = ["--group-by", "item.g"]
    _, out, _ = run("g.json", "epochs.jsonl", *named, "--report", "r.json", *options)
    run("g.json", "epochs.jsonl", *named, "-o", "s.jsonl")
    main(["study", "s.jsonl", "--json"])
    studied = capsys.readouterr().out
    found, groups = data(), data()["groups"]

    assert "18 samples in 3 groups" in out
    assert (found["summary"]["groups"], groups["count"], groups["share"]) == (3, 3, 1.0)
    assert groups["with_several_scores"] == json.loads(studied)["groups"]["groups"] == 3
    assert groups["all_scores_the_same"] == 1
    assert [[*one.values()][:4] for one in groups["lowest"]] == [
        ["q1", 2, 6, 0.0],
        ["q0", 1, 6, pytest.approx(1 / 3)],
        ["q2", 3, 6, 0.5],
    ]


def test_a_run_that_goes_on_counts_a_name_once(run):
    """What was counted before is not in what is saved, and is counted again."""
    Path("g.json").write_text(json.dumps(EXACT))
    Path("epochs.jsonl").write_text("".join(EPOCHS))
    named = ["g.json", "epochs.jsonl", "--group-by", "item.g", "-o", "o.jsonl"]
    run(*named, "--limit", "7")
    assert b'"kept":{}' in Path("o.run/state.json").read_bytes()
    _, out, _ = run(*named, "--resume")

    assert "18 samples in 3 groups" in out


def test_a_run_that_is_stopped_says_so(run):
    run("g.json", "rows.jsonl", "--failures", "stop", "--report", "r.json")
    verdict = data()["verdicts"][0]

    assert (verdict["code"], verdict["tone"]) == ("ended-early", "bad")
    assert verdict["text"].startswith("The run ended early: stopped at row 3, sample 0")
    assert data()["rows"]["total"] == 5


def test_zipped_rows_are_read_again(run):
    Path("rows.jsonl.gz").write_bytes(gzip.compress("".join(ROWS).encode()))
    run("g.json", "rows.jsonl.gz", "--report", "r.json")

    assert data()["rows"]["rows"][0]["output"] == "x"


def test_rows_that_cannot_be_read_to_their_end_are_reported_as_far(run):
    Path("cut.jsonl.gz").write_bytes(gzip.compress("".join(ROWS).encode())[:-6])
    code, _, err = run("g.json", "cut.jsonl.gz", "--report", "r.json")

    assert code == 2
    assert "the gzip data is cut short" in err
    assert data()["verdicts"][0]["code"] == "ended-early"
    assert data()["rows"]["total"] == 7
    assert data()["rows"]["rows"][0]["output"] == "x"


@pytest.mark.parametrize("number", ["1.7e308", "-1.7e308", "5e-324", "1e9"])
def test_scores_as_large_as_they_go_are_drawn(run, number):
    formula = {**GRADER, "calculate_output": f"{number} * exact + exact"}
    Path("g.json").write_text(json.dumps(formula))
    run("g.json", "rows.jsonl", "--report", "r.html")
    drawn = Path("r.html").read_text("utf-8").partition('id="data"')[0]

    assert "nan" not in Reader(drawn.rpartition("<script")[0] + "</body></html>").text().lower()
    assert "inf" not in drawn.replace("local-graders", "").partition("How it was made</h2>")[0]


JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "m",
    "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}],
}


@pytest.mark.parametrize("grader", [GRADER, JUDGE])
@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_password_of_a_server_is_not_in_it(run, monkeypatch, grader, how):
    query = "" if grader is JUDGE else "?key=QUERY"  # a judge's may not have one
    url = f"http://me:PASSWORD@127.0.0.1:9/v1{query}"
    Path("g.json").write_text(json.dumps(grader))
    options = ["--retries", "0", *(["--base-url", url] if how == "option" else [])]
    if how == "environment":
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "SECRET")
    for report in ("r.html", "r.json"):
        code, *_ = run("g.json", "rows.jsonl", *options, "--report", report)
        text = html.unescape(Path(report).read_text("utf-8"))

        assert code == 1
        assert not [secret for secret in ("PASSWORD", "QUERY", "SECRET") if secret in text]
        assert ("--base-url 'http://***@127.0.0.1:9/v1" in text) == (how == "option")


@pytest.mark.parametrize(
    ("report", "options", "message"),
    [
        ("r.txt", [], "--report r.txt: name a file that ends in .html, or in .json for the page"),
        ("no/r.html", [], "--report no/r.html: there is no folder no."),
        ("d.html", [], "--report d.html: Is a directory."),
        ("g.json", [], "--report g.json would overwrite g.json."),
        ("o.json", ["-o", "o.json"], "--report o.json would overwrite o.json."),
        ("r.html", ["--dry-run"], "--dry-run grades nothing, and --report has nothing to hold."),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_the_run(run, report, options, message):
    Path("d.html").mkdir()
    before = Path("g.json").read_bytes()
    code, out, err = run("g.json", "rows.jsonl", "--report", report, *options)

    assert (code, out) == (2, "")
    assert message in err
    assert Path("g.json").read_bytes() == before


def test_one_sample_has_no_report(run):
    code, _, err = run("g.json", "--sample", "x", "--item", '{"a": "x"}', "--report", "r.html")

    assert code == 2
    assert "--report is of a file of rows, and there is one sample." in err
    assert not Path("r.html").exists()


def test_the_same_run_gives_the_same_page_but_for_times(run):
    pages = []
    for _ in range(2):
        run("g.json", "rows.jsonl", "--report", "r.json")
        pages.append(without_times(data()))

    assert pages[0] == pages[1]


@pytest.mark.long
@pytest.mark.parametrize("command", ["run", "probe", "diff"])
def test_a_page_is_small_whatever_names_and_configs_are(capsys, command):
    long = HOSTILE[8] * 100_000
    member = "m" * 50_000
    grader = {
        **GRADER,
        "name": long,
        "graders": {member: {**EXACT, "name": long}},
        "calculate_output": member,
    }
    Path("long.json").write_text(json.dumps(grader))
    graders = ["long.json"] * (2 if command == "diff" else 1)
    main([command, *graders, "rows.jsonl", "--report", "r.html"])
    capsys.readouterr()
    page = Reader(Path("r.html").read_text("utf-8"))

    assert Path("r.html").stat().st_size < 1_000_000
    if command == "run":
        heads = json.loads(page.inside["script", "data"])["rows"]["columns"]
        assert heads[-1]["label"] == f"{'m' * 40}... (50,000 characters)"
        made = json.loads(page.inside["script", "data"])["made"]
        assert made["config_masked"] is None
        assert made["config"].startswith("sha256 ")

"""What a run is a run of: each difference is named, and what may be secret is not kept."""

import json
from pathlib import Path

import pytest
from kept_runs import BOTH, EXACT, JUDGE, mixed, room, write

from graders.config.parse import parse_config
from graders.results import read_results
from graders.runs import manifest
from graders.runs.manifest import differences, make_manifest
from graders.strict_json import encode

SECRET = "sk-MARKER-0123456789"
SOURCE = "def grade(sample, item):\n    # a word\n    return {}\n"
REMOTE = {
    "type": "endpoint",
    "name": "far",
    "url": f"https://user:{SECRET}@host.example/grade?key={SECRET}",
    "headers": {"Authorization": f"Bearer {SECRET}", "X-Team": "blue"},
}


def python(source):
    return {"type": "python", "name": "code", "source": source}


def multi(**changes):
    exact = {**EXACT, **changes.pop("exact", {})}
    return {**BOTH, "graders": {**BOTH["graders"], "exact": exact}, **changes}


def told(then, now, data=((), ()), settings=({}, {})):
    """How two runs differ, in words."""
    made = [
        make_manifest(parse_config(config).grader, files, given, {})
        for config, files, given in zip((then, now), data, settings, strict=True)
    ]
    again = [json.loads(encode(one)) for one in made]
    assert SECRET not in str(again)
    found = [str(one) for one in differences(*made)]
    assert SECRET not in str(found)
    return found


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (BOTH, BOTH, []),
        (EXACT, {**EXACT, "operation": "ne"}, ["config.operation: 'eq' then, 'ne' now"]),
        (
            multi(),
            multi(exact={"operation": "like"}, pass_threshold=0.7),
            [
                "config.graders.exact.operation: 'eq' then, 'like' now",
                "config.pass_threshold: 0.6 then, 0.7 now",
            ],
        ),
        (
            multi(),
            multi(calculate_output="0.5 * exact + 0.25 * near"),
            ["config.calculate_output: '0.5 * exact + 0.5 * near' then, "
             "'0.5 * exact + 0.25 * near' now"],
        ),
        (
            {**EXACT, "reference": "x" * 100 + "{{ item.a }}"},
            {**EXACT, "reference": "x" * 100 + "{{ item.b }}"},
            ["config.reference: '...a }}' then, '...b }}' now"],
        ),
        (
            python(SOURCE.format("1.0")),
            python(SOURCE.format("0.5")),
            ["config.source, line 3: '    return 1.0' then, '    return 0.5' now"],
        ),
        (
            python(SOURCE.format("1.0")),
            python(SOURCE.format("1.0") + "\nX = 1\n"),
            ["config.source, line 5: nothing then, 'X = 1' now"],
        ),
        (
            JUDGE,
            {**JUDGE, "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}]},
            ["config.input[0].content: '{{ sample.output_text }}' then, "
             "'Rate {{ sample.output_text }}' now"],
        ),
        (JUDGE, {**JUDGE, "range": [0, 10]}, ["config.range[1]: 1.0 then, 10.0 now"]),
        (
            REMOTE,
            {**REMOTE, "url": REMOTE["url"].replace("/grade", "/judge")},
            ["config.url: 'https://***@host.example/grade?***' then, "
             "'https://***@host.example/judge?***' now"],
        ),
    ],
)  # fmt: skip
def test_a_config_that_changed(then, now, expected):
    """By the place in it, and from where texts differ."""
    assert told(then, now) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"headers": {"Authorization": f"Bearer {SECRET}x", "X-Team": "blue"}},
        {"headers": {"Authorization": f"Bearer {SECRET}", "X-Team": "red"}},
        {"url": REMOTE["url"] + "x"},
        {"url": REMOTE["url"].replace("user", "other")},
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_secret_that_changed_shows_its_hash(changed, inside):
    """Nothing of a header's value or of what an address carries is kept or said."""
    then, now = REMOTE, {**REMOTE, **changed}
    if inside:
        then, now = (
            {**BOTH, "graders": {"far": far, "exact": EXACT}, "calculate_output": "far + exact"}
            for far in (then, now)
        )
    (difference,) = told(then, now)
    what, _, values = difference.partition(": ")
    before, _, after = values.removesuffix(" now").partition(" then, ")
    assert what == "config (SHA-256)"
    assert before != after
    assert len(before) == len(after)


def test_a_header_more_is_named():
    """Its name is no secret."""
    more = {**REMOTE, "headers": {**REMOTE["headers"], "X-New": SECRET}}
    assert told(REMOTE, more) == ["config.headers.X-New: nothing then, '***' now"]


def test_only_the_first_few_places_are_named():
    """Another config altogether is told in five lines."""
    assert len(told(BOTH, {**JUDGE, "name": "other"})) == 5


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (["aa"], ["aaa"], ["1.jsonl, bytes: 2 then, 3 now"]),
        (["aa"], ["ab"], ["1.jsonl (SHA-256): '961b6dd3ede3cb8ecb"]),
        (["aa", "b"], ["aa"], ["files of data: 2 then, 1 now"]),
        (["aa", "b"], ["aa", "bb"], ["2.jsonl, bytes: 1 then, 2 now"]),
        (["aa"], ["aa"], []),
    ],
)
def test_data_that_changed(tmp_path, monkeypatch, then, now, expected):
    """By length, or else by hash; where it is does not matter."""
    monkeypatch.chdir(tmp_path)
    data = []
    for folder, contents in (("then", then), ("now", now)):
        Path(folder).mkdir()
        names = [Path(folder, f"{i}.jsonl") for i in range(1, len(contents) + 1)]
        for name, content in zip(names, contents, strict=True):
            name.write_text(content)
        data.append(names)
    found = told(EXACT, EXACT, data=data)
    assert len(found) == len(expected)
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start if start.startswith("files") else f"now/{start}")


def test_a_pipe_has_no_hash():
    """It is not read to be described."""
    made = make_manifest(parse_config(EXACT).grader, [Path("-")], {}, {})
    assert (made.data[0].bytes, made.data[0].sha256) == (None, None)


# --- as commands say it


@pytest.fixture
def unfinished(run, tmp_path, monkeypatch):
    """A run that a full disk ended, with an outputs file."""
    monkeypatch.chdir(tmp_path)
    write("both.json", BOTH)
    write("rows.jsonl", mixed(260))
    write("outputs.jsonl", '"x"\n' * 260)
    with room(20_000):
        assert run(*COMMAND)[0] == 2
    return run


COMMAND = ("both.json", "rows.jsonl", "-o", "out.jsonl", "--outputs", "outputs.jsonl")


def changed_byte(name):
    text = Path(name).read_text()
    Path(name).write_text(text.replace("x", "y", 1).replace("w1 ", "v1 ", 1))


def older(monkeypatch):
    real = manifest.version
    monkeypatch.setattr(
        manifest, "version", lambda name: "3.8" if name == "rapidfuzz" else real(name)
    )


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        (lambda _: write("both.json", multi(calculate_output="exact")), [],
         "config.calculate_output: '0.5 * exact + 0.5 * near' then, 'exact' now"),
        (lambda _: write("rows.jsonl", mixed(261)), [], "rows.jsonl, bytes: "),
        (lambda _: changed_byte("rows.jsonl"), [], "rows.jsonl (SHA-256): '"),
        (lambda _: changed_byte("outputs.jsonl"), [], "outputs.jsonl (SHA-256): '"),
        (older, [], "version of rapidfuzz: '"),
        (None, ["--detail", "all"], "detail: 'failures' then, 'all' now"),
        (None, ["--failures", "zero"], "failures: 'drop' then, 'zero' now"),
        (None, ["--group-by", "n"], "group_by: nothing then, 'n' now"),
        (None, ["--output", "text"], "output: nothing then, 'text' now"),
        (None, ["--key", "n"], "key: nothing then, 'n' now"),
        (None, ["--profile", "azure"], "profile: 'openai' then, 'azure' now"),
        (None, ["--set", "fuzzy_match=ratio"], "profile: 'openai' then, 'openai,fuzzy_match=ra"),
        (None, ["--pass-threshold", "0.9"], "config.pass_threshold: 0.6 then, 0.9 now"),
        (None, ["-o", "out.jsonl.gz"], "results: 'out.jsonl' then, 'out.jsonl.gz' now"),
    ],
)  # fmt: skip
def test_another_run_is_refused_with_the_difference(
    unfinished, monkeypatch, change, options, expected
):
    """And what to do; nothing that is there is touched."""
    if change is not None:
        change(monkeypatch)
    before = {path: path.read_bytes() for path in Path().rglob("out*") if path.is_file()}
    code, out, err = unfinished(*COMMAND, *options, "--resume")
    head, first, *_ = err.splitlines()

    assert (code, out) == (2, "")
    assert head == (
        "graders: out.run is a run of something else, and results of both do not belong in one "
        "file:"
    )
    assert first.startswith(f"  {expected}")
    assert err.endswith(
        "\nPut back what it was, or name another RESULTS, or begin anew with --overwrite\n"
    )
    assert before == {path: path.read_bytes() for path in Path().rglob("out*") if path.is_file()}


def older_form():
    path = Path("out.run/manifest.json")
    path.write_bytes(encode({**json.loads(path.read_bytes()), "form": 1}))


def test_a_run_that_another_version_counted_does_not_go_on(unfinished):
    """What it did not count would be none."""
    older_form()
    code, out, err = unfinished(*COMMAND, "--resume")

    assert (code, out) == (2, "")
    assert err == (
        "graders: out.run was begun by another version, which counted other things (form 1, and "
        "this one's is 2). Go on with that version, or begin anew with --overwrite\n"
    )


def test_what_is_counted_anew_goes_on_from_another_version(unfinished):
    """Where nothing is counted yet, or all is graded again."""
    older_form()
    _, whole, _ = unfinished(*COMMAND[:3], "whole.jsonl", *COMMAND[4:], "--json")
    retried = unfinished(*COMMAND, "--retry", "failures", "--json")
    again = unfinished(*COMMAND, "--resume", "--json")

    groups = json.loads(whole)["groups"]
    assert groups > 100
    assert [json.loads(out)["groups"] for _, out, _ in (retried, again)] == [groups] * 2


def test_a_run_without_its_outputs_is_another(unfinished):
    """The count of files differs."""
    _, _, err = unfinished(*COMMAND[:4], "--resume")
    assert "  files of data: 2 then, 1 now\n" in err


def test_data_may_be_elsewhere(unfinished):
    """What it holds counts, not where it is."""
    Path("rows.jsonl").rename("moved.jsonl")
    code, _, err = unfinished("both.json", "moved.jsonl", *COMMAND[2:], "--resume")
    assert "something else" not in err
    assert code == 1
    assert all(not isinstance(line, Exception) for line in read_results(Path("out.jsonl")))


def test_a_mended_config_is_for_grading_again(unfinished):
    """`--retry failures` takes it, and says so; other data it refuses too."""
    write("both.json", multi(exact={"operation": "like"}))
    difference = "config.graders.exact.operation: 'eq' then, 'like' now"
    code, _, err = unfinished(*COMMAND, "--retry", "failures")
    assert code == 1
    assert f"note: graded again with another {difference}\n" in err

    changed_byte("rows.jsonl")
    code, _, err = unfinished(*COMMAND, "--retry", "failures")
    assert code == 2
    assert "  rows.jsonl (SHA-256): " in err


def test_other_versions_are_for_grading_again(unfinished, monkeypatch):
    """A mended metric is a mended grader."""
    older(monkeypatch)
    _, _, err = unfinished(*COMMAND, "--retry", "failures")
    assert "note: graded again with another version of rapidfuzz: '" in err
    _, _, err = unfinished(*COMMAND, "--resume")
    assert "note: going on behind " in err


def test_other_policies_are_not_for_grading_again(unfinished):
    """Rows that are kept were graded under those that were."""
    code, _, err = unfinished(*COMMAND, "--retry", "failures", "--failures", "zero")
    assert (code, "  failures: 'drop' then, 'zero' now\n" in err) == (2, True)

"""`--client module:attribute`: a client of the user's own, and what is said where it is none."""

import pytest
from stand_ins import KEY, install, results, write


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    install(monkeypatch)


MINE = """
from graders.clients import ModelReply

class Judge:
    async def complete(self, request):
        return ModelReply(text='{"steps": [], "result": 0.25}')

class Silent:
    pass

class Sync:
    def complete(self, request):
        return ModelReply()

class Other:
    async def complete(self, request):
        return ModelReply(text='{"steps": [], "result": 0.75}')

def broken():
    raise ValueError("no luck")

def make():
    return Judge()

class Holder:
    inner = Judge()

made = Judge()
number = 3
"""


@pytest.fixture
def module(request):
    """A module in the current folder, under a name that no other test has imported."""
    name = f"judges_{abs(hash(request.node.name))}"
    write(f"{name}.py", MINE)
    return name


@pytest.mark.parametrize("attribute", ["Judge", "made", "make", "Holder.inner"])
def test_an_object_a_class_or_a_factory(run, module, attribute):
    """From the current folder too; said once whom it asks."""
    code, _, err = run("judge.json", "rows.jsonl", "--client", f"{module}:{attribute}", "-o", "o")

    assert (code, err) == (0, f"note: asking gpt-4o through {module}:{attribute}\n")
    assert [line["score"] for line in results("o")] == [0.25, 0.25]


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("{}", "is not MODULE:NAME, such as judges:client"),
        (":x", "is not MODULE:NAME, such as judges:client"),
        ("{}:", "is not MODULE:NAME, such as judges:client"),
        ("no_such.module:x", "there is no module 'no_such' here or installed"),
        ("bad_import:x", "importing 'bad_import' failed: No module named 'not_there'"),
        ("bad_syntax:x", "importing 'bad_syntax' failed: SyntaxError: "),
        ("{}:mad", "there is no 'mad'. Did you mean 'made'?"),
        ("{}:Holder.outer", "there is no 'outer'. Known names: 'inner'."),
        ("{}:broken", "calling it without arguments failed: ValueError: no luck"),
        ("{}:number", "of type int: no client, it lacks `async def complete(self, request)`"),
        ("{}:Silent", "of type Silent: no client, it lacks `async def complete(self, request)`"),
        ("{}:Sync", "of type Sync: no client, it lacks `async def complete(self, request)`"),
    ],
)
def test_what_is_no_client(run, module, place, problem):
    """Each way to be wrong has a sentence of its own."""
    write("bad_import.py", "import not_there\n")
    write("bad_syntax.py", "def (:\n")
    place = place.format(module)
    code, _, err = run("judge.json", "rows.jsonl", "--client", place)

    assert code == 2
    assert f"--client: {place}: {problem}" in err


# --- what it does


def test_a_cache_tells_one_client_from_another(run, module):
    """What the one answered is never taken for what the other would say."""
    common = ["judge.json", "rows.jsonl", "--cache", "kept.db", "-o", "o"]
    scores = []
    for attribute in ("Judge", "Other", "Judge"):
        run(*common, "--client", f"{module}:{attribute}")
        scores.append([line["score"] for line in results("o")])

    assert scores == [[0.25, 0.25], [0.75, 0.75], [0.25, 0.25]]


def failing(name, body):
    """A module with a client that does so, under a name that no other test has imported."""
    head = "import asyncio\nfrom graders.clients import ModelReply\n"
    write(
        f"{name}.py",
        f"{head}class Judge:\n    async def complete(self, request):\n        {body}\n",
    )
    return f"{name}:Judge"


@pytest.mark.parametrize(
    ("name", "body", "reason", "message"),
    [
        ("slow", "await asyncio.wait_for(asyncio.Event().wait(), 0)", "timeout", "TimeoutError"),
        ("away", f"raise ConnectionError('no way to {KEY}')", "unreachable",
         "ConnectionError: no way to ***"),
        ("gone", f"open('{KEY}')", "unreachable",
         "FileNotFoundError: [Errno 2] No such file or directory: '***'"),
    ],
)  # fmt: skip
def test_an_error_of_its_network_is_the_rows(run, monkeypatch, name, body, reason, message):
    """The run goes on, and no key is said."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    place = failing(f"net_{name}", body)
    code, _, err = run("judge.json", "rows.jsonl", "--client", place, "-o", "o")

    assert (code, err) == (1, f"note: asking gpt-4o through {place}\n")
    assert [line["failure"] for line in results("o")] == [
        {"kind": "model_grader_server_error", "reason": reason, "message": message}
    ] * 2


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("text", "return 'yes'", "the client Judge answered with a str; return a "
         "graders.clients.ModelReply"),
        ("none", "return None", "the client Judge answered with a NoneType; return a "),
        ("bytes", "return ModelReply(text=b'1')", "with a ModelReply whose text is no str"),
        ("key", f"raise RuntimeError('bad {KEY}')", "the client Judge failed at bug_key.py:5: "
         "RuntimeError: bad ***; raise graders.errors.GradingError(FailureKind.MODEL_SERVER, ...) "
         "for what is one row's"),
        ("stop", f"import graders.errors as e; raise e.GradersError('no more of {KEY}')",
         "graders: no more of ***\n"),
        ("plain", "import graders.errors as e; raise e.GradersError('no more')",
         "graders: no more\n"),
        ("empty", "raise ZeroDivisionError", "failed at bug_empty.py:5: ZeroDivisionError; raise"),
    ],
)  # fmt: skip
def test_a_bug_of_it_ends_the_run_in_a_sentence(run, monkeypatch, name, body, message):
    """With its place; no key is said, and no row is charged for it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    place = failing(f"bug_{name}", body)
    code, _, err = run("judge.json", "rows.jsonl", "--client", place)

    assert code == 2
    assert message in err
    assert KEY not in err

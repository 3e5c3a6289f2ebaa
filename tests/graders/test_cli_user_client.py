"""`--client module:attribute`: a client of the user's own, and what is said where it is none."""

import pytest
from stand_ins import install, results, write


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

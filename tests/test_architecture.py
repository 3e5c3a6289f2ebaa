"""The dependency rules, as a test: imports point down the list, never up or across."""

import ast
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "metrics": {"metrics", "numpy", "rapidfuzz"},
    "sandbox": {"sandbox"},
    "graders": {
        *("graders", "metrics", "sandbox"),
        *("click", "msgspec", "numpy", "pydantic", "pydantic_core", "pytest", "rich"),
    },
}
MAY_IMPORT_INSIDE_FUNCTIONS = {  # extras, for those who installed them
    "metrics": {"rouge_score_rs"},
    "sandbox": set(),
    "graders": {
        *("anyio", "fsspec", "genai_prices", "httpx2", "hypothesis", "inspect_ai", "openai"),
        *("pyarrow", "ray"),
        *("python_multipart", "sklearn", "starlette", "uvicorn", "yaml"),
    },
}
LAYERS = [  # within graders, innermost first; a module imports from its own line or those above
    [
        "errors",
        "rows",
        "strict_json",
        "formats",
        "lines",
        "outputs",
        "window",
        "terminal",
        "markup",
        "installation",
        "starter",
        "examples",
        "images",
    ],
    [
        "config",
        "profile",
        "template",
        "texts",
        "formula",
        "clients",
        "grades",
        "grade_html",
        "grade_table",
        "table_lines",
        "ledger",
        "column_map",
        "result_table",
        "row_files",
        "joins",
        "results",
    ],
    ["kinds", "checks"],
    ["compile"],
    ["hosted", "batches", "engine", "frames", "lint", "dry_run", "sampling", "studies", "jobs"],
    ["report", "testing", "moving"],
    ["runs"],
    ["cluster"],
    ["server", "trainers"],
    ["cli", "pytest_plugin"],
]
STUDIES_OF = ["statistics", "teach", "choice", "change"]
ONLY_IN = {"click": "cli", "rich": "cli", "pytest": "pytest_plugin"}
ROOT_MAY_HOLD = {
    *("README.md", "pyproject.toml", "LICENSE"),
    *("graders", "metrics", "sandbox", "tests", "benchmarks"),
}


class Facts(NamedTuple):
    """What the rules ask of a file.

    Attributes:
        imports: Every module, wherever in the file.
        inside: Those only for when some function of it is called, or for type checkers.
        prints: Whether it calls `print`.
    """

    imports: frozenset[str]
    inside: frozenset[str]
    prints: bool


@cache
def facts(path):
    """Of a file, which is parsed once for all rules."""
    everything, inside, prints = [*ast.walk(ast.parse(path.read_text("utf-8")))], set(), False
    for node in everything:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                inside.update(imported(ast.walk(node)))
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                inside.update(imported(ast.walk(node)))
            case ast.Call(func=ast.Name(id="print")):
                prints = True
    return Facts(frozenset(imported(everything)), frozenset(inside), prints)


def imported(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import of {node.module}"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(package):
    return sorted((ROOT / package).rglob("*.py"))


def part_of_graders(path):
    return path.relative_to(ROOT / "graders").parts[0].removesuffix(".py")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages(package):
    """`metrics` and `sandbox` stand alone; `graders` stands on both."""
    allowed = MAY_IMPORT[package] | sys.stdlib_module_names
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in facts(path).imports - optional(package, path)
        if name.split(".")[0] not in allowed
    }

    assert wrong == set()


def optional(package, path):
    extras = MAY_IMPORT_INSIDE_FUNCTIONS[package]
    return {name for name in facts(path).inside if name.split(".")[0] in extras}


def test_layers():
    """Inside `graders`, a module imports only from lower layers or its own."""
    level = {name: i for i, layer in enumerate(LAYERS) for name in layer}
    wrong = set()
    for path in modules("graders"):
        here = part_of_graders(path)
        if here == "__init__":
            continue
        for name in facts(path).imports:
            there = name.split(".")[1] if name.startswith("graders.") else None
            if there in level and level[there] > level[here]:
                wrong.add(f"{path.relative_to(ROOT)} imports graders.{there}")

    assert wrong == set()


@pytest.mark.parametrize("question", STUDIES_OF)
def test_a_study_knows_of_no_other(question):
    """Those of one question stand on what is under all of them, which knows none of them."""
    others = tuple(f"graders.studies.{one}." for one in STUDIES_OF if one != question)
    allowed = ("graders.studies.statistics.",)
    paths = modules(f"graders/studies/{question}")
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in facts(path).imports
        if name.startswith(others) and not name.startswith(allowed)
    }

    assert paths
    assert wrong == set()


def test_every_module_has_a_layer():
    """A new module says where it stands."""
    known = {name for layer in LAYERS for name in layer} | {"__init__"}

    assert {part_of_graders(path) for path in modules("graders")} == known


def test_only_the_command_line_talks_to_a_terminal():
    """Nothing else prints, parses arguments or draws; and only the plugin knows pytest."""
    wrong = set()
    for path in modules("graders"):
        here = part_of_graders(path)
        found = facts(path)
        wrong |= {f"{path} imports {x}" for x in found.imports if ONLY_IN.get(x, here) != here}
        if found.prints and here != "cli":
            wrong.add(f"{path} prints")

    assert wrong == set()


def test_the_root_is_closed():
    """Everything has its place in one of the five folders; dot-files aside."""
    listed = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    made = {name for name in listed if name.endswith(".egg-info")} | {"build", "dist", "starter"}

    assert listed - made == ROOT_MAY_HOLD


@pytest.mark.parametrize("package", [*MAY_IMPORT, "tests", "benchmarks"])
def test_files_hold_one_idea(package):
    """A file of more than 400 lines holds two."""
    long = {
        str(path.relative_to(ROOT)): count
        for path in modules(package)
        if (count := len(path.read_text("utf-8").splitlines())) > 400
    }

    assert long == {}

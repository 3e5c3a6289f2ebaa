"""Run OpenAI-style graders on your own machine, with the same numbers.

>>> import graders
>>> config = {"type": "string_check", "name": "exact", "operation": "eq",
...           "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
>>> graders.grade(config, [{"item": {"answer": "4"}, "sample": "4"}])[0].score
1.0

Names are imported when they are first used, so that `graders --help` stays fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graders import hosted as hosted
    from graders.compile import Tools as Tools
    from graders.compile import compile_grader as compile_grader
    from graders.config.parse import Document as Document
    from graders.config.parse import parse_config as parse_config
    from graders.config.parse import read_config as read_config
    from graders.engine import grade as grade
    from graders.errors import ConfigError as ConfigError
    from graders.errors import Failure as Failure
    from graders.errors import FailureKind as FailureKind
    from graders.errors import Finding as Finding
    from graders.errors import FormulaError as FormulaError
    from graders.errors import GradersError as GradersError
    from graders.errors import GradingError as GradingError
    from graders.errors import RowError as RowError
    from graders.errors import TemplateError as TemplateError
    from graders.grades import Grade as Grade
    from graders.grades import Grader as Grader
    from graders.profile import PROFILES as PROFILES
    from graders.profile import Profile as Profile
    from graders.report.notebook import read_run as read_run
    from graders.report.notebook import study as study
    from graders.results import read_results as read_results
    from graders.row_files import read_rows as read_rows
    from graders.rows import Row as Row

_HOMES = {
    "hosted": "graders.hosted",
    "Tools": "graders.compile",
    "compile_grader": "graders.compile",
    "Document": "graders.config.parse",
    "parse_config": "graders.config.parse",
    "read_config": "graders.config.parse",
    "grade": "graders.engine",
    "ConfigError": "graders.errors",
    "Failure": "graders.errors",
    "FailureKind": "graders.errors",
    "Finding": "graders.errors",
    "FormulaError": "graders.errors",
    "GradersError": "graders.errors",
    "GradingError": "graders.errors",
    "RowError": "graders.errors",
    "TemplateError": "graders.errors",
    "Grade": "graders.grades",
    "Grader": "graders.grades",
    "PROFILES": "graders.profile",
    "Profile": "graders.profile",
    "read_run": "graders.report.notebook",
    "study": "graders.report.notebook",
    "read_results": "graders.results",
    "read_rows": "graders.row_files",
    "Row": "graders.rows",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'graders' has no attribute {name!r}")
    from graders.installation import foreign_module

    if problem := foreign_module():
        raise ImportError(problem)
    module = import_module(home)
    value = module if name == "hosted" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

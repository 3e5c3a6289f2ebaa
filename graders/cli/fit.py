"""`graders compare --fit`: a reward made of several contestants, and the config that gives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from graders.cli.options import refuse_overwriting

if TYPE_CHECKING:
    from graders.config.parse import Document
    from graders.profile import Profile
    from graders.report.compared import Compared
    from graders.studies.choice.fit import Fit
    from graders.testing.contestants import Contestant
    from graders.testing.fitted_config import Export

F = TypeVar("F", bound=Callable[..., object])


def fit_options(command: F) -> F:
    """`--fit NAMES` and `-o CONFIG`."""
    command = click.option(
        "-o", "fit_config", metavar="CONFIG", help="Write the fitted reward here, a multi to run."
    )(command)
    return click.option(
        "--fit",
        "fitted",
        metavar="NAMES",
        help="Make one reward of these metrics and graders, with commas; all.",
    )(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """What is to be fitted.

    Attributes:
        metrics: Metrics that are to be members.
        documents: Graders that are to be members, by name.
        output: Where the config goes; None is nowhere.
    """

    metrics: Sequence[Contestant]
    documents: Mapping[str, Document]
    output: Path | None


def fitting(
    given: Mapping[str, Any],
    rows: str,
    compared: tuple[Sequence[Contestant], Mapping[str, Document]],
    profile: Profile,
) -> Fitting | None:
    """What `--fit` names; None without it.

    Args:
        given: The command's options.
        rows: The file of rows, which must stay.
        compared: Metrics and graders that are compared anyway.
        profile: The settings of the run.

    Raises:
        click.UsageError: A name is none, or the config cannot be written there.
        FitError: scikit-learn is not installed.
    """
    from graders.studies.choice.weights import require_scikit_learn
    from graders.testing.contestants import contestants

    names, output = given["fitted"], given["fit_config"]
    if names is None:
        if output is not None:
            raise click.UsageError("-o is for the config of --fit, and there is no --fit.")
        return None
    require_scikit_learn()
    metrics, documents = compared
    if output == "-":
        raise click.UsageError("-o names a file; standard output is for the comparison.")
    refuse_overwriting(output, (rows, given["outputs"], *given["configs"]))
    path = Path(output) if output is not None else None
    if names == "all":
        return Fitting(metrics=metrics, documents=documents, output=path)
    listed = list(dict.fromkeys(name.strip() for name in names.split(",")))
    try:
        chosen = [name for name in listed if name not in documents]
        members = contestants(chosen, profile.metrics) if chosen else []
    except ValueError as error:
        known = ", ".join(documents)
        also = f" (graders here: {known})" if documents else ""
        raise click.BadParameter(f"{error}{also}", param_hint="--fit") from None
    kept = {name: document for name, document in documents.items() if name in listed}
    return Fitting(metrics=members, documents=kept, output=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fitted reward.

    Attributes:
        fit: The reward.
        export: Its config; None where no run can have it.
        why: Why there is none; empty where there is one.
    """

    fit: Fit
    export: Export | None
    why: str = ""

    def to_lines(self) -> Iterator[str]:
        """For people."""
        from graders.report.fitted import to_lines
        from graders.terminal import printable, wrap

        yield from to_lines(self.fit, self.export)
        if self.why:
            yield from wrap(printable(f"no config can be written: {self.why}"), indent=5, lines=4)

    def to_json(self) -> Mapping[str, object]:
        """For programs."""
        from graders.report.fitted import to_json

        return {**to_json(self.fit, self.export), "no_config": self.why or None}


def fitted(
    wanted: Fitting, compared: Compared, profile: Profile, given: Mapping[str, Any]
) -> Fitted:
    """Fit the reward to the rows that are compared.

    Raises:
        FitError: There is nothing to fit.
    """
    from graders.studies.choice.fit import FitOptions, fit
    from graders.studies.choice.weights import FitError
    from graders.template import look_up, parse_path
    from graders.testing.fitted_config import Reference, multi_config

    found, rows = compared.found, compared.rows
    members = {one.name: one for one in wanted.metrics} | {
        name: document.grader for name, document in wanted.documents.items()
    }
    scores = {one.name: one.scores for one in found.standings if one.name in members}
    if missing := [name for name in members if name not in scores]:
        raise FitError(f"{missing[0]} has no score on any row; leave it out of the fit")
    options = FitOptions(
        good_from=found.labels.good_from, resamples=found.resamples, seed=given["seed"]
    )
    made = fit(
        {name: scores[name] for name in members},
        [rows.labels[i] for i in found.kept],
        [rows.items[i] for i in found.kept],
        options,
    )
    slot = parse_path(compared.reference)
    several = any(isinstance(look_up(slot, rows.rows[i]), list) for i in found.kept)
    reference = Reference(path=str(slot), several=several)
    try:
        return Fitted(fit=made, export=multi_config(made, members, reference, profile=profile))
    except FitError as error:
        return Fitted(fit=made, export=None, why=str(error))


def write_config(found: Fitted, path: Path) -> None:
    """Write the config of a fitted reward.

    Raises:
        FitError: No run can have it.
        OSError: It cannot be written.
    """
    from graders.studies.choice.weights import FitError

    if found.export is None:
        raise FitError(f"{path} is not written: {found.why}")
    text = json.dumps(found.export.config, indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")

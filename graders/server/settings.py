"""What a server is set up with. Requests change none of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graders.compile import Tools
from graders.config.parse import Document
from graders.jobs.bounds import Target
from graders.profile import OPENAI, Profile
from graders.trainers.queries import END_TOKENS
from graders.trainers.recipe import DEADLINE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one request, and all of them together, may take.

    Attributes:
        at_once: Requests under way at a time; more are refused with 503.
        body_bytes: Of a request's JSON.
        upload_bytes: Of one uploaded file.
        in_flight_bytes: Of all bodies under way together; more are refused with 503.
        stored_bytes: Of all files and results that are kept.
        stored_objects: Files, evals, runs and jobs that are kept, of each kind.
        eval_bytes: Of all evals that are kept, which memory holds.
        runs_at_once: Runs of evals that are graded at a time; further ones wait for their turn.
        waiting_runs: Runs that wait for their turn; more are refused with 429.
        rendered_bytes: What the templates of one grading can come to.
        texts: Templates of a grader, those of its members included.
        answers: Of judges for one sample, repeats of all members counted.
        formula_letters: Of a multi's formula.
        batch_gradings: Samples of one batch, counted for each grader in a multi, and for each
            answer of a judge.
        results_bytes: What the results of one batch can come to.
        body_seconds: From a request's first byte to its last.
        answer_seconds: For the answer to a request.
        compute_seconds: For what graders compute by themselves in one grading, in a process that
            is ended then.
        check_seconds: For checking the sources of one grader, in such a process.
        plan_seconds: For the dry run of a fine-tuning job, in a process that is ended then.
        plans_at_once: Dry runs at a time; the rest wait.
        plans_under_way: Those that wait included; more are refused with 429.
    """

    at_once: int = 256
    body_bytes: int = 10_000_000
    upload_bytes: int = 512_000_000
    in_flight_bytes: int = 256_000_000
    stored_bytes: int = 4_000_000_000
    stored_objects: int = 10_000
    eval_bytes: int = 50_000_000
    runs_at_once: int = 2
    waiting_runs: int = 100
    rendered_bytes: int = 64_000_000
    texts: int = 20_000
    answers: int = 2_000
    formula_letters: int = 20_000
    batch_gradings: int = 100_000
    results_bytes: int = 256_000_000
    body_seconds: float = 60.0
    answer_seconds: float = 600.0
    compute_seconds: float = 60.0
    check_seconds: float = 10.0
    plan_seconds: float = 300.0
    plans_at_once: int = 2
    plans_under_way: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewards:
    """How `/get_reward` answers.

    Attributes:
        failed: The reward of a sequence that has no score; None answers with an error instead.
        end_tokens: What is taken off the end of a response.
        seconds: What takes longer has no score; OpenRLHF asks again after 180 s.
    """

    failed: float | None = None
    end_tokens: tuple[str, ...] = END_TOKENS
    seconds: float = DEADLINE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is set up with.

    Attributes:
        tools: What graders need from outside. The judges' client, the sandbox and the hosts of
            endpoint graders are the server's, whatever a request says.
        profile: Settings that decide numbers.
        graders: Configs that can be asked by name.
        token: What requests must bear; None where anybody on this machine may ask.
        target: The service that fine-tuning jobs are meant for.
        hosts: Names by which the server may be called; empty where any will do.
        rewards: How trainers are answered.
        limits: How much requests may take.
    """

    tools: Tools = field(default_factory=Tools)
    profile: Profile = OPENAI
    graders: Mapping[str, Document] = field(default_factory=dict)
    token: str | None = None
    target: Target = "openai-rft"
    hosts: frozenset[str] = frozenset()
    rewards: Rewards = Rewards()
    limits: Limits = Limits()

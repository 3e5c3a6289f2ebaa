"""Two GRPO steps of TRL with rewards of ours, and what the rewards cost.

A tiny Llama with random weights on the CPU, and a tokenizer of bytes: nothing is fetched. Its
completions are noise, half of it no UTF-8, and the grader cannot grade what does not begin with a
character: those rows are failures. What TRL makes of them is printed and checked.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 trl==1.16.0 -e .
    venv/bin/python benchmarks/trainers/trl_run.py [--rounds 31]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import datasets
import torch
import transformers
from tokenizers import Tokenizer, decoders
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer
from trl import __version__ as trl_version

from graders.images import preloads
from graders.trainers import process, trl
from sandbox import Call, open_sandbox

SOURCE = """
def grade(sample, item):
    said = sample["output_text"]
    if not said or said[0] == "\\ufffd":
        raise ValueError("does not begin with a character")
    return sum(letter in item["letters"] for letter in said) / len(said)
"""
CODE = {"type": "python", "name": "code", "source": SOURCE}
SIMILAR = {
    "type": "text_similarity",
    "name": "similar",
    "evaluation_metric": "fuzzy_match",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.letters }}",
}
EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "like",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.letters }}",
}
MULTI = {
    "type": "multi",
    "name": "multi",
    "graders": {"code": CODE, "similar": SIMILAR},
    "calculate_output": "0.75 * code + 0.25 * similar",
}
ROWS = [
    {"prompt": "Say vowels.", "letters": "aeiou"},
    {"prompt": "Say digits.", "letters": "0123456789"},
    {"prompt": [{"role": "user", "content": "Say capitals."}], "letters": "ABCDEFGHIJKLM"},
    {"prompt": [{"role": "user", "content": "Say marks."}], "letters": ".,;:!?"},
]
Reward = Callable[..., list[float | None]]


class Seen(GRPOTrainer):
    """Keeps what it makes of rewards, and how long they took."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.seen: list[dict[str, Any]] = []

    def _calculate_rewards(self, inputs: Any, *rest: Any) -> Any:
        started = time.perf_counter()
        rewards = super()._calculate_rewards(inputs, *rest)
        took = time.perf_counter() - started
        self.seen.append({"rewards": rewards, "reward_seconds": took})
        return rewards

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        output = super()._generate_and_score_completions(inputs)
        self.seen[-1]["advantages"] = output["advantages"]
        return output


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """One token for each byte."""
    specials = ["<pad>", "<eos>", "<bos>"]
    tokens = specials + sorted(ByteLevel.alphabet())
    bytes_ = Tokenizer(BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[]))
    bytes_.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    bytes_.decoder = decoders.ByteLevel()
    bytes_.add_special_tokens(specials)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytes_,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        padding_side="left",
    )
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    return tokenizer


def tiny_model() -> LlamaForCausalLM:
    """Two layers of 32 numbers."""
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=259,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=256,
            pad_token_id=0,
            eos_token_id=1,
            bos_token_id=2,
        )
    )


def trained(rows: list[dict[str, Any]], reward: Reward, folder: str) -> Seen:
    """Two steps of eight completions, four of each prompt."""
    args = GRPOConfig(
        folder,
        max_steps=2,
        per_device_train_batch_size=8,
        num_generations=4,
        max_completion_length=16,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        log_level="error",
        seed=0,
    )
    trainer = Seen(
        model=tiny_model(),
        processing_class=tiny_tokenizer(),
        reward_funcs=[reward],
        args=args,
        train_dataset=datasets.Dataset.from_list(rows),
    )
    trainer.remove_callback(transformers.PrinterCallback)  # `show` says it
    trainer.train()
    return trainer


def show(title: str, trainer: Seen) -> None:
    """What TRL made of each step, checked: a failure is NaN, has advantage 0 and no part."""
    name = trainer.reward_func_names[0]
    print(f"\n{title}")
    logs = [log for log in trainer.state.log_history if "loss" in log]
    failures = 0
    for step, (seen, log) in enumerate(zip(trainer.seen, logs, strict=True), start=1):
        rewards, advantages = seen["rewards"][:, 0], seen["advantages"]
        failed = torch.isnan(rewards)
        failures += int(failed.sum())
        if not torch.all(advantages[failed] == 0):
            sys.exit(f"a failed row has an advantage: {advantages[failed]}")
        for group, kept in zip(rewards.view(-1, 4), advantages.view(-1, 4), strict=True):
            scored = ~torch.isnan(group)
            if scored.sum() > 1 and abs(kept[scored].sum()) > 1e-3:
                sys.exit(f"a failed row is part of a baseline: {group} {kept}")
        print(f"  step {step}: rewards    {numbers(rewards)}")
        print(f"          advantages {numbers(advantages)}")
        print(
            f"          loss {log['loss']:.4f}, grad_norm {log['grad_norm']:.4f}, "
            f"{name}/failed {log[f'{name}/failed']:.3f}, "
            f"rewards {seen['reward_seconds'] * 1e3:.1f} ms of {log['step_time'] * 1e3:.0f} ms"
        )
    if not failures:
        sys.exit("no row failed")


def numbers(values: torch.Tensor) -> str:
    """A line of them."""
    return " ".join(f"{value:6.3f}" for value in values.tolist())


def by_hand() -> dict[str, Reward]:
    """The same rewards as functions that somebody could write, without a sandbox or a check."""
    from rapidfuzz.fuzz import ratio

    module: dict[str, Any] = {}
    exec(SOURCE, module)

    def code(completions: list[str], letters: list[str], **_: object) -> list[float | None]:
        rewards: list[float | None] = []
        for said, wanted in zip(completions, letters, strict=True):
            try:
                rewards.append(module["grade"]({"output_text": said}, {"letters": wanted}))
            except ValueError:
                rewards.append(None)
        return rewards

    def multi(completions: list[str], letters: list[str], **_: object) -> list[float | None]:
        return [
            None if one is None else 0.75 * one + 0.25 * ratio(said, wanted) / 100
            for one, said, wanted in zip(
                code(completions, letters), completions, letters, strict=True
            )
        ]

    def exact(completions: list[str], letters: list[str], **_: object) -> list[float | None]:
        return [float(wanted in said) for said, wanted in zip(completions, letters, strict=True)]

    return {"python": code, "multi": multi, "string_check": exact}


def sandbox_alone(source: str) -> Reward:
    """The calls of a python grader, without us: what the isolation of each row costs."""
    box = open_sandbox(preload=preloads(source))

    def run(completions: list[str], letters: list[str], **_: object) -> list[float | None]:
        calls = [
            Call(source, "grade", [{"output_text": said}, {"letters": wanted}])
            for said, wanted in zip(completions, letters, strict=True)
        ]
        return [outcome.value for outcome in box.run_now(calls)]  # type: ignore[misc, union-attr]

    return run


def measured(rounds: int) -> None:
    """Time of a warm call, ours and others' in turns; the median."""
    hand = by_hand()
    alone = {"sandbox alone": sandbox_alone(SOURCE)}
    contests: dict[str, dict[str, Reward]] = {
        "python": {"ours": trl.reward(CODE), **alone},
        "multi": {"ours": trl.reward(MULTI), **alone},
        "string_check": {"ours": trl.reward(EXACT)},
    }
    print(f"\nof a warm call, medians of {rounds} rounds in turns, in ms")
    print("| reward | completions | ours | for each | by hand | sandbox alone | ours to that |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, contest in contests.items():
        for count in (8, 64, 256):
            given = call(count)
            ours, theirs = (reward(**given) for reward in (contest["ours"], hand[name]))
            if any(abs(a - b) > 1e-12 for a, b in zip(ours, theirs, strict=True)):  # type: ignore[operator]
                sys.exit(f"not the same rewards: {ours} and {theirs}")
            took = in_turns({**contest, "by hand": hand[name]}, given, rounds)
            mine, floor = took["ours"], took.get("sandbox alone")
            print(
                f"| {name} | {count} | {mine:.2f} | {mine / count:.3f} | {took['by hand']:.3f} | "
                + (f"{floor:.2f} | {mine / floor:.2f} |" if floor else "| |")
            )


def call(count: int) -> dict[str, Any]:
    """What TRL would call a reward with."""
    return {
        "prompts": ["p"] * count,
        "completions": [f"vowels are a, e, i, {n}" for n in range(count)],
        "completion_ids": [[1]] * count,
        "letters": ["aeiou"] * count,
        "trainer_state": None,
        "log_extra": lambda *_: None,
        "log_metric": lambda *_: None,
    }


def in_turns(contest: dict[str, Reward], given: dict[str, Any], rounds: int) -> dict[str, float]:
    """The median milliseconds of each."""
    for reward in contest.values():
        reward(**given)  # so that all are warm
    times: dict[str, list[float]] = {kind: [] for kind in contest}
    for _ in range(rounds):
        for kind, reward in contest.items():
            started = time.perf_counter()
            reward(**given)
            times[kind].append((time.perf_counter() - started) * 1e3)
    return {kind: statistics.median(some) for kind, some in times.items()}


def machine() -> str:
    """What it ran on."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "?")
    cores = len(os.sched_getaffinity(0))
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    return (
        f"trl {trl_version}, {versions}, Python {platform.python_version()}, {cores} cores of "
        f"{model}, load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Train twice, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    rounds = parser.parse_args().rounds
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore", FutureWarning)
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        show("a python grader, plain prompts", trained(ROWS[:2], trl.reward(CODE), folder))
        show("a multi, chat prompts", trained(ROWS[2:], trl.reward(MULTI), folder))
        show("the same, awaited", trained(ROWS[2:], trl.async_reward(MULTI), folder))
    measured(rounds)
    process.close_all()


if __name__ == "__main__":
    main()

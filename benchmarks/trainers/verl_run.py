"""`compute_score` under verl's own reward managers, and in an actor of Ray, as its workers are.

Nothing is fetched: a tokenizer of four words, and samples as verl's agent loop hands them on, with
an image in the prompt. Of three samples the grader cannot grade the last. Checked: the rewards, and
that the failure is raised as our GradingError, also from another process.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 transformers "tensordict<=0.10.0" \
        "ray>=2.52" hydra-core codetiming pylatexenc pandas torchdata -e .
    venv/bin/pip install --no-deps verl==0.9.1
    venv/bin/python benchmarks/trainers/verl_run.py
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
from omegaconf import DictConfig, OmegaConf
from tensordict import TensorDict
from verl import DataProto
from verl.trainer.ppo.reward import load_reward_manager

from graders.errors import GradingError

GRADER = {
    "type": "python",
    "name": "code",
    "source": "def grade(sample, item):\n"
    "    if sample['output_text'] == 'die':\n"
    "        raise ValueError(f'the item has {sorted(item)}')\n"
    "    return float(sample['output_text'] == item['answer'])\n",
}
SAID = ["4", "5", "die"]
WAYS = [
    (manager, function)
    for manager in ("naive", "dapo", "gdpo", "remote")
    for function in ("compute_score", "compute_score_async")
    if (manager, function) != ("remote", "compute_score_async")  # verl refuses it
]


class Words:
    """A tokenizer; the first word is padding."""

    words = ("", *SAID)

    def decode(self, ids: torch.Tensor, **_: object) -> str:
        """The text of tokens."""
        return "".join(self.words[int(token)] for token in ids)


def sample(said: str) -> DataProto:
    """What the agent loop sends to a reward worker."""
    response = torch.tensor([[Words.words.index(said), 0]])
    prompt = torch.ones(1, 1, dtype=torch.long)
    batch = {"prompts": prompt, "responses": response, "attention_mask": torch.tensor([[1, 1, 0]])}
    image = [{"role": "user", "content": [{"type": "image", "image": object()}]}]
    of_loop = {"raw_prompt": image, "turn_scores": [], "tool_rewards": [], "global_steps": 1}
    return DataProto(
        batch=TensorDict(batch, batch_size=1),
        non_tensor_batch={
            "data_source": column("openai/gsm8k"),
            "reward_model": column({"ground_truth": "4", "style": "rule"}),
            "extra_info": column({"answer": "4", "index": 7}),
            "tool_extra_fields": column(of_loop),
            "__num_turns__": np.array([2]),
        },
    )


def column(value: object) -> np.ndarray:
    """An array of one object."""
    array = np.empty(1, dtype=object)
    array[0] = value
    return array


def config(manager: str, function: str, grader: str) -> DictConfig:
    """What decides rewards in verl's config."""
    path = "pkg://graders.trainers.verl"
    custom = {"path": path, "name": function, "reward_kwargs": {"grader": grader}}
    named = {"source": "register", "name": manager}
    reward = {"num_workers": 1, "custom_reward_function": custom, "reward_manager": named}
    return OmegaConf.create({"trainer": {"experiment_name": "e"}, "reward": reward})


@ray.remote
class Worker:
    """The part of verl's RewardLoopWorker that needs no model."""

    def __init__(self, settings: DictConfig) -> None:
        self.manager = load_reward_manager(settings, Words())

    async def compute_score(self, data: DataProto) -> Any:
        """Its own words."""
        return await self.manager.run_single(data)


async def rewards(worker: Any) -> list[Any]:
    """What it has for the samples, all at once."""
    asked = [worker.compute_score.remote(sample(said)) for said in SAID]
    return await asyncio.gather(*asked, return_exceptions=True)


def main() -> None:
    """Try each manager with each function that it takes."""
    print(", ".join(f"{name} {version(name)}" for name in ("verl", "ray", "tensordict", "torch")))
    ray.init(num_cpus=len(WAYS) + 1, include_dashboard=False, log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        grader = Path(folder) / "grader.json"
        grader.write_text(json.dumps(GRADER), "utf-8")
        for manager, function in WAYS:
            worker = Worker.remote(config(manager, function, str(grader)))
            *told, failed = asyncio.run(rewards(worker))
            ray.kill(worker)
            scores = [one["reward_score"] for one in told]
            if scores != [1.0, 0.0] or not isinstance(failed, GradingError):
                sys.exit(f"{manager}, {function}: {told} {failed!r}")
            said = failed.failure.message.splitlines()[-1]
            print(f"{manager:8}{function:21}{scores}, and raised: {said}")
    ray.shutdown()


if __name__ == "__main__":
    main()

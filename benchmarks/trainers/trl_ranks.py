"""GRPO on several processes, with a reward of ours that is awaited and one that is not.

Each rank has its own half of the completions, grades them in a pool of its own and gathers the
rewards. `failing` cannot grade anything that the last rank has, so that its failures are another
rank's news; loaders of data fork after the first grading, at each evaluation. Checked on every
rank: the rewards are the same everywhere, a failure is NaN and has the advantage 0, its message is
logged beside its row, and no process of ours is left.

    export ACCELERATE_USE_CPU=true OMP_NUM_THREADS=1
    venv/bin/torchrun --nproc_per_node 2 benchmarks/trainers/trl_ranks.py
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path

import datasets
import torch
import transformers
from accelerate.utils import gather_object
from trl import GRPOConfig
from trl_run import CODE, MULTI, ROWS, Seen, machine, numbers, tiny_model, tiny_tokenizer

from graders.trainers import process, trl

FAILING = {
    "type": "python",
    "name": "failing",
    "source": "def grade(sample, item):\n"
    "    if item['letters'] != 'aeiou':\n"
    "        raise ValueError('no vowels are asked for')\n"
    "    return len(sample['output_text']) / 100\n",
}


def trained(folder: str) -> Seen:
    """Two steps of eight completions, four on each of two ranks, and an evaluation after each."""
    args = GRPOConfig(
        folder,
        max_steps=2,
        per_device_train_batch_size=4,
        per_device_eval_batch_size=4,
        num_generations=4,
        max_completion_length=16,
        eval_strategy="steps",
        eval_steps=1,
        dataloader_num_workers=1,
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
    rows = datasets.Dataset.from_list(ROWS[:2])
    trainer = Seen(
        model=tiny_model(),
        processing_class=tiny_tokenizer(),
        reward_funcs=[trl.reward(FAILING), trl.async_reward(MULTI), trl.async_reward(CODE)],
        args=args,
        train_dataset=rows,
        eval_dataset=rows,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    return trainer


def check(trainer: Seen) -> None:
    """Show what the first rank has, and end where another has something else."""
    rank, logs = trainer.accelerator.process_index, trainer._logs
    names = trainer.reward_func_names
    for step, seen in enumerate(trainer.seen, start=1):
        rewards, advantages = seen["rewards"], seen["advantages"]
        told = gather_object([rewards.nan_to_num(-1.0).tolist()])
        if any(one != told[0] for one in told):
            sys.exit(f"ranks have different rewards: {told}")
        mine = rewards[rank * len(advantages) :][: len(advantages)]
        nothing = torch.isnan(mine).all(dim=1)
        if not torch.all(advantages[nothing] == 0):
            sys.exit(f"rank {rank}: a failed row has an advantage: {advantages[nothing]}")
        if rank == 0:
            print(f"  call {step}:")
            for name, column in zip(names, rewards.T, strict=True):
                print(f"    {name:8}{numbers(column)}")
    for name in names:
        said = list(logs["extra"][f"{name}/failure"])
        failed = [reward != reward for reward in logs["rewards"][name]]  # noqa: PLR0124 - NaN
        if list(map(bool, said)) != failed:
            sys.exit(f"messages are not beside their rows: {said} {failed}")
    if not any(logs["extra"]["failing/failure"]):
        sys.exit("no row failed")


def main() -> None:
    """Train, check on each rank, and look for what is left."""
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore", FutureWarning)
    with tempfile.TemporaryDirectory() as folder:
        trainer = trained(folder)
    ranks = trainer.accelerator.num_processes
    if trainer.accelerator.is_main_process:
        print(f"{ranks} ranks, {machine()}")
    check(trainer)
    process.close_all()
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text("utf-8").split()
    left = [pid for pid in children if "graders" in Path(f"/proc/{pid}/cmdline").read_text("utf-8")]
    if left:
        sys.exit(f"processes are left: {left}")


if __name__ == "__main__":
    main()

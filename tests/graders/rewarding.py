"""Graders for tests of trainers, and scripts that are trainers, in processes of their own."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path
from time import monotonic

from graders.clients import ModelReply
from graders.errors import GradersError
from graders.rows import Row, to_sample
from graders.trainers import process
from graders.trainers.grading import open_grading

HERE = Path(__file__).parent
EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}
CODE = {
    "type": "python",
    "name": "code",
    "source": "import os, time\n"
    "def grade(sample, item):\n"
    "    said = sample['output_text']\n"
    "    if said == 'wait':\n"
    "        time.sleep(60)\n"
    "    if said == 'die':\n"
    "        os.abort()\n"
    "    return float(said == item['answer'])\n",
}
BOTH = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "code": CODE},
    "calculate_output": "0.5 * exact + 0.5 * code",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "j",
    "input": [{"role": "user", "content": "{{ sample.output_text }}"}],
    "range": [0, 1],
}


ASKED = threading.Event()
"""Set when the judge is asked about a text "wait"."""


RAISED = {
    "raise": KeyError("a bug"),
    "exit": SystemExit(3),
    "interrupt": KeyboardInterrupt(),
    "cancel": asyncio.CancelledError(),
}


class Judge:
    """Scores 0.5; of a text "wait" it never says anything, and it raises what `RAISED` names."""

    async def complete(self, request):
        if request.messages[0].content == "wait":
            ASKED.set()
            await asyncio.get_running_loop().create_future()
        if error := RAISED.get(request.messages[0].content):
            raise error
        return ModelReply(text='{"steps": [], "result": 0.5}')


def judging(**options):
    """A grading by a judge."""
    return open_grading(JUDGE, client=Judge, **options)


def no_judge():
    """Makes no client."""
    raise GradersError("no judge today")


def row(said, answer="4"):
    """A row whose sample is a text."""
    return Row(item={"answer": answer}, sample=to_sample(said))


def scores(grades):
    """The scores of grades, and for failures their reasons."""
    return [
        grade.score if grade.failure is None else grade.failure.reason or str(grade.failure.kind)
        for grade in grades
    ]


def graded(grading, text):
    """What a process of a trainer does with what it is sent."""
    return scores(grading.grade([row(text)]))


def busy(grading):
    """Whether a row of it is in the sandbox."""
    box = process.here().opened(grading.recipe).sandbox
    runs = list(box._turns.runs)  # noqa: SLF001 - nothing tells that a row runs, but for its end
    return any(zygote.usable for run in runs for zygote in list(run.busy))


PRELUDE = "from rewarding import *\n"


def start(script, environment=None, **pipes):
    """Start a script that sees what tests see."""
    path = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
    # Python 3.12 warns of forks in processes with threads, which is what this is about.
    ours = {"PYTHONPATH": path, "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(script)],
        env={**os.environ, **ours, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **pipes,
    )


def said(script):
    """What a script prints, a JSON value a line, and that it ended well and said nothing else."""
    with tempfile.TemporaryDirectory() as folder, start(script, {"TMPDIR": folder}) as trainer:
        out, err = trainer.communicate(timeout=300)
    assert (trainer.returncode, err) == (0, ""), err
    return [json.loads(line) for line in out.splitlines()]


def family(pid):
    """Processes that come from another and have not ended, by their parents' ids."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        stats[int(path.parent.name)] = fields[0], int(fields[1])
    found, more = set(), {pid}
    while more:
        more = {one for one, (state, parent) in stats.items() if parent in more and state != "Z"}
        more -= found
        found |= more
    return found


def gone(pids):
    """Whether processes end; the kernel may take a moment over it."""
    until = monotonic() + 60
    while alive := {pid for pid in pids if _runs(pid)}:
        if monotonic() > until:
            return alive
    return True


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def holds():
    """What this process has: threads, children, descriptors, files in its temporary folder."""
    return {
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "children": len(family(os.getpid())),
        "descriptors": len([*Path("/proc/self/fd").iterdir()]),
        "files": sorted(path.name for path in Path(tempfile.gettempdir()).iterdir()),
    }


def tell(value):
    """Say something to whoever started this."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()

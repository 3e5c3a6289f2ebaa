"""METEOR's synonyms are nltk's, for every word, without nltk and without a download.

Run as a script, this module writes the golden words anew from nltk and /usr/share/wordnet.
"""

import gzip
import io
import json
import random
import warnings
from pathlib import Path

import nltk
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_texts import pairs
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.stem.porter import PorterStemmer
from nltk.translate.meteor_score import meteor_score

from metrics import METRICS, wordnet
from metrics.tokens import TOKENIZERS
from metrics.wordnet import SynonymsMissingError, build, synonyms
from metrics.wordnet.table import ENDINGS, LONGEST_WORD, read_table

DICTIONARY = Path("/usr/share/wordnet")
GOLDEN = Path(__file__).parent / "data" / "wordnet_golden.json"
PACKAGE = Path(wordnet.__file__).parent

# Of Debian's package wordnet-base.
needs_dictionary = pytest.mark.needs(str(DICTIONARY))


class Nltk(WordNetCorpusReader):
    """nltk's own reader over Debian's files, which lack `lexnames` (topics: METEOR reads none)."""

    def open(self, file):
        if file == "lexnames":
            return io.StringIO("".join(f"{number:02} topic 1\n" for number in range(45)))
        return super().open(file)

    def map_wn(self, _version="wordnet"):
        """Skip the mapping to other versions of WordNet, which needs files Debian lacks."""

    def words(self):
        irregular = {form for table in self._exception_map.values() for form in table}
        return set(self._lemma_pos_offset_map) | irregular

    def meteor_synonyms(self, word):
        """Return what nltk 3.10's `_enum_wordnetsyn_match` calls `hypothesis_syns`."""
        lemmas = (lemma for synset in self.synsets(word) for lemma in synset.lemmas())
        return {lemma.name() for lemma in lemmas if lemma.name().find("_") < 0} | {word}


def nltk_reader():
    nltk.data.path.append(str(DICTIONARY))  # nltk 3.10 refuses to read from other folders
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the multilingual functions are not available
        return Nltk(str(DICTIONARY), None)


@pytest.fixture(scope="module")
def oracle():
    paths = nltk.data.path.copy()
    yield nltk_reader()
    nltk.data.path[:] = paths


@needs_dictionary
@pytest.mark.long
def test_every_lemma_and_irregular_form_has_nltks_synonyms(oracle):
    assert [word for word in oracle.words() if synonyms(word) != oracle.meteor_synonyms(word)] == []


@pytest.mark.long
@needs_dictionary
def test_stems_and_inflections_have_nltks_synonyms(oracle):
    """What METEOR asks for is stems; and each suffix rule is tried on words of all kinds."""
    stem = PorterStemmer().stem
    some = random.Random(3).sample(sorted(oracle.words()), 4_000)
    endings = {old for rules in ENDINGS.values() for old, _new in rules}
    words = {stem(word) for word in some} | {word + end for word in some for end in endings}

    assert [word for word in words if synonyms(word) != oracle.meteor_synonyms(word)] == []


@needs_dictionary
def test_the_shipped_table_is_what_the_script_builds():
    shipped = gzip.decompress((PACKAGE / "synonyms.txt.gz").read_bytes()).decode()

    assert shipped == build.table_text(DICTIONARY)
    assert (PACKAGE / "LICENSE").read_text(encoding="utf-8") == build.licence_text(DICTIONARY)


def test_the_golden_words_have_nltks_synonyms():
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))

    assert len(golden) > 500
    assert {word: sorted(synonyms(word)) for word in golden} == golden


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("mice", {"mice", "mouse", "shiner"}, id="irregular"),
        pytest.param("moussakas", {"moussakas", "moussaka"}, id="regular"),
        pytest.param("Moussakas", {"Moussakas", "moussaka"}, id="asked in lower case"),
        pytest.param("paris", {"paris", "Paris"}, id="answered as WordNet writes it"),
        pytest.param("mouse_click", {"mouse_click", "click"}, id="a lemma of several words"),
        pytest.param("happi", {"happi"}, id="a stem that is no word"),
        pytest.param("", {""}, id="empty"),
        pytest.param("=", {"="}, id="the file's own mark"),
        pytest.param("\ud83d", {"\ud83d"}, id="lone surrogate"),
        pytest.param("a\n\nb", {"a\n\nb"}, id="the file's own separator"),
    ],
)
def test_synonyms(word, expected):
    assert synonyms(word) == expected


@given(st.text())
def test_a_word_is_its_own_synonym(word):
    assert word in synonyms(word)


def test_no_word_of_the_table_is_too_long_to_be_looked_up():
    table = read_table(PACKAGE / "synonyms.txt.gz")
    forms = [form for part in table.parts for form in (*part.synonyms, *part.exceptions)]

    assert max(map(len, forms)) + 3 <= LONGEST_WORD
    assert synonyms("x" * 1_000_000) == {"x" * 1_000_000}


def test_a_missing_table_is_an_error_of_its_own(tmp_path):
    with pytest.raises(SynonymsMissingError, match=r"synonym table is missing; .*no_synonyms"):
        read_table(tmp_path / "synonyms.txt.gz")


def golden_words(reader):
    """Choose lemmas, irregular forms, inflections, stems and words that WordNet does not have."""
    pick, stem = random.Random(0), PorterStemmer().stem
    lemmas = pick.sample(sorted(reader.words()), 300)
    common = ["happy", "run", "dogs", "better", "taller", "slowly", "went", "geese", "us", "as"]
    absent = ["", " ", "zzzz", "日本", "İstanbul", "naïve", "'s", "can't", "U.S.", "3.14", "--"]
    inflected = [pick.choice(lemmas) + pick.choice(["s", "es", "ed", "ing"]) for _ in range(100)]
    return {*lemmas, *common, *absent, *inflected, *map(stem, lemmas), *map(stem, common)}


if __name__ == "__main__":
    nltks = nltk_reader()
    answers = {word: sorted(nltks.meteor_synonyms(word)) for word in sorted(golden_words(nltks))}
    lines = ",\n".join(f" {json.dumps(w)}: {json.dumps(s)}" for w, s in answers.items())
    GOLDEN.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


@needs_dictionary
@pytest.mark.parametrize(("file", "step"), [("stsb_en_test", 7), ("summeval", 60)])
def test_meteor_is_nltks_with_its_own_wordnet(oracle, file, step):
    """The whole way, nltk's reader and matching on one side and ours on the other."""
    split = TOKENIZERS["nltk_word"]

    for candidate, reference in pairs(file)[::step]:
        theirs = meteor_score([split(reference)], split(candidate), wordnet=oracle)
        assert METRICS["meteor"].pair(candidate, reference) == theirs

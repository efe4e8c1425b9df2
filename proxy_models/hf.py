"""Score any Hugging Face causal language model, given as a folder, on the same requests (optional extra `hf`).

Nothing is downloaded. Tokens are joined as lm-evaluation-harness joins them: a start token stands only before what
has no context, so that log-probabilities compare with its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from proxy_models.requests import Request, RequestSet, encode
from proxy_models.score import Scores, check_fit, row_batches

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BATCH_LOGITS = 1 << 26  # logits that exist at once, 256 MB of fp32


@dataclass(frozen=True)
class HfModel:
    """model: a transformers causal language model. start: text of the token before what has no context. context:
    the most tokens it reads at once."""

    model: Any
    tokenizer: Tokenizer
    start: str
    context: int

    @property
    def vocab_size(self) -> int:
        """Tokens that the model has embeddings of; some have more than their tokenizer."""
        return self.model.get_input_embeddings().weight.shape[0]


def load_hf(folder: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> HfModel:
    """The model and tokenizer of a folder. Raises ValueError for a folder without them, and without transformers."""
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ValueError("scoring Hugging Face folders needs the extra `hf`: pip install 'mixwright[hf]'") from error
    if not (folder / "config.json").is_file():
        raise ValueError(f"{folder} is no folder of a Hugging Face model: it holds no config.json")
    try:
        # nothing that the folder brings is run: no code, no pickled weights
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: {error}") from error
    fast = getattr(tokenizer, "backend_tokenizer", None)
    start = tokenizer.bos_token or tokenizer.eos_token
    if fast is None or start is None:
        raise ValueError(f"{folder}: expected a fast tokenizer (tokenizer.json) with a start or an end token")
    longest = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 2048
    return HfModel(model.to(device).eval(), fast, start, int(longest))


def encode_for(model: HfModel, requests: Sequence[Request]) -> RequestSet:
    """Requests as rows of the model's own tokens."""
    return encode(requests, model.tokenizer, model.context, eot=model.start, always=False)


@torch.no_grad()
def score_hf(model: HfModel, requests: RequestSet) -> Scores:
    """Scores of one set. Raises ValueError when it does not fit the model."""
    check_fit(requests, model.context, model.vocab_size)
    sums = np.zeros(len(requests), dtype=np.float64)
    device = next(model.model.parameters()).device
    for batch in row_batches(requests, max(1, _BATCH_LOGITS // model.vocab_size), device):
        columns = np.flatnonzero(batch.scored.any(0))  # the model's own head, so that scaling and caps are its own
        kept = torch.from_numpy(columns).to(device)
        logits = model.model(input_ids=batch.inputs, use_cache=False, logits_to_keep=kept).logits
        chosen = logits[torch.from_numpy(batch.scored[:, columns]).to(device)].float()
        gold = chosen.gather(1, batch.targets[:, None])[:, 0]
        batch.add(torch.logsumexp(chosen, -1) - gold, sums)
    return Scores(sums, requests.scored.copy())

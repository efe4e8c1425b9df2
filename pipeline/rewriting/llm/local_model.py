"""A causal language model from a local folder or GGUF file: loaded without running anything it brings, and read in
batches whose rows share the work of their common beginning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError
from pipeline.rewriting.llm.encoding import Encoder
from pipeline.rewriting.llm.loaded import loaded

if TYPE_CHECKING:  # a mix is checked without it
    import torch

READ = (".safetensors", ".json", ".model", ".txt", ".jinja")
"""Endings of what is read of a folder; weights of other formats could hold code."""


def model_files(path: Path) -> list[Path]:
    """Return the files of a model that what it writes depends on. Raises InputError where it is not one we read."""
    if path.is_file() and path.suffix == ".gguf":
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: no folder of a model and no .gguf file")
    files = sorted(each for each in path.iterdir() if each.suffix in READ)
    if not any(each.suffix == ".safetensors" for each in files):
        raise InputError(f"{path}: expected weights as .safetensors (pickled ones are not read), or name a .gguf file")
    return files


@dataclass(frozen=True)
class LocalModel:
    """context: the most tokens that it reads. ends: ids of tokens that end a reply. cache: what its keyword for a cache
    is called, which transformers has changed."""

    model: Any
    encoder: Encoder
    device: str
    context: int
    ends: frozenset[int]
    cache: str

    def decode(self, ids: Sequence[int]) -> str:
        return self.encoder.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def load_local(path: str, dtype: str, gpu: bool = False) -> LocalModel:
    """Load once per process, on the GPU if it may and torch sees one. Raises InputError for what cannot be loaded."""
    return loaded(("transformers", path, dtype, gpu), lambda: _load(path, dtype, gpu))


def _load(path: str, dtype: str, gpu: bool) -> LocalModel:
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError:
        raise InputError("the backend `transformers` needs its library: pip install 'mixwright[hf]'") from None
    place = Path(path)
    model_files(place)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    folder = place
    try:
        if place.is_file():
            from transformers import GgufConfig

            folder, options["gguf_file"] = place.parent, place.name
            tokenizer = AutoTokenizer.from_pretrained(folder, **options)
            options["quantization_config"] = GgufConfig(dequantize=True)
        else:
            tokenizer = AutoTokenizer.from_pretrained(folder, **options)
            options["use_safetensors"] = True
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype), **options)
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"{path}: the model cannot be loaded: {error}") from None
    model.requires_grad_(False)
    device = "cuda" if gpu and torch.cuda.is_available() else "cpu"
    cache = "cache" if "cache" in signature(model.forward).parameters else "past_key_values"
    longest = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 2048
    ends = {tokenizer.eos_token_id}
    generation = getattr(model, "generation_config", None)
    told = getattr(generation, "eos_token_id", None)
    ends |= set(told) if isinstance(told, list) else {told}
    encoder = Encoder(tokenizer)
    return LocalModel(model.to(device).eval(), encoder, device, int(longest), frozenset(ends - {None}), cache)


@dataclass
class Read:
    """A batch that was read: the cache to go on from, and the logits of the last columns.

    mask: rows × columns, 1 where there is a token. length: tokens of each row. logits: rows × kept columns ×
    vocabulary.
    """

    cache: Any
    mask: torch.Tensor
    length: torch.Tensor
    logits: torch.Tensor


def read_rows(local: LocalModel, rows: Sequence[Sequence[int]], keep: int = 1) -> Read:
    """Read rows of token ids together and keep the logits of their last `keep` columns.

    What all rows begin with is read once; the rest is padded on the left, with positions that leave the padding out.
    """
    import torch
    from transformers import DynamicCache

    shared = 0
    if len(rows) > 1:
        common = takewhile(lambda column: len(set(column)) == 1, zip(*rows, strict=False))
        shared = max(0, min(len(list(common)), min(map(len, rows)) - keep))
    width = max(len(row) for row in rows) - shared
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.ones(len(rows), shared + width, dtype=torch.long)
    places = torch.zeros(len(rows), width, dtype=torch.long)
    for i, row in enumerate(rows):
        rest = len(row) - shared
        ids[i, width - rest :] = torch.tensor(row[shared:])
        mask[i, shared : shared + width - rest] = 0
        places[i, width - rest :] = torch.arange(shared, len(row))
    device = local.device
    cache = DynamicCache(config=local.model.config)
    if shared:
        first = torch.tensor([list(rows[0][:shared])], device=device)
        local.model(input_ids=first, use_cache=True, logits_to_keep=1, **{local.cache: cache})
        cache.batch_repeat_interleave(len(rows))
    mask = mask.to(device)
    logits = local.model(
        input_ids=ids.to(device),
        attention_mask=mask,
        position_ids=places.to(device),
        use_cache=True,
        logits_to_keep=keep,
        **{local.cache: cache},
    ).logits
    return Read(cache, mask, mask.sum(1), logits)

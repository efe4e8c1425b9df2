"""Run by `benchmarks/score.py --equality` in the peer's environment: lm-evaluation-harness on local tasks, as JSON.

    python benchmarks/peer_lm_eval.py MODEL_FOLDER TASK_FOLDER TASK...

Prints task -> acc, acc_norm and logprobs (document -> log p of every choice).
"""

from __future__ import annotations

import json
import sys

import lm_eval  # type: ignore[import-not-found]
import torch
from lm_eval.models.huggingface import HFLM  # type: ignore[import-not-found]
from lm_eval.tasks import TaskManager  # type: ignore[import-not-found]


def main(model: str, folder: str, *tasks: str) -> None:
    torch.set_num_threads(1)
    peer = HFLM(pretrained=model, dtype="float32", device="cpu", batch_size=8)
    manager = TaskManager(include_path=folder, include_defaults=False)
    found = lm_eval.simple_evaluate(peer, tasks=list(tasks), task_manager=manager, log_samples=True, bootstrap_iters=0)
    assert found is not None
    print(
        json.dumps(
            {
                name: {
                    "acc": found["results"][name]["acc,none"],
                    "acc_norm": found["results"][name]["acc_norm,none"],
                    "logprobs": {
                        sample["doc_id"]: [response[0][0] for response in sample["resps"]]
                        for sample in found["samples"][name]
                    },
                }
                for name in tasks
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

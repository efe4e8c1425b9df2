"""A training in a process of its own, to be killed: `python resumed_training.py CORPUS STATE OUT NAME STEPS_FILE`.

It writes its state after every step and appends a line to STEPS_FILE for every loss it reports.
"""

from __future__ import annotations

import sys
from pathlib import Path

from proxy_corpus import TINY

from proxy_models.feed import DomainArrays, open_feed
from proxy_models.hardware import choose_plan
from proxy_models.resume import Resume
from proxy_models.settings import OptimiserConfig, TrainConfig, chunks_of
from proxy_models.train import train


def config_of(name: str) -> TrainConfig:
    """40 steps, with all that a run can keep on its way."""
    optimiser = OptimiserConfig(name, lr=1e-2, embedding_lr=2e-2)  # type: ignore[arg-type]
    return TrainConfig(40_960, 1024, optimiser, average=0.3, snapshots=(0.25, 0.5), micro_tokens=512)


def run(corpus: Path, out: Path, name: str, resume: Resume | None = None, steps: Path | None = None) -> None:
    config = config_of(name)
    arrays = {
        domain: DomainArrays(domain, [corpus / f"{domain}.bin"], "uint16", TINY.context, TINY.vocab_size)
        for domain in ("code", "wikipedia")
    }
    feed = open_feed(arrays, {"code": 0.5, "wikipedia": 0.5}, chunks_of(TINY, config), share=1.0, seed=0)

    def progress(tokens: int, _loss: float) -> None:
        if steps:
            with open(steps, "a") as file:
                file.write(f"{tokens}\n")

    train(TINY, config, feed, choose_plan("cpu", say=lambda _: None), out, progress, resume=resume)


if __name__ == "__main__":
    corpus, state, out, name, steps = sys.argv[1:]
    run(Path(corpus), Path(out), name, Resume(Path(state), seconds=0.0), Path(steps))

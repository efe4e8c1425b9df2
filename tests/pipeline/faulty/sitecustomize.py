"""On PYTHONPATH of a run's processes: a stage `faulty`, added when `pipeline.stages` is imported, and poisoned shards.

Python imports a module of this name at its start, so workers have the stage that no worker has outside of tests.
"""

from __future__ import annotations

import ctypes
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from pathlib import Path


def faulty(job) -> dict:
    """Do what `args` says: `do`, the first `times` times (counted in a file at `place`), then succeed."""
    count = Path(job.place["count"])
    with open(count, "a") as file:
        file.write("x")
    if count.stat().st_size <= job.args["times"]:
        harm(job.args["do"])
    (job.out / "tries").write_text("done")
    return {"documents": 1}


def harm(what: str) -> None:
    if what == "segfault":
        ctypes.string_at(0)
    elif what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif what == "hang":
        time.sleep(3600)
    elif what == "disk full":
        raise OSError(28, "No space left on device")
    elif what == "bug":
        raise ValueError("a bug in the stage")


def poisoned(work):
    """Return `sources.work` that a shard called poison ends."""

    def read(job):
        if Path(job.place["path"]).name.startswith("poison") and "crashed" not in job.args:
            harm("segfault")
        return work(job)

    return read


def venomous(work):
    """Return what does `annotate` units, ended by a document called venom7, and by gang0 and gang1 in one shard."""

    def annotate(jobs):
        import polars as pl

        for job in jobs if isinstance(jobs, list) else [jobs]:
            names = set(pl.read_parquet(job.inputs["documents"] / "documents.parquet")["id"])
            if "venom7" in names or names >= {"gang0", "gang1"}:
                harm("segfault")
        return work(jobs)

    return annotate


class AfterStages(importlib.abc.MetaPathFinder):
    """Adds to `pipeline.stages` as it is imported."""

    def find_spec(self, name, path, target=None):
        if name != "pipeline.stages":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module) -> None:
            execute(module)
            module.WORK["faulty"] = faulty
            module.WORK["sources"] = poisoned(module.WORK["sources"])
            for table in (module.WORK, module.TOGETHER):
                table["annotate"] = venomous(table["annotate"])

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, AfterStages())

"""On PYTHONPATH of a run's processes: `flaky://PATH`, a store in a local folder whose calls fail and are slow.

What it does is in the file `PATH.json`: `seed`, `failing` and `slow` (shares of the calls), `seconds` that a slow call
takes at most. Of failing calls half have done their work: the answer was lost. Python imports a module of this name at
its start.

And a stage `tiny` that does next to nothing, added when `pipeline.stages` is imported: for benchmarks/overhead.py.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import json
import os
import random
import sys
import time
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem


class Flaky(LocalFileSystem):
    protocol = "flaky"

    def __init__(self, **options) -> None:
        super().__init__(auto_mkdir=True, **options)
        self._random: random.Random | None = None
        self._plan: dict[str, float] = {}

    @classmethod
    def _strip_protocol(cls, path):
        return os.path.abspath(str(path).removeprefix("flaky://")) if isinstance(path, str) else path

    def harm(self, path: str) -> bool:
        """Wait or raise as the plan says; return whether the call is to raise once it has done its work."""
        if self._random is None:
            place = Path(path)
            file = next(f for each in (place, *place.parents) if (f := each.with_name(f"{each.name}.json")).is_file())
            self._plan = json.loads(file.read_text())
            self._random = random.Random(self._plan["seed"] * 1_000_003 + os.getpid())
        if self._random.random() < self._plan["slow"]:
            time.sleep(self._random.random() * self._plan["seconds"])
        if self._random.random() >= self._plan["failing"]:
            return False
        if self._random.random() < 0.5:
            raise TimeoutError(f"{path}: the store gives no answer")
        return True


def _flaky(name: str):
    plain = getattr(LocalFileSystem, name)

    def call(self, path, *args, **options):
        remote = args[0] if name == "put_file" else path
        late = self.harm(self._strip_protocol(remote))
        found = plain(self, path, *args, **options)
        if late:
            raise TimeoutError(f"{remote}: the store's answer was lost")
        return found

    return call


for _name in ("ls", "cat_file", "pipe_file", "put_file", "get_file"):
    setattr(Flaky, _name, _flaky(_name))

fsspec.register_implementation("flaky", Flaky)


def tiny(job) -> dict[str, int]:
    (job.out / "value.json").write_text(json.dumps(job.args))
    return {"documents": 1}


class _AfterStages(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "pipeline.stages":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def exec_module(module) -> None:
            execute(module)
            module.WORK["tiny"] = tiny

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _AfterStages())

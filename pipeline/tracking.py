"""Proxies on an MLflow server, beside the run's own files: a run of MLflow for each proxy, with its mix and its scores.

What is there already is found by the proxy's key, so a command that goes on logs nothing twice. A server that fails
ends no run of ours: it is said, and the rest of the command logs nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.errors import InputError
from pipeline.failures import FAILED
from pipeline.run import Run
from pipeline.units import Unit

_KEY, _RUN, _PART = "mixwright.key", "mixwright.run", "mixwright.part"
PARTS = {"train": "swarm", "proof": "proof", "transfer": "transfer"}
"""Stage of a run → the part of it that a proxy is trained for."""

TRACKED = ("train", "score")
"""Stages of the units that are logged."""

_SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
"""Unless the environment says otherwise: nothing is sent elsewhere, and a server that fails holds up no run."""


class Tracker:
    """Logs to the MLflow server, or database, of a tracking URI."""

    def __init__(self, run: Run, uri: str, say: Callable[[str], None]) -> None:
        """Open the experiment `mixwright/<YAML's stem>`. Raises InputError without MLflow's client or server."""
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow import MlflowClient
        except ImportError:
            raise InputError("--mlflow needs MLflow's client: pip install 'mixwright[mlflow]'") from None
        self._folder, self._say, self._works = run.folder, say, True
        name = f"mixwright/{run.mix.stem}"
        try:
            self._client: Any = MlflowClient(tracking_uri=uri)
            found = self._client.get_experiment_by_name(name)
            self._experiment = found.experiment_id if found else self._client.create_experiment(name)
            there = list(self._all())
        except Exception as error:  # MLflow raises its own and those of its transports
            raise InputError(f"MLflow at {uri}: {type(error).__name__}: {error}") from None
        self._ids = {each.data.tags.get(_KEY): each.info.run_id for each in there}
        self._logged = {(each.info.run_id, name) for each in there for name in each.data.metrics}

    def _all(self) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs([self._experiment], max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def log(self, stage: str, unit: Unit, counts: dict[str, Any]) -> None:
        """Log a finished unit, a proxy or the scores of one; stage: of the run; counts: what the unit counted."""
        if not self._works:
            return
        try:
            (self._log_proxy if unit.stage == "train" else self._log_scores)(stage, unit, counts)
        except Exception as error:
            self._works = False
            self._say(f"MLflow: {type(error).__name__}: {error}; this command logs no more proxies")

    def _log_proxy(self, stage: str, unit: Unit, counts: dict[str, Any]) -> None:
        from mlflow.entities import Metric, Param

        if unit.ref in self._ids:
            return
        tags = {_KEY: unit.ref, _RUN: self._folder, _PART: PARTS.get(stage, stage)}
        run_id = self._client.create_run(self._experiment, run_name=unit.name, tags=tags).info.run_id
        asked = {"preset": unit.args["preset"], "seed": unit.args["seed"]}
        asked |= {f"weight/{domain}": weight for domain, weight in unit.args["weights"].items()}
        seen = {name: counts[name] for name in ("tokens", "first_loss", "last_loss") if name in counts}
        seen |= {f"repetition/{domain}": value for domain, value in counts.get("repetition", {}).items()}
        now = round(1000 * time.time())
        self._client.log_batch(
            run_id,
            metrics=[Metric(name, float(value), now, 0) for name, value in seen.items()],
            params=[Param(name, str(value)) for name, value in asked.items()],
        )
        self._client.set_terminated(run_id, "FAILED" if FAILED in counts else "FINISHED")
        self._ids[unit.ref] = run_id

    def _log_scores(self, stage: str, unit: Unit, counts: dict[str, Any]) -> None:
        from mlflow.entities import Metric

        run_id = self._ids.get(unit.inputs["proxy"])
        task, side = unit.name.partition("|")[2], unit.args["side"]
        name = f"{side}/{task}"
        if run_id is None or (run_id, name) in self._logged:
            return
        now = round(1000 * time.time())
        metrics = [
            Metric(name if metric == "bpb" else f"{name}.{metric}", value, now, 0)
            for metric, value in counts.items()
            if metric not in ("requests", "bytes") and isinstance(value, int | float)
        ]
        self._client.log_batch(run_id, metrics=metrics)
        self._logged.add((run_id, name))

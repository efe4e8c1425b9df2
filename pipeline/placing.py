"""What every unit needs: what the YAML's `resources` say of its stage, and good defaults."""

from __future__ import annotations

from pipeline.needs import ON_DEVICE, Need
from pipeline.run import NotYet, Run
from pipeline.units import Unit


def need_of(run: Run, unit: Unit) -> Need:
    """Return what a unit needs: what `resources` says of its stage, else a core, and a GPU where it computes on one."""
    asked = run.config.resources.get(unit.stage)
    gpus, if_any = _gpus(run, unit)
    if asked is None:
        return Need(gpus=gpus, gpu_if_any=if_any)
    return Need(
        cpus=asked.cpus,
        gpus=gpus if asked.gpus is None else asked.gpus,
        memory=asked.memory or 0,
        custom=tuple(sorted(asked.custom.items())),
        gpu_if_any=if_any and asked.gpus is None,
    )


def _gpus(run: Run, unit: Unit) -> tuple[float, bool]:
    if unit.stage == "numerics":
        return float(run.config.proxy.device == "cuda"), run.config.proxy.device == "auto"
    if unit.stage in ON_DEVICE:
        (numerics,) = run.of("numerics")
        try:
            return float(run.manifest(numerics)["counts"]["plan"]["device"] == "cuda"), False
        except NotYet:  # listed while the plan waits for a GPU; nothing is submitted before it is there
            return 1.0, False
    return unit.place.get("gpus", 0), False

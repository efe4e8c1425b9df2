"""The laws inside a page: arrays as one run of bytes, deflated and in base64, and where in it each of them lies."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.mixture.compact import Form
from pipeline.mixture.laws.ridge import FLOOR
from pipeline.report.predictor import Laws

KINDS = {"f8": 8, "f4": 4, "i2": 2, "u1": 1, "u2": 2, "u4": 4}
"""Little-endian types that a page can read, with their bytes."""


@dataclass
class Packing:
    """Collects arrays; what `add` returns finds one again: [type, first byte, length]."""

    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def add(self, values: np.ndarray, kind: str) -> list[str | int]:
        """Append an array, flat, row by row, as `kind`."""
        data = np.ascontiguousarray(values).astype(f"<{kind}").tobytes()
        place: list[str | int] = [kind, self._size, len(data) // KINDS[kind]]
        data += bytes(-len(data) % 8)  # a page reads an array of 8-byte numbers only from a multiple of 8
        self._parts.append(data)
        self._size += len(data)
        return place

    def text(self) -> str:
        return base64.b64encode(zlib.compress(b"".join(self._parts), 9)).decode()


def packed(laws: Laws) -> dict[str, Any]:
    """Return the laws for the page: small numbers as JSON, arrays by their place in `arrays`."""
    packing = Packing()
    thresholds = sorted({split[1] for form in laws.forms for tree in form["trees"] for split in tree["splits"]})
    rank = {value: i for i, value in enumerate(thresholds)}
    smoother = laws.smoother
    tasks = []
    for task, form, factor in zip(laws.tasks, laws.forms, laws.factors, strict=True):
        tasks.append(
            {
                "name": task,
                "raised": task in laws.raised,
                "factor": float(factor),
                "offset": float(form["offset"]),
                "slope": packing.add(form["slope"], "f8"),
                "roots": {power: packing.add(each, "f8") for power, each in form["roots"].items()},
                "bends": packing.add(form["bends"], "f4"),
                "exponentials": [{**each, "slope": packing.add(each["slope"], "f8")} for each in form["exponentials"]],
                "powers": [{**each, "use": packing.add(each["use"], "f8")} for each in form["powers"]],
                "processes": [
                    {"inverse": packing.add(each["inverse"], "f8"), "pulls": packing.add(each["pulls"], "f4")}
                    for each in form["processes"]
                ],
                **({"trees": trees_packed(form, rank, packing)} if form["trees"] else {}),
            }
        )
    return {
        "tasks": tasks,
        "place": laws.place.tolist(),
        "totals": laws.runs.shape[1],
        "runs": packing.add(laws.runs, "f4"),
        "thresholds": packing.add(np.array([*thresholds, np.inf]), "f8"),
        "anchors": packing.add(smoother.points, "f4"),
        "length": smoother.length,
        "level": packing.add(smoother.level, "f8"),
        "pulls": packing.add(smoother.pulls, "f4"),
        "offset": laws.offset,
        "inflation": laws.inflation,
        "floor": FLOOR,
        "arrays": packing.text(),
    }


def trees_packed(form: Form, rank: Mapping[float, int], packing: Packing) -> dict[str, Any]:
    """Return all trees of a form as arrays; a tree with fewer leaves than the largest is filled up with splits that no
    weight passes."""
    leaves = max(len(tree["values"]) for tree in form["trees"])
    count = len(form["trees"])
    values, features = np.zeros((count, leaves)), np.zeros((count, leaves - 1), dtype=int)
    ranks, bits = np.full((count, leaves - 1), len(rank)), np.full((count, leaves - 1), 2**leaves - 1)
    for t, tree in enumerate(form["trees"]):
        values[t, : len(tree["values"])] = np.round(np.array(tree["values"]) / (form["step"] or 1.0))
        for s, (feature, threshold, left) in enumerate(tree["splits"]):
            features[t, s], ranks[t, s], bits[t, s] = feature, rank[threshold], left
    return {
        "leaves": leaves,
        "count": count,
        "step": form["step"],
        "values": packing.add(values, "i2"),
        "features": packing.add(features, "u1" if features.max(initial=0) < 256 else "u2"),
        "ranks": packing.add(ranks, "u2" if len(rank) < 65536 else "u4"),
        "bits": packing.add(bits, "u1" if leaves <= 8 else "u4"),
    }

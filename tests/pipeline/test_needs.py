"""What tasks ask of Ray: by the YAML, by default, and how many run at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.needs import Need
from pipeline.placing import need_of
from pipeline.run import Run
from pipeline.stages import STAGES
from pipeline.units import Unit


def test_as_many_run_at_once_as_every_resource_of_a_node_allows() -> None:
    nodes = [{"CPU": 8.0, "memory": 16e9}, {"CPU": 4.0, "memory": 64e9, "GPU": 1.0}, {"CPU": 0.0}]
    assert Need().at_once(nodes) == 12
    assert Need(cpus=3).at_once(nodes) == 3, "2 and 1: parts of two nodes make no place"
    assert Need(memory=10**10).at_once(nodes) == 1 + 4
    assert Need(gpus=0.25).at_once(nodes) == 4
    assert Need(custom=(("big_disk", 1.0),)).at_once(nodes) == 0
    assert Need(gpus=0.1, cpus=0.1).at_once([{"CPU": 1.0, "GPU": 1.0}]) == 10, "rounding takes none"


def test_options_are_those_that_ray_takes() -> None:
    import ray

    need = Need(cpus=0.5, gpus=1, memory=2 * 10**9, custom=(("big_disk", 1.0),))
    ray.remote(lambda: None).options(**need.options())
    assert need.options() == {"num_cpus": 0.5, "num_gpus": 1, "memory": 2 * 10**9, "resources": {"big_disk": 1.0}}
    assert Need().options() == {"num_cpus": 1}
    assert str(need) == "0.5 CPU, 1 GPU, 2G of memory, 1 big_disk"


def run_of(tiny_yaml: Callable[..., Path], more: str) -> Run:
    path = tiny_yaml()
    path.write_text(path.read_text() + more)
    return Run.open(load_mix(path))


def test_the_yaml_says_what_a_stage_takes(tiny_yaml: Callable[..., Path]) -> None:
    asked = "resources: {annotate: {cpus: 2, memory: 4G, custom: {big_disk: 1}}, train: {gpus: 0.5}}\n"
    run = run_of(tiny_yaml, asked)
    assert need_of(run, Unit("annotate", "a", 1)) == Need(2, 0, 4 * 10**9, (("big_disk", 1.0),))
    assert need_of(run, Unit("select", "a", 1)) == Need()
    assert need_of(run, Unit("rewrite", "a", 1, place={"gpus": 2})) == Need(gpus=2), "as its backend says"
    run.units["numerics"] = [Unit("numerics", "plan", 1)]
    assert need_of(run, Unit("train", "a", 1)).gpus == 0.5


def test_the_numeric_plan_is_chosen_where_proxies_shall_compute(tiny_yaml: Callable[..., Path]) -> None:
    plain = run_of(tiny_yaml, "")
    stage = next(stage for stage in STAGES if stage.name == "numerics")
    (unit,) = stage.units(plain)
    assert need_of(plain, unit) == Need(gpu_if_any=True)
    path = tiny_yaml(("proxy: {", "proxy: {device: cuda, "))
    run = Run.open(load_mix(path))
    (on_gpu,) = stage.units(run)
    assert need_of(run, on_gpu) == Need(gpus=1)
    assert on_gpu.key != unit.key


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("{trian: {cpus: 2}}", "there is no stage with units of its own `trian` (did you mean `train`?)"),
        ("{proof: {cpus: 2}}", "there is no stage with units of its own `proof`"),
        ("{rewrite: {gpus: 1}}", "takes the GPUs of its backend"),
        ("{annotate: {gpus: 1}}", "stage `annotate` computes on no GPU"),
        ("{annotate: {cpus: 0}}", "expected more than 0"),
        ("{annotate: {memory: lots}}", "expected a count"),
        ("{annotate: {cores: 2}}", "cores"),
    ],
)
def test_wrong_resources_are_named(tiny_yaml: Callable[..., Path], asked: str, message: str) -> None:
    with pytest.raises(InputError, match="resources") as caught:
        run_of(tiny_yaml, f"resources: {asked}\n")
    assert message in str(caught.value)

"""Faults over a whole tiny run: does it end, in the same bytes, with nothing done twice?

    python benchmarks/faults.py [--faults 100] [--seed 1] [--only worker,raylet] [--keep DIR]

First an undisturbed run, then `--faults` runs on new stores, each with one fault that its seed chooses:

- `worker`, `raylet`, `driver`: SIGKILL of a random process of that kind at a random moment;
- `store`: a store of which 2 % of the calls fail, half of them after they have done their work, and 3 % are slow;
- `truncated`: the driver is killed, then a file of a finished artefact is cut to half its length.

A run that ends with an error is started again, as a user would, three times at most. It counts as equal where
`mix.json` and every file of every artefact are the undisturbed run's, and none is missing. Work done twice is a
manifest that was there when the run was started again and is another file at the end, or a unit that the logs say was
done twice, the damaged artefact aside. The last line is one JSON object; failed faults are printed with their seeds,
and `--faults 1 --seed N` repeats the one with seed N.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import psutil

ROOT = Path(__file__).parents[1]
KINDS = ("worker", "raylet", "driver", "store", "truncated")
LIMIT = 300
"""Seconds that one command may take: more is a hang."""
RESTARTS = 3

MIX = """\
seed: 1
store: {store}
target: {{tokens: 200k}}
sources:
  wikipedia: {{path: "{data}/wikipedia-*.parquet", group: group, license_field: license}}
  questions: {{path: "{data}/questions.parquet", group: group, license: CC-BY-SA-3.0}}
annotate: {{gopher: {{}}}}
select: [{{name: too_short, drop: "gopher_words < 20"}}]
tokenize: {{vocab_size: 500, sample: 100k}}
swarm: {{runs: 6, blocks: 2}}
proxy: {{preset: tiny, tokens: 8k, max_failed: 0}}
evals: {{heldout: {{fraction: 0.3, characters: 4k}}}}
objective: {{force: [heldout]}}
fit: {{laws: [linear]}}
validate: {{seeds: 2}}
"""


@dataclass
class Result:
    """One fault: `ended` within the restarts, `equal` to the undisturbed run, units done `twice`, seconds."""

    seed: int
    kind: str
    ended: bool = False
    equal: bool = False
    twice: list[str] = field(default_factory=list)
    seconds: float = 0.0
    said: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.ended and self.equal and not self.twice


def write_data(folder: Path) -> None:
    """Write the mix's shards: a little of two samples."""
    folder.mkdir(parents=True, exist_ok=True)
    wikipedia = pl.read_parquet(ROOT / "samples" / "wikipedia.parquet").head(160)
    for i in range(2):
        wikipedia.slice(80 * i, 80).write_parquet(folder / f"wikipedia-{i}.parquet")
    pl.read_parquet(ROOT / "samples" / "questions.parquet").head(300).write_parquet(folder / "questions.parquet")


def start(mix: Path) -> subprocess.Popen[str]:
    """Start the command line on a mix, its output in a file beside it."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'benchmarks' / 'hooks'}:{ROOT}", "OMP_NUM_THREADS": "1"}
    with open(mix.with_suffix(".log"), "a") as log:
        command = [sys.executable, "-m", "pipeline", "run", str(mix)]
        return subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, text=True, env=environment, start_new_session=True
        )


def end(process: subprocess.Popen[str], tree: list[psutil.Process]) -> int | None:
    """Wait for a command and its Ray; return its exit status, None where it hangs. What is left of it is ended."""
    try:
        status = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        status = None
        tree = [*tree, *psutil.Process(process.pid).children(recursive=True)]
        process.kill()
    _, left = psutil.wait_procs(tree, timeout=30)
    for each in left:
        each.kill()
    return status


def tree_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def kill(kind: str, process: subprocess.Popen[str], tree: list[psutil.Process], dice: random.Random) -> str | None:
    """SIGKILL a process of a kind, and say which; None where there is none yet."""
    if kind == "driver":
        process.kill()
        return "driver"
    names = {}
    for each in tree:
        with contextlib.suppress(psutil.Error, IndexError):
            names[each] = each.cmdline()[0]
    found = [each for each, name in names.items() if is_a(kind, name)]
    if not found:
        return None
    victim = dice.choice(sorted(found, key=lambda each: each.pid))
    victim.send_signal(signal.SIGKILL)
    return names[victim]


def is_a(kind: str, name: str) -> bool:
    return name.startswith("ray::") and "Agent" not in name if kind == "worker" else name.endswith("/raylet")


def manifests(store: Path) -> dict[str, tuple[int, int]]:
    """Return stage/key → inode and time of change of every manifest."""
    found = {}
    for file in (store / "manifests").glob("*/*.json"):
        stat = file.stat()
        found[f"{file.parent.name}/{file.stem}"] = (stat.st_ino, stat.st_mtime_ns)
    return found


def contents(store: Path) -> dict[str, str]:
    """Return file → hash of its bytes, of every file of every finished artefact and of mix.json."""
    files = {named(store, file): file for file in files_of(store)}
    files |= {file.name: file for file in store.glob("*/mix.json")}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def files_of(store: Path) -> list[Path]:
    """Return the files of finished artefacts; of a store that is no local folder those of the attempt that stayed."""
    found = []
    for ref in manifests(store):
        manifest = json.loads((store / "manifests" / f"{ref}.json").read_text(encoding="utf-8"))
        folder = store / "data" / ref / manifest.get("attempt", "")
        found += [folder / name for name in manifest["files"]]
    return sorted(found)


def named(store: Path, file: Path) -> str:
    """Return what a file is called whichever attempt wrote it: stage, key, name."""
    stage, key, *_ = file.relative_to(store / "data").parts
    return f"{stage}/{key}/{file.name}"


def done_twice(store: Path) -> list[str]:
    """Return the units that the logs of all commands on a store say were done more than once."""
    lines = [json.loads(line) for file in (store / "logs").glob("*/*.jsonl") for line in file.open()]
    counts = Counter(f"{line['stage']}/{line['key']}" for line in lines if line["event"] == "unit done")
    return [ref for ref, count in counts.items() if count > 1]


def truncate(store: Path, dice: random.Random) -> str | None:
    """Cut a file of a finished artefact to half; return the artefact."""
    files = [file for file in files_of(store) if file.stat().st_size]
    if not files:
        return None
    file = dice.choice(files)
    os.truncate(file, file.stat().st_size // 2)
    return f"{file.parent.parent.name}/{file.parent.name}"


@dataclass(frozen=True)
class Home:
    """The folder of the benchmark. Stores are made under one name, for a report names its store, and then moved."""

    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def prepare(self, name: str, flaky: bool, failing: float, slow: float, seed: int) -> Path:
        """Return a mix in a folder `name` of its own on an empty store, local or with calls that fail."""
        shutil.rmtree(self.store, ignore_errors=True)
        url = f"flaky://{self.store}" if flaky else str(self.store)
        shutil.rmtree(Path(tempfile.gettempdir()) / "mixwright-cache" / url.replace("/", "_"), ignore_errors=True)
        plan = {"seed": seed, "failing": failing, "slow": slow, "seconds": 1.0}
        (self.folder / "store.json").write_text(json.dumps(plan))
        mix = self.folder / name / "tiny.yaml"
        mix.parent.mkdir(exist_ok=True)
        mix.write_text(MIX.format(store=url, data=self.folder / "data"))
        return mix

    def undisturbed(self, flaky: bool) -> tuple[dict[str, str], float]:
        """Return contents and seconds of a run without a fault."""
        mix = self.prepare("undisturbed-flaky" if flaky else "undisturbed", flaky, 0, 0, 0)
        begun = time.monotonic()
        if end(start(mix), []) != 0:
            sys.exit(f"the undisturbed run fails:\n{mix.with_suffix('.log').read_text()}")
        seconds = time.monotonic() - begun
        print(f"undisturbed{' on flaky://' * flaky}: {seconds:.1f} s, {len(manifests(self.store))} units", flush=True)
        return contents(self.store), seconds


def fault(seed: int, kind: str, home: Home, whole: dict[str, str], seconds: float) -> Result:
    """Do one faulty run on a new store; whole: what the undisturbed run has, which took `seconds`."""
    dice = random.Random(seed)
    result = Result(seed, kind)
    share = dice.uniform(0.05, 0.95)
    flaky = kind == "store"
    begun, damaged = time.monotonic(), None
    before: dict[str, tuple[int, int]] = {}
    tree: list[psutil.Process] = []
    while True:
        mix = home.prepare(f"fault-{seed}", flaky, 0.02 * flaky, 0.03 * flaky, seed)
        started = time.monotonic()
        process = start(mix)
        if flaky:
            break
        try:
            process.wait(share * seconds)
            seconds = time.monotonic() - started  # too late: the machine was busier when it was measured
        except subprocess.TimeoutExpired:
            tree = tree_of(process)
            victim = kill("driver" if kind == "truncated" else kind, process, tree, dice)
            if victim:
                result.said.append(f"{victim} after {share * seconds:.1f} s")
                break
            process.kill()  # too early: there was none yet
            end(process, tree)
            share = (1 + share) / 2
    status = end(process, tree or tree_of(process))
    if kind == "truncated":
        damaged = truncate(home.store, dice)
        result.said.append(f"cut {damaged}")
        status = 1
    for _ in range(RESTARTS):
        if status == 0:
            break
        result.said.append("hangs" if status is None else f"exit status {status}")
        before = {**manifests(home.store), **before}
        process = start(mix)
        status = end(process, tree_of(process))
    after = manifests(home.store)
    result.ended = status == 0
    found = contents(home.store)
    result.equal = found == whole
    if not result.equal:
        differ = [name for name in whole.keys() | found.keys() if whole.get(name) != found.get(name)]
        result.said.append(f"{len(differ)} files differ, e.g. {sorted(differ)[:3]}")
    again = {ref for ref, stat in before.items() if after.get(ref) != stat}
    result.twice = sorted((again | set(done_twice(home.store))) - {damaged})
    result.seconds = round(time.monotonic() - begun, 1)
    if not result.passed:
        home.store.rename(home.folder / f"store-{seed}")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first fault; the others count on")
    parser.add_argument("--only", default=",".join(KINDS), help="kinds, with commas")
    parser.add_argument("--keep", type=Path, help="new folder to work in and keep; stores of passed faults are removed")
    args = parser.parse_args()
    kinds = tuple(args.only.split(","))
    home = Home(args.keep or Path(tempfile.mkdtemp(prefix="mixwright-faults-")))
    write_data(home.folder / "data")
    undisturbed = {flaky: home.undisturbed(flaky) for flaky in {kind == "store" for kind in kinds}}
    results = []
    for seed in range(args.seed, args.seed + args.faults):
        kind = kinds[seed % len(kinds)]
        result = fault(seed, kind, home, *undisturbed[kind == "store"])
        results.append(result)
        verdict = (
            "passed" if result.passed else f"FAILED ended={result.ended} equal={result.equal} twice={result.twice}"
        )
        print(f"{result.seed} {result.kind}: {verdict}, {result.seconds} s; {'; '.join(result.said)}", flush=True)
    if args.keep is None and all(each.passed for each in results):
        shutil.rmtree(home.folder)
    by_kind = {kind: [each for each in results if each.kind == kind] for kind in kinds}
    found = {
        "faults": len(results),
        "ended": sum(each.ended for each in results),
        "equal": sum(each.equal for each in results),
        "repeated_units": sum(len(each.twice) for each in results),
        "passed": {kind: f"{sum(each.passed for each in some)}/{len(some)}" for kind, some in by_kind.items()},
        "failed_seeds": [each.seed for each in results if not each.passed],
        "undisturbed_s": round(min(seconds for _, seconds in undisturbed.values()), 1),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()

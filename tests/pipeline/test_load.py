"""Wrong input ends in one message that names file, line and key, and the nearest valid name; never in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import parse_count
from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.tasks import task_names


def test_a_good_mix_loads_with_defaults(tiny_yaml) -> None:
    mix = load_mix(tiny_yaml())
    assert mix.config.domain_names() == ["wikipedia", "questions", "ocr", "wikipedia.qa", "ocr.clean"]
    assert mix.config.target.tokens == 400_000
    assert mix.config.propose.max_repetition == 4
    assert task_names(mix.config) == ["heldout/wikipedia", "heldout/questions", "heldout/ocr", "bench/arc_easy"]


def test_tokens_may_be_multiples_of_the_parameters(tiny_yaml) -> None:
    """Of those that multiply: 2 layers of 4 x 32^2 + 3 x 32 x 64 and a head of 1000 x 32; in whole batches of 1024."""
    larger = ("validate: {seeds: 2}", "validate: {seeds: 2, transfer: {preset: quickstart, tokens: 0.5x}}")
    config = load_mix(tiny_yaml(("tokens: 24k", "tokens: 1.5x"), larger)).config
    assert config.proxy.tokens == round(1.5 * (2 * (4 * 32**2 + 3 * 32 * 64) + 1000 * 32) / 1024) * 1024
    assert config.validation.transfer.tokens == round(0.5 * (4 * 64**2 + 3 * 64 * 160 + 1000 * 64) / 2048) * 2048
    assert load_mix(tiny_yaml(("tokens: 24k", "tokens: 0.001x"))).config.proxy.tokens == 1024


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("questions.parquet", "quesstions.parquet", r"`sources.questions.path`: no file matches"),
        ("seed: 1", "sed: 1", r":1: `sed`: unknown key \(did you mean `seed`\?\)"),
        ("runs: 12", "rums: 12", r"`swarm.rums`: unknown key \(did you mean `runs`\?\)"),
        ("group: group, ", "grop: group, ", r"`sources.wikipedia.grop`: unknown key \(did you mean `group`\?\)"),
        (
            "scorer: fasttext",
            "scorer: fastext",
            r"`annotate.prose.scorer`: there is no scorer `fastext` \(did you mean",
        ),
        ("buckets: 10000", "bucket: 10000", r"`annotate.prose.bucket`: unknown key \(did you mean `buckets`\?\)"),
        ("negative: [ocr]", "negative: [ocrr]", r"`annotate.clean.negative\[0\]`: there is no source `ocrr`"),
        ("gopher_words < 40", "gopher_word < 40", r"`select\[0\].drop`: there is no attribute `gopher_word` \(did you"),
        ("gopher_words < 40", "gopher_words <", r"`select\[0\].drop`: not an SQL expression"),
        ("sources: [wikipedia]}", "sources: [wiki]}", r"`select\[1\].sources\[0\]`: there is no source `wiki`"),
        ("task: wiki_qa", "task: wiki_aq", r"there is no rewriting task `wiki_aq` \(did you mean `wiki_qa`\?\)"),
        ("ocr.clean:", "ocrs.clean:", r"`rewrite.ocrs.clean`: there is no source `ocrs`"),
        ("preset: tiny", "preset: tinny", r"`proxy.preset`: there is no preset `tinny` \(did you mean `tiny`\?\)"),
        ("arc_easy.jsonl.gz", "arc_esy.jsonl.gz", r"`evals.benchmarks.arc_easy.path`: no such file"),
        ("vocab_size: 1000", "vocab_size: many", r"`tokenize.vocab_size`: expected a whole number, got 'many'"),
        ("tokens: 400k", f"tokens: '{'9' * 5000}'", r"`target.tokens`: expected a count below 2"),
        ("tokens: 24k", f"tokens: {'9' * 400}x", r"`proxy.tokens`: expected a count"),
        ("gopher_words < 40", "gopher_words < 40" + " OR gopher_words < 40" * 20_000, r"too long, over 10,000 char"),
        ("gopher_words < 40", "field_a = field_" + " + field_".join("bcdefgh"), r"over 7 fields of documents"),
        ("gopher_words < 40", "gopher_words < (SELECT * FROM read_csv('/etc/passwd'))", r"`select\[0\].drop`: "),
        ("validate:", 'references: {"a|b": {wikipedia: 1}}\nvalidate:', "expected a name of printable"),
        (
            "validate:",
            'references: {"a\\e[31m": {wikipedia: 1}}\nvalidate:',
            "expected a name of printable",
        ),
        ("validate:", 'references: {"../a": {wikipedia: 1}}\nvalidate:', "expected a name of printable"),
        ("tokens: 400k", "tokens: 4 lots", r"`target.tokens`: expected a count such as"),
        ("tokens: 24k", "tokens: 900", r"`proxy.tokens`: 900 is less than one batch of preset tiny \(1024\)"),
        ("tokens: 24k", "tokens: 20y", r"`proxy.tokens`: expected a count such as .* or 20x the parameters"),
        ("preset: tiny, tokens: 24k", "preset: tinny, tokens: 9x", r"`proxy.preset`: there is no preset `tinny`"),
        ("tokens: 24k", "tokens: 900x", r"`proxy.tokens`: \d+ is above target.tokens"),
        ("tokens: 24k", "tokens: 24k, curve: [0.5, 0.51]", r"`proxy.curve`: expected rising shares .* steps of 23"),
        ("tokens: 24k", "tokens: 24k, curve: [1.0]", r"`proxy.curve`: expected rising shares between 0 and 1"),
        ("tokens: 24k", "tokens: 24k, average: 2", r"`proxy.average`: expected at most 1, got 2"),
        ("tokens: 24k", "tokens: 24M", r"`proxy.tokens`: 24000000 is above target.tokens"),
        ("force: [heldout, bench]", "tasks: {heldout/wiki: 2}", r"there is no task `heldout/wiki` \(did you mean"),
        (
            "validate:",
            "propose: {bounds: {wikipeda: {max: 0.5}}}\nvalidate:",
            r"`propose.bounds.wikipeda`: there is no domain or group `wikipeda` \(did you mean `wikipedia`\?\)",
        ),
        (
            "validate:",
            "propose: {bounds: {wikipeda.*: {max: 0.5}}}\nvalidate:",
            r"`propose.bounds.wikipeda.\*`: there is no domain or group `wikipeda.\*` \(did you mean `wikipedia.\*`",
        ),
        (
            "validate:",
            "propose: {bounds: {questions.*: {max: 0.5}}}\nvalidate:",
            r"there is no domain or group `questions.\*` \(did you mean `questions`\?\)",
        ),
        (
            "validate:",
            "propose: {bounds: {ocr.clean: {min: 0.3}, ocr.*: {max: 0.2}, wikipedia: {max: 0.9}}}\nvalidate:",
            r"`propose.bounds`: no mix satisfies all of: weight of ocr.clean >= 0.3; weight of ocr.\* <= 0.2",
        ),
        (
            "validate: {seeds: 2}",
            "validate: {seeds: 2, transfer: {preset: quikstart}}",
            r"`validate.transfer.preset`: there is no preset `quikstart` \(did you mean `quickstart`\?\)",
        ),
        (
            "validate: {seeds: 2}",
            "validate: {seeds: 2, transfer: {preset: tiny, tokens: 20k}}",
            r"`validate.transfer`: expected larger proxies than the swarm's \(tiny, 24000 tokens\)",
        ),
        (
            "validate: {seeds: 2}",
            "validate: {seeds: 2, transfer: {preset: 1m}}",
            r"`validate.transfer.tokens`: 20000000 is above target.tokens \(400000\)",
        ),
        (
            "validate: {seeds: 2}",
            "validate: {seeds: 2, transfer: {preset: 14m, tokens: 60k}}",
            r"`validate.transfer.tokens`: 60000 is less than one batch of preset 14m \(65536\)",
        ),
        ("validate:", "propose: {recipe: regmx}\nvalidate:", r"`propose.recipe`: there is no recipe `regmx` \(did you"),
        (
            "validate:",
            "fit: {law: linear}\npropose: {recipe: olmix}\nvalidate:",
            r"`fit.law`: the recipe olmix brings its own law",
        ),
        ("validate:", "propose: {recipe: regmix, kl: 0.1}\nvalidate:", r"`propose.kl`: the recipe regmix has no pull"),
        (
            "validate:",
            "references: {ours: {books: 1.0}}\nvalidate:",
            r"`references.ours.books`: there is no domain `books`",
        ),
        (
            "validate:",
            "references: {natural: {ocr: 1}}\nvalidate:",
            r"`references.natural`: this name is taken, as are `proposal`, `natural`, `uniform`, `best_observed`",
        ),
        ("runs: 12, rounds: [9, 3], blocks: 2", "runs: 12, blocks: 1", r"`swarm.blocks`: expected at least 2, got 1"),
        ("rounds: [9, 3]", "rounds: [5, 7]", r"`swarm`: the first round has 5 runs; at least 6: three mixes"),
        (
            "validate:",
            "references: {ours: {ocr: 0.6}}\nvalidate:",
            r"`references.ours`: weights must be 0 or more and sum",
        ),
        (
            "runs: 12",
            "runs: 12, method: spred",
            r"`swarm.method`: there is no design method `spred` \(did you mean `spread`\?\)",
        ),
        (
            "runs: 12",
            "runs: 12, freeze: {text: [wikipedia, ocrs]}",
            r"`swarm.freeze.text\[1\]`: there is no domain `ocrs` \(did you mean `ocr`\?\)",
        ),
        (
            "runs: 12",
            "runs: 12, freeze: {text: {wikipedia: 0.5, ocr: 0.6}}",
            r"`swarm.freeze.text`: shares must be above 0 and sum to 1, got 1.1",
        ),
        (
            "runs: 12",
            "runs: 12, freeze: {text: {wikipedia: half}}",
            r"`swarm.freeze.text`: expected a list of domains, or a share for each domain, got",
        ),
        ("validate:", "domains: [ocr, books]\nvalidate:", r"`domains\[1\]`: there is no domain `books`"),
        (
            "validate:",
            "fit: {law: liner}\nvalidate:",
            r"`fit.law`: there is no law `liner` \(did you mean `linear`\?\)",
        ),
    ],
)
def test_wrong_input_names_its_place(tiny_yaml, old: str, new: str, message: str) -> None:
    path = tiny_yaml((old, new))
    with pytest.raises(InputError, match=message) as caught:
        load_mix(path)
    line = int(str(caught.value).split(f"{path}:")[1].split(":")[0])
    text = path.read_text()
    assert line == text[: text.index(new)].count("\n") + 1
    assert caught.value.exit_code == 2


def test_units_stand_wherever_a_count_does(tiny_yaml) -> None:
    path = tiny_yaml(
        ("runs: 12, rounds: [9, 3]", "runs: 0.012k, rounds: [9, 0.003k]"),
        ("vocab_size: 1000", "vocab_size: 1k"),
        ("tokens: 24k", "tokens: 24e3"),
        ("items: 60", "items: 0.06k"),
        ("buckets: 10000", "buckets: 10k, max_chars: 2k"),
        ("target: {tokens: 400k}", "target: {tokens: 4e5}"),
    )
    config = load_mix(path).config
    plain = load_mix(tiny_yaml(("buckets: 10000", "buckets: 10000, max_chars: 2000"))).config
    assert config == plain, "so all keys are the same too"


@pytest.mark.parametrize("text", ["12 apples", "1.5.2M", "-4k", "k", "4MB", "1e999"])
def test_what_is_no_count_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="expected a count such as"):
        parse_count(text)


def test_several_mistakes_are_reported_at_once(tiny_yaml) -> None:
    path = tiny_yaml(("task: wiki_qa", "task: a"), ("preset: tiny", "preset: b"))
    with pytest.raises(InputError) as caught:
        load_mix(path)
    assert len(str(caught.value).splitlines()) == 2


def test_an_empty_source_is_wrong_input(tiny_yaml, tmp_path: Path) -> None:
    empty = tmp_path / "none.jsonl"
    empty.touch()
    path = tiny_yaml(("license: CC-BY-SA-3.0", f"max_bad_fraction: 0.1}}\n  none: {{path: {empty}"))
    with pytest.raises(InputError, match=r"`sources.none.path`: .* is empty"):
        load_mix(path)


@given(st.integers(1, 999), st.sampled_from(["", "k", "M", "B", "T"]))
def test_counts_with_units(number: int, unit: str) -> None:
    assert parse_count(f"{number}{unit}") == number * {"": 1, "k": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}[unit]
    assert parse_count("1.5B") == 1_500_000_000


@pytest.mark.parametrize(
    "name", ["...yaml", "a:b.yaml", "a\\b.yaml", "a\nb.yaml", "a\x1b[1m.yaml", " .yaml", "s3:.yaml"]
)
def test_a_file_s_name_that_cannot_name_a_run_folder_is_refused(tiny_yaml, name: str) -> None:
    with pytest.raises(InputError, match="cannot name a run folder"):
        load_mix(tiny_yaml(name=name))

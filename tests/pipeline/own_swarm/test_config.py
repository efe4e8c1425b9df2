"""The config names domains and tasks in full or short, and its mistakes name line, key and the nearest valid name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.own_swarm.config import load_own_config
from pipeline.own_swarm.fit import space_of
from pipeline.own_swarm.swarm import read_swarm
from tests.pipeline.own_swarm.conftest import DOMAINS

TOKENS = "domains: {arxiv: 1B, code: {tokens: 3B}, train_web: 5B, wiki: 1B}\n"


def test_short_names_stand_for_the_tables_own(tables, config) -> None:
    text = TOKENS + "propose: {bounds: {web: {max: 0.5}}}\n"
    text += "objective: {tasks: {code: 2}, force: [web], maximise: [code, metric], no_worse_than: {web: ours}}\n"
    chosen, notes = load_own_config(config(text + "references: {ours: {web: 0.5, wiki: 0.499}}"), read_swarm(*tables))
    assert chosen.tokens == {"train_arxiv": 1e9, "train_code": 3e9, "train_web": 5e9, "train_wiki": 1e9}
    assert chosen.objective.tasks == {"metric/code_loss": 2}
    assert chosen.objective.force == ["metric/web_loss"]
    assert chosen.objective.maximise == ["metric/code_loss", "metric"]
    assert chosen.objective.no_worse_than == {"metric/web_loss": "ours"}
    assert list(chosen.propose.bounds) == ["train_web"]
    assert sum(chosen.references["ours"].values()) == pytest.approx(1, abs=1e-12)
    assert list(chosen.references["ours"]) == ["train_web", "train_wiki"]
    assert notes == ()


def test_tokens_give_the_prior_and_with_a_target_the_caps(tables, config) -> None:
    own = read_swarm(*tables)
    chosen, _ = load_own_config(config(TOKENS + "target: {tokens: 10B}"), own)
    space, notes = space_of(own.swarm, chosen)
    assert space.prior.tolist() == pytest.approx([0.1, 0.3, 0.5, 0.1])
    assert space.limits.names == tuple(f"repetition of train_{name} <= 4" for name in DOMAINS)
    assert space.kl is None
    assert notes == []


def test_without_tokens_natural_is_the_mean_of_the_runs_and_nothing_pulls_to_it(tables, config) -> None:
    own = read_swarm(*tables)
    for text in ("", "target: {tokens: 10B}", "domains: [arxiv, code, web, wiki]"):
        space, notes = space_of(own.swarm, load_own_config(config(text), own)[0])
        assert space.prior.tolist() == pytest.approx(own.swarm.weights.mean(axis=0).tolist())
        assert (space.kl, space.limits.names, space.target_tokens) == (0.0, (), None)
        assert len(notes) == 2


def test_sections_of_a_whole_mix_are_left_aside_with_a_note(tables, config) -> None:
    text = "store: runs\nsources: {a: {path: none}}\nvalidate: {seeds: 3}\n"
    _, notes = load_own_config(config(text), read_swarm(*tables))
    assert notes == ("c.yaml: `store`, `sources`, `validate` say nothing about a finished swarm and are not used",)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("sed: 1", 1, r"`sed`: unknown key \(did you mean `seed`\?\)"),
        ("seed: 1\npropose: {max_repetitions: 4}", 2, r"unknown key \(did you mean `max_repetition`\?\)"),
        ("domains: {arxiv: 1 lot}", 1, r"`domains.arxiv.tokens`: expected a count such as"),
        ("domains:\n  arxiv: 1B\n  cod: 1B", 3, r"`domains.cod`: there is no domain `cod` \(did you mean `code`\?\)"),
        ("domains: [arxiv, code]", 1, r"expected all domains of the swarm, `train_web`, `train_wiki` missing"),
        ("domains: {arxiv: 1B, code: 1B, web: 1B, wiki: }", 1, r"`wiki` without tokens; give them for all"),
        ("domains: {arxiv: 1B, train_arxiv: 1B, code: 1, web: 1, wiki: 1}", 1, r"`train_arxiv` is named twice"),
        ("objective: {tasks: {cod: 1}}", 1, r"there is no task `cod` \(did you mean `code`\?\)"),
        ("objective: {families: {code: 1}}", 1, r"there is no task family `code` \(known: metric\)"),
        ("objective: {force: [wbe]}", 1, r"`objective.force\[0\]`: there is no task or family `wbe`"),
        ("objective: {maximise: [wbe]}", 1, r"`objective.maximise\[0\]`: there is no task or family `wbe`"),
        ("objective: {no_worse_than: {wbe: natural}}", 1, r"there is no task or family `wbe` \(did you mean `web`\?\)"),
        ("objective: {no_worse_than: {web: natrual}}", 1, r"there is no mix `natrual` \(did you mean `natural`\?\)"),
        ("propose: {bounds: {wab: {max: 0.1}}}", 1, r"there is no domain or group `wab` \(did you mean `web`\?\)"),
        ("fit: {law: liner}", 1, r"there is no law `liner` \(did you mean `linear`\?\)"),
        ("references: {ours: {web: 0.4}}", 1, r"weights must be 0 or more and sum to 1, got 0.4"),
        ("references: {natural: {web: 1}}", 1, r"this name is taken"),
    ],
)
def test_mistakes_name_their_place(tables, config, text: str, line: int, message: str) -> None:
    path = config(text)
    with pytest.raises(InputError, match=message) as caught:
        load_own_config(path, read_swarm(*tables))
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert caught.value.exit_code == 2


def test_a_pull_to_a_mean_without_one_domain_is_refused(tmp_path: Path, config) -> None:
    (tmp_path / "r.csv").write_text("run,a,b,c\nx,0.2,0.8,0\ny,0.5,0.5,0\n")
    (tmp_path / "m.csv").write_text("run,t\nx,1\ny,2\n")
    own = read_swarm(tmp_path / "r.csv", tmp_path / "m.csv")
    with pytest.raises(InputError, match="which is 0 on `c`: give tokens"):
        space_of(own.swarm, load_own_config(config("propose: {kl: 0.1}"), own)[0])


def test_the_example_in_mixes_fits_the_published_tables(tmp_path: Path) -> None:
    path = Path(__file__).parents[3] / "mixes" / "from_csv.yaml"
    pile = "arxiv freelaw nih_exporter pubmed_central wikipedia_en dm_mathematics github philpapers stackexchange"
    pile += " enron_emails gutenberg_pg_19 pile_cc ubuntu_irc europarl hackernews pubmed_abstracts uspto_backgrounds"
    names = pile.split()
    rows = [f"{run}," + ",".join("1" if i == run else "0" for i in range(len(names))) for run in range(3)]
    header = "index," + ",".join(f"train_the_pile_{name}" for name in names)
    (tmp_path / "r.csv").write_text("\n".join([header, *rows]))
    tasks = ",".join(f"metric/the_pile_{name}_val_loss" for name in ("pile_cc", "dm_mathematics", "ubuntu_irc"))
    (tmp_path / "m.csv").write_text(f"index,{tasks}\n0,1,2,3\n1,2,3,4\n")
    chosen, notes = load_own_config(path, read_swarm(tmp_path / "r.csv", tmp_path / "m.csv"))
    assert len(chosen.tokens) == 17
    assert notes == ()

"""A task is a file that users edit: its mistakes are named with line and key, and it cannot run code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import InputError
from pipeline.rewriting.llm.params import params_mistakes
from pipeline.rewriting.llm.task import SHIPPED, Task, load_task, shipped, task_path
from pipeline.rewriting.llm.templates import render, template_mistake

GOOD = """\
about: pairs
segment: {by: paragraph, max_characters: 500}
prompt:
  messages:
    - {role: user, content: "Ask about {{ text }}"}
parser: {qa_pairs: {max_items: 3}}
checks:
  - boilerplate
  - length: {max_words: 40}
output: "{{ text }}"
"""


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(*changes: tuple[str, str]) -> Path:
        text = GOOD
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return write


def test_a_good_file_loads(written: Any) -> None:
    assert load_task(written()).samples == 1


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_task_loads_and_has_a_comment_for_who_copies_it(name: str) -> None:
    path = SHIPPED / f"{name}.yaml"
    assert task_path(name) == path
    assert load_task(path).about
    assert path.read_text().startswith("# ")


def test_the_known_set_is_shipped() -> None:
    assert set(shipped()) >= {"wiki_qa_llm", "diverse_qa", "knowledge", "paraphrase", "ocr_correction"}


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("about: pairs", "abuot: pairs"), 1, "unknown key (did you mean `about`?)"),
        (("max_characters: 500", "max_characters: 5"), 2, "expected at least 20"),
        (("max_characters", "max_chars"), 2, "`segment.max_chars`: unknown key (did you mean `max_characters`?)"),
        (('{{ text }}"}', '{{ txet }}"}'), 5, "there is no variable `txet` (did you mean `text`?)"),
        (('{{ text }}"}', '{% if %}"}'), 5, "not a Jinja template"),
        (("qa_pairs", "qa_pair"), 6, "there is no parser `qa_pair` (did you mean `qa_pairs`?)"),
        (("max_items", "most_items"), 6, "unknown key (did you mean `max_items`?)"),
        (("- boilerplate", "- boilerplates"), 8, "there is no check `boilerplates` (did you mean `boilerplate`?)"),
        (("max_words: 40", "max_words: many"), 9, "`checks[1].length.max_words`"),
        (("{qa_pairs: {max_items: 3}}", "text\nround_trip: {template: 'a'}"), 7, "the parser must be `qa_pairs`"),
        (("{qa_pairs: {max_items: 3}}", "text\nsnap: 0.9"), 7, "the parser must be `qa_pairs`"),
        (('output: "{{ text }}"', 'output: "{{ item }}"'), 10, "there is no variable `item`"),
    ],
)
def test_mistakes_name_file_line_key_and_the_nearest_name(
    change: tuple[str, str], line: int, says: str, written: Any
) -> None:
    path = written(change)
    with pytest.raises(InputError) as caught:
        load_task(path)
    assert f"{path}:{line}: " in str(caught.value)
    assert says in str(caught.value)


def test_a_prompt_is_chat_or_completion(written: Any) -> None:
    with pytest.raises(InputError, match="not both"):
        load_task(written(("prompt:\n", "prompt:\n  completion: 'x'\n")))


@pytest.mark.parametrize(
    "attack",
    [
        "{{ text.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''.format.__globals__ }}",
        "{{ fields.update({'text': 1}) }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ range(10000000)|list }}",
    ],
)
def test_templates_reach_no_code_and_change_nothing(attack: str) -> None:
    fields = {"text": "a"}
    with pytest.raises(ValueError):
        render(attack, text="a", fields=fields)
    assert fields == {"text": "a"}


def test_a_yaml_tag_that_makes_objects_is_refused(written: Any) -> None:
    with pytest.raises(InputError):
        load_task(written(("about: pairs", "about: !!python/object/apply:os.getcwd []")))


def test_unknown_variables_are_found_before_any_document() -> None:
    assert template_mistake("{% for s in segments %}{{ s.text }}{% endfor %}", ["segments"]) == ""
    assert "did you mean `segments`" in template_mistake("{{ segmnts }}", ["segments", "title"])


BACKEND = {"kind": "openai", "model": "m", "base_url": "http://h/v1"}


@pytest.mark.parametrize(
    ("params", "place", "says"),
    [
        ({}, ("backend",), "missing"),
        ({"backend": {"kind": "opnai"}}, ("backend", "kind"), "there is no backend `opnai` (did you mean `openai`?)"),
        ({"backend": {"model": "m"}}, ("backend",), "`kind` says which"),
        ({"backend": {**BACKEND, "basurl": 1}}, ("backend", "basurl"), "did you mean `base_url`"),
        ({"backend": {**BACKEND, "key_env": "sk-secret-1"}}, ("backend", "key_env"), "not a key"),
        ({"backend": {**BACKEND, "base_url": "http://u:sk-secret-1@h"}}, ("backend", "base_url"), "no user, password"),
        ({"backend": BACKEND, "budget": {"cost": 3}}, ("budget",), "needs `prompt_price`"),
        ({"backend": BACKEND, "budget": {"tokenz": 3}}, ("budget", "tokenz"), "did you mean `tokens`"),
        ({"backend": BACKEND}, ("backend",), "name a `judge`"),
        ({"backend": {"kind": "transformers", "model": "nowhere"}}, ("backend", "model"), "no folder"),
    ],
)
def test_mistakes_of_params(params: dict[str, Any], place: tuple[str, ...], says: str) -> None:
    found = list(params_mistakes(params, load_task(SHIPPED / "wiki_qa_llm.yaml")))
    assert [each for each, _ in found] == [place]
    assert says in found[0][1]
    assert "sk-secret" not in str(found)


def test_a_worker_has_room_for_one_vllm_model(tiny_llama: Path) -> None:
    task = load_task(SHIPPED / "wiki_qa_llm.yaml")
    one = {"kind": "vllm", "model": str(tiny_llama)}
    assert not list(params_mistakes({"backend": one}, task))
    assert not list(params_mistakes({"backend": one, "judge": one}, task)), "the same is one engine"
    assert not list(params_mistakes({"backend": one, "judge": {**one, "kind": "transformers"}}, task))
    ((place, says),) = params_mistakes({"backend": one, "judge": {**one, "context": 64}}, task)
    assert place == ("judge",)
    assert "one model" in says


@pytest.mark.parametrize(
    "name", ["0123456789abcdef0123456789abcdef", "sk_live_1", "lower", "_A", "A" * 65, "A-B", "A\n", "É"]
)
def test_what_may_be_a_key_is_no_name_and_is_not_repeated(name: str) -> None:
    task = load_task(SHIPPED / "knowledge.yaml")
    ((place, says),) = params_mistakes({"backend": {**BACKEND, "key_env": name}}, task)
    assert place == ("backend", "key_env")
    assert "A-Z" in says
    assert name not in says


def test_a_file_of_weights_that_could_hold_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    task = Task.model_validate({**yaml.safe_load(GOOD), "parser": "text"})
    ((place, says),) = params_mistakes({"backend": {"kind": "transformers", "model": str(tmp_path)}}, task)
    assert place == ("backend", "model")
    assert ".safetensors" in says

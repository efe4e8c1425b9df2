"""Text and chats to token ids, so that nothing in a document is read as one of the tokenizer's marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Encoder:
    """tokenizer: one of transformers'."""

    tokenizer: Any

    def text(self, text: str) -> list[int]:
        """Return ids with the tokenizer's own start token; marks such as `<|im_end|>` in the text are no marks."""
        return self.tokenizer.encode(self.plain(text))

    def chat(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        """Return the ids of a chat, (role, content) each, up to where the assistant's answer begins."""
        plain = [{"role": role, "content": self.plain(content)} for role, content in messages]
        text = self.tokenizer.apply_chat_template(plain, add_generation_prompt=True, tokenize=False)
        return self.tokenizer.encode(text, add_special_tokens=False)

    def rest(self, text: str) -> list[int]:
        """Return the ids of what follows another text."""
        return self.tokenizer.encode(self.plain(text), add_special_tokens=False)

    def plain(self, text: str) -> str:
        return without_marks(text, self.marks)

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """All tokens that the tokenizer looks for in a text before it cuts it, longest first: more than those it calls
        special (Llama 3 does not name the ones around a message's role). Runs of blanks, added by some, are text."""
        added = [str(token.content) for token in self.tokenizer.added_tokens_decoder.values()]
        found = {mark for mark in (*added, *self.tokenizer.all_special_tokens) if mark.strip()}
        return tuple(sorted(found, key=lambda mark: (-len(mark), mark)))


def without_marks(text: str, marks: Iterable[str]) -> str:
    """Take marks, the longest first, out of a text: a document must not end a message or begin one."""
    for mark in marks:
        text = text.replace(mark, " ")
    return text

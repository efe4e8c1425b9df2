"""Texts in which splitters, hashes and fastText trip easily."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = (
    *(
        "a",
        "b",
        "the",
        "wo",
        "rd",
        " ",
        " ",
        " ",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "\t",
        ".",
        "...",
        "…",
        "#",
        "-",
        "•",
    ),
    *(
        "1",
        "2.5",
        "'",
        "’",
        "é",
        "ß",
        "İ",
        "你",
        "好",
        "ก",
        "\u0301",
        "️",
        "\u3000",
        "\u2028",
        "\x00",
        "\x1c",
        "\x85",
    ),
    *("</s>", "__label__positive", "😀", "\U000e0100", "\U0010ffff"),
)
odd_texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=60).map("".join))

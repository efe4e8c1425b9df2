"""Changes to a report's data that tests of both formats make."""

from __future__ import annotations

from typing import Any


def win(data: dict[str, Any]) -> None:
    """Make the proposal win against every mix, by what was predicted."""
    data["mix"]["headline"] = "The proposal wins: it beats everything."
    for name, each in data["mix"]["measured"].items():
        if name != "proposal":
            gain = data["mix"]["predicted"][name]["gain"]
            each |= {
                "gain": gain,
                "gain_se": 0.0005,
                "p_value": 0.0004,
                "wins": True,
                "verdict": "The proposal beats it.",
            }


def lose(data: dict[str, Any]) -> None:
    """Make the proposal lose against every mix."""
    data["mix"]["headline"] = "The proposal does not win: it beats none of natural, uniform and best observed."
    for name, each in data["mix"]["measured"].items():
        if name != "proposal":
            each |= {
                "gain": -0.02,
                "gain_se": 0.0005,
                "p_value": 0.9999,
                "wins": False,
                "verdict": "The proposal loses.",
            }

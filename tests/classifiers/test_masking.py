"""Masking: addresses of people go, what only looks like one stays, and nothing else changes."""

from __future__ import annotations

import ipaddress
import time

import pytest
from classifier_texts import odd_texts
from hypothesis import given
from hypothesis import strategies as st

from classifiers.masking import EMAIL, IPV4, IPV6, MASKS, mask_emails, mask_ips

labels = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
emails = st.builds(
    lambda local, domain, top: f"{local}@{domain}.{top}",
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.+%-]{0,30}", fullmatch=True),
    labels.filter(lambda name: name != "example"),
    st.sampled_from(["com", "org", "co.uk", "museum"]),
)
public = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6, network="2600::/12")).filter(lambda a: a.is_global)
around = st.sampled_from(["", " ", "\n", "(", "<", '"', "mailto: ", "é "])


@given(st.lists(st.tuples(around, emails), max_size=5), st.sampled_from([".", ",", ")", " ", "\n", ">"]))
def test_every_email_address_is_replaced(parts: list[tuple[str, str]], end: str) -> None:
    text = " see".join(f" {before}{address}{end}" for before, address in parts)
    masked, count = mask_emails(text)
    assert count == len(parts)
    assert masked == " see".join(f" {before}{EMAIL}{end}" for before, _ in parts)


@given(st.lists(public, max_size=5), st.sampled_from([".", ", ", ":80 ", "/24 ", ")", "\n"]))
def test_every_public_ip_address_is_replaced(addresses: list, end: str) -> None:
    ends = [" " if address.version == 6 and ":" in end else end for address in addresses]
    masked, count = mask_ips(" from ".join(f" {each}{after}" for each, after in zip(addresses, ends, strict=True)))
    assert count == len(addresses)
    stands = [IPV4 if each.version == 4 else IPV6 for each in addresses]
    assert masked == " from ".join(f" {each}{after}" for each, after in zip(stands, ends, strict=True))


@given(odd_texts, st.lists(st.one_of(emails, public.map(str)), max_size=3))
def test_masking_twice_changes_nothing_more(text: str, addresses: list[str]) -> None:
    for mask in MASKS.values():
        once, count = mask(" ".join([text, *addresses, text]))
        assert mask(once) == (once, 0)
        assert count <= once.count(EMAIL) + once.count(IPV4) + once.count(IPV6)


@given(odd_texts)
def test_texts_without_addresses_are_left_alone(text: str) -> None:
    quiet = text.replace("@", " at ").replace(".", " ").replace(":", " ")
    assert all(mask(quiet) == (quiet, 0) for mask in MASKS.values())


@given(st.ip_addresses().filter(lambda address: not address.is_global))
def test_private_and_reserved_addresses_stay(address: ipaddress.IPv4Address) -> None:
    assert mask_ips(f"at {address} now") == (f"at {address} now", 0)


@pytest.mark.parametrize(
    "text",
    [
        "react@16.8.0 and user@host and @handle and a @ b.com",
        "someone@example.org, root@mail.example.com, me@localhost",
        "v1.2.3.4 and 1.2.3.4.5 and 999.1.1.1 and 1.2.3 and 01.2.3.4",
        "at 12:30:45, std::vector, Dead::Beef, a::b, 00:1B:44:11:3A:B7, ::1, fe80::1",
    ],
)
def test_what_only_looks_like_an_address_stays(text: str) -> None:
    assert all(mask(text) == (text, 0) for mask in MASKS.values())


def test_addresses_in_running_text() -> None:
    assert mask_emails("Write to jürgen.o'neil+x@uni-köln.de.") == (f"Write to {EMAIL}.", 1)
    assert mask_ips("8.8.8.8, [2606:4700::1111]:443") == (f"{IPV4}, [{IPV6}]:443", 2)


def test_hostile_texts_take_linear_time() -> None:
    start = time.process_time()
    for piece in ("a", "a.", "@", "a@", "a@a.", "1.", "1", ":", "a:", "-", "@a-", "%+._"):
        for mask in MASKS.values():
            mask(piece * (500_000 // len(piece)))
    assert time.process_time() - start < 20

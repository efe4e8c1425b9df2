"""Personal data in text: e-mail and IP addresses, each replaced by one that belongs to nobody.

What stands for them are addresses reserved for documentation (RFC 2606, 5737, 3849), so that a model learns the form of
an address and nobody's own, and masking twice changes nothing. Only addresses that can be somebody's are masked: public
IP addresses (private, local and reserved ones stay, as datatrove does), and e-mail addresses outside reserved domains.
A version number of four parts looks like an IPv4 address and is masked where nothing but its digits and points stands.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

EMAIL, IPV4, IPV6 = "email@example.com", "192.0.2.1", "2001:db8::1"

_DOMAIN = re.compile(r"@((?:[^\W_](?:[^\W_]|-){0,62}\.){1,8}[^\W\d_]{2,24})(?!\w)")
_LOCAL = re.compile(r"(?:[^\W_]|[_%+])(?:[^\W_]|[._%+'-]){0,63}\Z")
_RESERVED = re.compile(r"(?:.*\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)", re.IGNORECASE)
_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w)", re.ASCII)
_V6 = re.compile(r"(?<![\w:.])(?=[\dA-Fa-f]{0,4}:)[\dA-Fa-f:]{2,39}(?![\w:])", re.ASCII)
# what any address holds, found from a rare character on: most texts are done with that (ten times faster)
_HAS_V4 = re.compile(r"\.\d{1,3}\.\d", re.ASCII)
_HAS_V6 = re.compile(r":[\dA-Fa-f]{0,4}:", re.ASCII)
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")


def mask_emails(text: str) -> tuple[str, int]:
    """Replace e-mail addresses by `email@example.com`; return the text and how many were replaced."""
    pieces, done, count = [], 0, 0
    for found in _DOMAIN.finditer(text):
        at = found.start()
        # `search` from the left finds the longest local part that ends at the @; 64 characters are the most it may have
        local = _LOCAL.search(text, max(done, at - 64), at)
        if local is None or _RESERVED.fullmatch(found[1]):
            continue
        pieces += [text[done : local.start()], EMAIL]
        done = found.end()
        count += 1
    return ("".join([*pieces, text[done:]]), count) if count else (text, 0)


def mask_ips(text: str) -> tuple[str, int]:
    """Replace public IP addresses by `192.0.2.1` and `2001:db8::1`; return the text and how many were replaced."""
    count = 0

    def of(pattern: re.Pattern[str], by: str, text: str) -> str:
        def replaced(found: re.Match[str]) -> str:
            nonlocal count
            if not _is_public(found[0]):
                return found[0]
            count += 1
            return by

        return pattern.sub(replaced, text)

    if _HAS_V4.search(text):
        text = of(_V4, IPV4, text)
    if _HAS_V6.search(text):
        text = of(_V6, IPV6, text)
    return text, count


def _is_public(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_global and (address.version == 4 or address in _GLOBAL_V6)


MASKS: dict[str, Callable[[str], tuple[str, int]]] = {"email": mask_emails, "ip": mask_ips}
"""Kind of personal data → what masks it."""

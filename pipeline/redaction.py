"""Secrets in texts: refused where a user writes one into a YAML, taken out of what is logged, stored or shown.

The rule is that secrets come from the environment alone. What is here is for mistakes: a password in a URL, a signed
link, a key of a known form, and error texts of libraries in which a secret of this process's environment stands.
"""

from __future__ import annotations

import functools
import os
import re

HIDDEN = "[secret]"

_LOGIN = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@:\"'<>]*:(?!\d{1,5}(?:[/\s\"'<>]|$))[^\s@\"'<>]+@", re.IGNORECASE)
"""`scheme://user:password@`; a port is no password."""
_SIGNED = re.compile(
    r"([?&](?:x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|signature|sig|"
    r"awsaccesskeyid|access_token|token|api_?key|password|secret|client_secret)=)[^&\s#\"'<>]+",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS
    r"|\bsk-[A-Za-z0-9_-]{20,}"  # OpenAI and servers like it
    r"|\bhf_[A-Za-z0-9]{30,}"  # Hugging Face
    r"|\bgh[opsur]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{50,}|\bglpat-[\w-]{20,}"
    r"|\bAIza[\w-]{35}"  # Google
    r"|\bxox[abprs]-[\w-]{10,}"  # Slack
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+"  # JSON web tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_NAMES = re.compile(r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:_|$)")
_SHORTEST = 8
"""Characters of an environment variable's value from which on it is looked for: shorter ones are words of any text."""


def secret_in(text: str) -> str | None:
    """Return what kind of secret a text of a YAML holds; None where it holds none that is known by its form."""
    if _LOGIN.search(text):
        return "a URL with a password"
    if _SIGNED.search(text):
        return "a URL with a key or signature"
    return "what looks like a key" if _KEY.search(text) else None


def redacted(text: str) -> str:
    """Return a text without secrets of known forms and without the values of this process's secret variables, those
    whose names say KEY, TOKEN, SECRET, PASSWORD or CREDENTIAL."""
    for value in environment_secrets():
        text = text.replace(value, HIDDEN)
    text = _LOGIN.sub(rf"\1{HIDDEN}@", text)
    return _KEY.sub(HIDDEN, _SIGNED.sub(rf"\1{HIDDEN}", text))


@functools.cache
def environment_secrets() -> tuple[str, ...]:
    """Return the values of the secret variables, the longest first; read once in a process."""
    found = {value for name, value in os.environ.items() if _NAMES.search(name.upper()) and len(value) >= _SHORTEST}
    return tuple(sorted(found, key=len, reverse=True))

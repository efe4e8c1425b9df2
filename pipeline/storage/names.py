"""Names below a store's root: none leads out of it, whether it comes from a caller or from a manifest."""

from __future__ import annotations


def inside(name: str) -> str:
    """Return a relative name with `/` between its parts. Raises ValueError where it could lead elsewhere."""
    parts = name.split("/")
    if "\\" in name or "\0" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"`{name}` is no name inside the store: parts joined by /, none empty, `.` or `..`")
    return name


def is_inside(name: str) -> bool:
    """Tell whether a name stays below a store's root."""
    try:
        inside(name)
    except ValueError:
        return False
    return True

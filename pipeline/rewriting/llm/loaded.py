"""Models that this process has loaded: kept from one unit to the next, and let go before another needs their room."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Hashable
from typing import Any

_LOADED: dict[Hashable, Any] = {}


def loaded(key: Hashable, load: Callable[[], Any]) -> Any:
    """Return what `load` made for this key. Before anything is loaded, all that nobody uses any more is dropped."""
    if key not in _LOADED:
        held = {each: weakref.ref(model) for each, model in _LOADED.items()}
        _LOADED.clear()
        gc.collect()
        _LOADED.update({each: model for each, ref in held.items() if (model := ref()) is not None})
        torch = sys.modules.get("torch")  # whoever holds a model has loaded it
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        _LOADED[key] = load()
    return _LOADED[key]

"""The presets that plugins register, our own first: names and places; ``options/preset.py`` reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike
from typing import Any, TypeAlias

from ...errors import PluginError
from .manager import Plugin, implementing, kept

_HOOK = "register_export_presets"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
Source: TypeAlias = str | PathLike[str] | Mapping[str, Any]  # the path of a YAML file, or what it would say


@kept(_HOOK)
def preset_sources() -> dict[str, tuple[Plugin, Source]]:
    """Return every preset's plugin and source by its name.

    Raises PluginError for a plugin that failed and for a name that is taken: as a preset may name secrets and people,
    nothing is exported without it."""
    found: dict[str, tuple[Plugin, Source]] = {}
    for plugin in implementing(_HOOK):
        answer = plugin.ask(_HOOK)
        if answer is not None and not isinstance(answer, Mapping):
            kind = type(answer).__name__
            raise PluginError(f"The plugin {plugin.name} returned a {kind} from {_HOOK}, not presets by name.")
        for name, source in (answer or {}).items():
            if not isinstance(name, str) or name == "none" or _NAME.fullmatch(name) is None:
                raise PluginError(
                    f"The plugin {plugin.name} registers a preset without a right name: small letters, digits and -."
                )
            if not isinstance(source, (str, PathLike, Mapping)):
                kind = type(source).__name__
                raise PluginError(f"The plugin {plugin.name} gives a {kind} as the preset {name}: no path, no mapping.")
            if name in found:
                first = found[name][0]
                whose = "this program" if first.own else f"the plugin {first.name}"
                raise PluginError(f"Both {whose} and the plugin {plugin.name} have a preset with the name {name}.")
            found[name] = plugin, source
    return found

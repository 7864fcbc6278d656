"""The formats that plugins have registered, our own first, and the faults of those that could not be.

A fault takes nothing from others: the formats that are sound go on working. What is missing is told by
``program-export formats``, in a site's log when it starts, and by whatever asks for a format that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...errors import PluginError
from ...options.hooks.manager import Plugin, implementing, kept
from .foreign import watched
from .format import Format
from .soundness import faults_of

_HOOK = "register_export_formats"


@dataclass
class Registered:
    """``formats`` and their ``plugins`` by name. ``taken`` are names that two plugins claim, with a sentence each."""

    formats: dict[str, Format] = field(default_factory=dict)
    plugins: dict[str, Plugin] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    _given: list[Format] = field(default_factory=list)

    def add(self, plugin: Plugin, form: Any) -> None:
        """Add one format of a plugin, or the fault that prevents it."""
        if wrong := next(faults_of(form), None):
            name = form.name if isinstance(form, Format) and isinstance(form.name, str) else ""
            what = f"the format {name}".strip() if name else "one of its formats"
            self.faults.append(f"The plugin {plugin.name} registers no sound format: {what} {wrong}.")
            return
        if any(form is other for other in self._given):  # by two entry points of one package
            return
        self._given.append(form)
        for other in list(self.formats.values()):
            if shared := _shared(form, other):
                self._clash(plugin, form, other, shared)
                return
        if form.name not in self.taken:
            self.formats[form.name] = form if plugin.own else watched(form, plugin.name)
            self.plugins[form.name] = plugin

    def _clash(self, plugin: Plugin, form: Format, other: Format, shared: str) -> None:
        """Our own format keeps what both want; of two plugins neither does: nobody could tell whose is used."""
        first = self.plugins[other.name]
        whose = "this program" if first.own else f"the plugin {first.name}"
        said = f"Both {whose} and the plugin {plugin.name} have a format with {shared}."
        self.faults.append(f"{said} {f'That of {plugin.name}' if first.own else 'Both'} cannot be used.")
        if first.own:
            if form.name != other.name:
                self.taken[form.name] = self.faults[-1]
            return
        for name in (form.name, other.name):
            self.taken[name] = self.faults[-1]
        del self.formats[other.name], self.plugins[other.name]


def _shared(form: Format, other: Format) -> str | None:
    """Return what two formats cannot both have, in words; None if they can be told apart."""
    if form.name == other.name:
        return f"the name {form.name}"
    for one in (form.extension, *form.suffixes):
        for two in (other.extension, *other.suffixes):
            if f".{one}".endswith(f".{two}") or f".{two}".endswith(f".{one}"):
                return f"the suffix .{min(one, two, key=len)}"
    if form.ending is not None and form.ending == other.ending:
        return f"the ending {form.ending} of addresses"
    pairs = [(one, two) for one in form.beginnings for two in other.beginnings]
    alike = form.holds == other.holds  # else one of the two is told by the files in its zip
    if alike and any(one.startswith(two) or two.startswith(one) for one, two in pairs):
        return f"the first bytes of a file (the formats {other.name} and {form.name})"
    return None


def _asked(found: Registered) -> Iterator[tuple[Plugin, Any]]:
    for plugin in implementing(_HOOK):
        try:
            answer = plugin.ask(_HOOK)
        except PluginError as error:
            found.faults.append(str(error))
            continue
        if answer is not None and not isinstance(answer, (list, tuple)):
            kind = type(answer).__name__
            found.faults.append(f"The plugin {plugin.name} returned a {kind} from {_HOOK}, not a list of formats.")
            continue
        yield from ((plugin, form) for form in answer or ())


@kept(_HOOK)
def registered() -> Registered:
    """Return what is registered now; plugins are asked again when there are others."""
    found = Registered()
    for plugin, form in _asked(found):
        found.add(plugin, form)
    return found


def faults() -> list[str]:
    """Return a sentence for each format, or plugin, that could not be registered."""
    return registered().faults

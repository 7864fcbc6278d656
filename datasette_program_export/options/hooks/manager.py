"""Finds the plugins that implement our hooks, and asks each by itself, so that a fault has a plugin's name.

There are up to two plugin managers: our own, with the built-in plugins and the packages of the entry point group
``program_export``; and Datasette's, once our plugin runs there (``take_part``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, wraps
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, TypeVar

from pluggy import PluginManager

from ...errors import PluginError
from . import specs

# Our own formats and presets come as those of any plugin do, before them
DEFAULT_PLUGINS = ("datasette_program_export.formats.registry.own", "datasette_program_export.options.presets")
_guests: list[PluginManager] = []
Found = TypeVar("Found")


@dataclass(frozen=True)
class Plugin:
    """A plugin that implements a hook: its name for people, and whether it is one of our own.

    With a ``fault`` it could not be loaded."""

    name: str
    own: bool = False
    fault: str | None = None
    module: Any = None
    manager: PluginManager | None = None

    def ask(self, hook: str, **known: Any) -> Any:
        """Return what the plugin's implementation of the hook returns; None if it has none. Raises PluginError."""
        if self.fault is not None or self.manager is None:
            raise PluginError(f"The plugin {self.name} {self.fault}.")
        others = [module for module in self.manager.get_plugins() if module is not self.module]
        try:
            answers = self.manager.subset_hook_caller(hook, others)(**known)
        except (Exception, SystemExit) as error:  # its message is left out, as it may hold values
            raise PluginError(f"The plugin {self.name} failed in {hook} ({type(error).__name__}).") from error
        return answers[0] if answers else None


class _Manager(PluginManager):
    """Our own plugin manager. ``faults`` are the packages that could not be loaded, each with the reason."""

    def __init__(self) -> None:
        super().__init__(specs.PROJECT)
        self.add_hookspecs(specs)
        self.faults: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        for module in DEFAULT_PLUGINS:
            self.register(import_module(module), module)
        found = {(point.name, point.value): point for point in entry_points(group=specs.PROJECT)}
        for point in found.values():
            name = point.dist.name if point.dist is not None else point.name
            try:
                self._load(point.load(), point.name, name)
            except (Exception, SystemExit) as error:
                self.faults[name] = f"could not be loaded ({type(error).__name__})"

    def _load(self, module: Any, point: str, name: str) -> None:
        if self.is_registered(module):
            return
        place = point if not self.has_plugin(point) else f"{name}:{point}"
        self.register(module, place)
        self.titles[place] = name
        known = {hook for hook in vars(specs) if self.parse_hookspec_opts(specs, hook) is not None}
        for function in dir(module):
            options = self.parse_hookimpl_opts(module, function)
            if options is not None and (hook := options.get("specname") or function) not in known:
                self.faults[name] = f"implements {hook}, and there is no such hook"


@cache
def manager() -> PluginManager:
    """Return our own plugin manager; the packages are looked for when it is first asked for."""
    return _Manager()


def take_part(other: PluginManager) -> None:
    """Let the plugins of another manager (Datasette's) implement our hooks, too."""
    if other not in _guests:
        other.add_hookspecs(specs)
        _guests.append(other)


def show_in(other: PluginManager) -> None:
    """Register our packages with another manager (Datasette's), which lists them for people; none is asked twice."""
    own = manager()
    for name, module in own.list_name_plugin():
        ours = name in DEFAULT_PLUGINS or not isinstance(module, ModuleType)
        if not ours and not other.is_registered(module) and not other.has_plugin(name):
            other.register(module, name)


def state(hook: str) -> list[Any]:
    """Return what changes with the plugins that implement a hook."""
    return [one for each in (manager(), *_guests) for one in getattr(each.hook, hook).get_hookimpls()]


def kept(hook: str) -> Callable[[Callable[[], Found]], Callable[[], Found]]:
    """Keep what a function finds until other plugins implement the hook; an error is not kept."""

    def keep(find: Callable[[], Found]) -> Callable[[], Found]:
        last: list[tuple[list[Any], Found]] = []

        @wraps(find)
        def found() -> Found:
            now = state(hook)
            if not last or last[0][0] != now:
                last[:] = [(now, find())]
            return last[0][1]

        return found

    return keep


def implementing(hook: str) -> Iterator[Plugin]:
    """Yield the plugins that implement a hook, our own first, and those that could not be loaded."""
    own = manager()
    assert isinstance(own, _Manager)
    seen: set[int] = set()
    for each in (own, *_guests):
        having = {id(found.plugin) for found in getattr(each.hook, hook).get_hookimpls()} - seen
        projects = {id(module): dist.project_name for module, dist in each.list_plugin_distinfo()} if having else {}
        for name, module in each.list_name_plugin() if having else ():  # in the order of their registration
            if id(module) in having:
                seen.add(id(module))
                title = own.titles.get(name, name) if each is own else projects.get(id(module), name)
                yield Plugin(title, each is own and name in DEFAULT_PLUGINS, None, module, each)
    for name, fault in own.faults.items():
        yield Plugin(name, fault=fault)

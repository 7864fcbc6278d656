"""The owner rules of plugins: which rows of a table are withheld from every export.

A rule's SQL comes from outside. It runs once for each table, under the authorizer, and puts the keys of the rows that
it withholds into a TEMP table; everything else looks only there. A query, a view, and a condition with a subquery could
read those rows themselves, so they may not read such a table at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ...database.guarding.authorizer import JOINS_UNSEEN, OF_STORAGE, ForeignSqlGuard
from ...database.guarding.sql_tokens import SQLTextError, tokens
from ...database.schema import Table, fold, quote
from ...database.snapshot import Snapshot
from ...database.virtual_tables import OF_INDEXES
from ...errors import DeniedError, PluginError, RequestError
from ...options.hooks.manager import implementing
from ...options.hooks.values import OwnerRule
from ..annotated_schema import AnnotatedSchema
from ..key_tables import KeyTable

_HOOK = "export_owner_rules"


@dataclass(frozen=True)
class Rule:
    """One rule of a plugin about a table."""

    plugin: str
    table: Table
    condition: str
    reason: str

    def told(self, visible: bool) -> str:
        """Return the rule in words; a table that is not ``visible`` for whoever reads them is not named."""
        what = f"rows of {self.table.name}" if visible else "rows that it would show"
        return f"the plugin {self.plugin} withholds {what} ({self.reason})"


@dataclass(frozen=True)
class ByRule:
    """How many rows of a table a rule has kept out of an export."""

    rule: Rule
    rows: int


class Rules:
    """All rules about one database, for one export.

    Raises PluginError for a plugin that fails, and for a rule that is none, that names no table of the database, or
    whose SQL cannot or may not be run."""

    def __init__(self, snapshot: Snapshot, annotated: AnnotatedSchema) -> None:
        self._snapshot = snapshot
        self._annotated = replace(annotated, with_secrets=False)  # no request opens secrets to a rule
        self._rules: dict[str, list[Rule]] = {}
        self._barred: dict[str, KeyTable] = {}
        for rule in _rules_of(snapshot, annotated):
            self._rules.setdefault(rule.table.name, []).append(rule)
            self._check(rule)

    def about(self, table: str) -> bool:
        """Return whether a rule is about a table."""
        return table in self._rules

    def barred(self, table: Table) -> KeyTable | None:
        """Return the keys of the rows that are withheld, found when first asked for; None if no rule is about it.

        Of each, ``rule`` is the place of the first rule that withholds it, ``met`` whether the export met it."""
        if table.name in self._rules and table.name not in self._barred:
            keys = KeyTable(self._snapshot, table, ", rule INTEGER, met INTEGER")
            for place, rule in enumerate(self._rules[table.name]):
                self._run(
                    rule,
                    f"INSERT OR IGNORE INTO {keys.name} SELECT {keys.key_of(quote(table.name))}, {place}, 0 "
                    f"FROM main.{quote(table.name)} WHERE ({rule.condition}) IS NOT TRUE",
                    keys.name,
                )
            self._barred[table.name] = keys
        return self._barred.get(table.name)

    def meet(self, table: Table) -> None:
        """Note that an export came to all rows of a table."""
        if (keys := self.barred(table)) is not None:
            self._snapshot.execute(f"UPDATE {keys.name} SET met = 1")

    def met_on(self, path: str, table: Table, row: str) -> str:
        """Note the rows of a table (alias ``row``) that an export comes to on a path (a FROM clause with ON).

        Returns the condition to be added to the path, so that it leads to none of those that are withheld."""
        keys = self.barred(table)
        if keys is None:
            return ""
        met = f"SELECT {keys.key_of(row)} FROM {path}"
        self._snapshot.execute(
            f"UPDATE {keys.name} SET met = 1 WHERE met = 0 AND ({', '.join(keys.columns)}) IN ({met})"
        )
        return f" AND {keys.has_not(row)}"

    def check_records(self, asked: KeyTable) -> None:
        """Raise DeniedError if one of the rows that were asked for is withheld."""
        keys = self.barred(asked.table)
        if keys is not None:
            same = " AND ".join(f"w.{column} = a.{column}" for column in keys.columns)
            sql = f"SELECT w.rule FROM {keys.name} AS w JOIN {asked.name} AS a ON {same} LIMIT 1"
            found = self._snapshot.execute(sql).fetchone()
            if found is not None:
                rule = self._rules[asked.table.name][found[0]]
                raise DeniedError(f"What was asked for is not exported: {rule.told(True)}.")

    def count(self, table: Table) -> int:
        """Return how many rows of a table are withheld."""
        keys = self.barred(table)
        return self._snapshot.execute(f"SELECT count(*) FROM {keys.name}").fetchone()[0] if keys is not None else 0

    def told(self) -> Iterator[ByRule]:
        """Yield the rules that kept rows out which the export met, and their number."""
        for name, keys in self._barred.items():
            sql = f"SELECT rule, count(*) FROM {keys.name} WHERE met = 1 GROUP BY rule ORDER BY rule"
            for place, rows in self._snapshot.execute(sql).fetchall():
                yield ByRule(self._rules[name][place], rows)

    def refused(self) -> dict[str, str]:
        """Return what shows rows of a table past its rules, by folded name, each with the reason."""
        if not self._rules:
            return {}
        reason = next(rule.told(False) for rules in self._rules.values() for rule in rules)
        found = dict.fromkeys(OF_STORAGE, reason)
        schema = self._annotated.schema
        for name, table in schema.items():
            origins = self._annotated.drawn_from(table) if table.kind == "virtual" else set()
            of_view = any((t := schema.find(o)) is None or t.kind == "view" for o in origins)
            unseen = table.kind == "view" and JOINS_UNSEEN.search(table.sql or "")
            if origins & self._rules.keys() or of_view or table.module in OF_INDEXES or unseen:
                found[fold(name)] = reason
        for name, table in schema.items():
            if table.owner is not None and (fold(table.owner) in found or self.about(table.owner)):
                found[fold(name)] = reason
        return found

    def closed(self, text: str, about: Table | None) -> Mapping[str, str]:
        """Return the tables that SQL from outside may not read, by folded name, each with the reason.

        The ``text`` of a condition on the rows of the table ``about`` may read that row, but no others of it."""
        found = {fold(name): rules[0].told(self._is_visible(name)) for name, rules in self._rules.items()}
        if about is not None and not _reads_tables(text):
            found.pop(fold(about.name), None)
        return found

    def __bool__(self) -> bool:
        return bool(self._rules)

    def _is_visible(self, table: str) -> bool:
        return self._annotated.visible is None or table in self._annotated.visible

    def _check(self, rule: Rule) -> None:
        """Compile the rule's SQL, without running it."""
        self._run(rule, f"SELECT 1 FROM main.{quote(rule.table.name)} WHERE ({rule.condition}) LIMIT 0", None)

    def _run(self, rule: Rule, sql: str, target: str | None) -> None:
        known = self._annotated
        secrets = {fold(n): frozenset(map(fold, known.secrets(t))) for n, t in known.schema.items()}
        guard = ForeignSqlGuard(
            f"The owner rule of the plugin {rule.plugin} for {_named(rule.table.name, known)}",
            {name: columns for name, columns in secrets.items() if columns},
            known.refused_tables(),
            temp_table=target and target.removeprefix("temp.").strip('"'),
            text=rule.condition,
        )
        try:
            guard.check_condition(rule.condition)
            self._snapshot.execute(sql, (), guard)
        except (DeniedError, RequestError) as error:
            if self._is_visible(rule.table.name):
                raise PluginError(str(error)) from None
            raise PluginError(f"{guard.sql_name} cannot be run, or is not allowed.") from None


def _rules_of(snapshot: Snapshot, annotated: AnnotatedSchema) -> Iterator[Rule]:
    schema = annotated.schema
    for plugin in implementing(_HOOK):
        answer = plugin.ask(_HOOK, schema=schema, database=snapshot.source.name)
        if answer is not None and not isinstance(answer, (list, tuple)):
            kind = type(answer).__name__
            raise PluginError(f"The plugin {plugin.name} returned a {kind} from {_HOOK}, not a list of rules.")
        for rule in answer or ():
            if not isinstance(rule, OwnerRule):
                raise PluginError(f"The plugin {plugin.name} gave a {type(rule).__name__} as an OwnerRule.")
            if not all(isinstance(part, str) and part.strip() for part in (rule.table, rule.condition, rule.reason)):
                raise PluginError(f"The plugin {plugin.name} gave an OwnerRule without table, condition or reason.")
            table = schema.find(rule.table)
            if table is None or table.problem or table.kind not in ("table", "virtual") or not table.key:
                raise PluginError(
                    f"The plugin {plugin.name} has a rule about {_named(rule.table, annotated)}, and the database "
                    f"{snapshot.source.name} has no table of this name whose rows can be told apart by a key."
                )
            yield Rule(plugin.name, table, rule.condition, rule.reason.strip().rstrip("."))


def _named(table: str, annotated: AnnotatedSchema) -> str:
    return table if annotated.visible is None or table in annotated.visible else "a table"


def _reads_tables(text: str) -> bool:
    """Return whether a condition could read tables: by a subquery, or by IN and the name of a table."""
    before = ""
    try:
        for token in tokens(text):
            word = token.text.lower()
            if word in ("select", "values", "with") or (before == "in" and word != "("):
                return True
            before = word
    except SQLTextError:
        return True
    return False

"""Two worlds that differ in one secret value only: whatever SQL is asked, both must answer the same.

So not only does the value not get out; nothing at all can be learned about it, neither
whether a guess is right, nor its length, nor how it compares with other values.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest

from datasette_program_export import ExportError
from tests.support.runs.thorough import shared
from tests.support.sites.two_worlds import GUESS, ODD_SEARCH, SEARCH, VIEWS, differs, python, told

QUERIES = {
    "plain": "SELECT password_hash FROM users",
    "star": "SELECT * FROM users",
    "alias": "SELECT u.password_hash AS x FROM users AS u",
    "quoted": 'SELECT "PASSWORD_hash" FROM [users]',
    "qualified": "SELECT main.users.password_hash FROM main.users",
    "setting": "SELECT answer FROM people",
    "foreign_key": "SELECT key FROM calls",
    "upper": "SELECT upper(password_hash) FROM users",
    "substr": "SELECT substr(answer, 1, 1) FROM people",
    "hex": "SELECT hex(api_key) FROM keys",
    "unicode": "SELECT unicode(token) FROM one",
    "length": "SELECT length(token) FROM one",
    "printf": "SELECT printf('%s', token) FROM one",
    "concatenated": "SELECT 'x' || token FROM one",
    "cast": "SELECT CAST(token AS BLOB) FROM one",
    "coalesce": "SELECT coalesce(NULL, token) FROM one",
    "json_object": "SELECT json_object('a', answer) FROM people",
    "json_each": "SELECT j.value FROM one, json_each(json_array(token)) AS j",
    "group_concat": "SELECT group_concat(answer) FROM people",
    "json_group_array": "SELECT json_group_array(answer) FROM people",
    "max": "SELECT max(answer) FROM people",
    "count_filter": "SELECT count(*) FILTER (WHERE answer > 'mm') FROM people",
    "window": "SELECT first_value(answer) OVER (ORDER BY id) FROM people",
    "window_order": "SELECT id, row_number() OVER (ORDER BY answer) FROM people",
    "window_clause": "SELECT id, rank() OVER w FROM people WINDOW w AS (ORDER BY answer)",
    "cte": "WITH v(p) AS (SELECT answer FROM people) SELECT p FROM v",
    "recursive": "WITH RECURSIVE v(p, n) AS (SELECT answer, 1 FROM people UNION ALL SELECT substr(p, 2), n + 1 FROM v"
    " WHERE p <> '') SELECT substr(p, 1, 1) FROM v",
    "subquery": "SELECT (SELECT token FROM one) AS harmless",
    "from_subquery": "SELECT a FROM (SELECT token AS a FROM one)",
    "union": "SELECT name FROM users UNION ALL SELECT token FROM one",
    "except": "SELECT '{guess}' EXCEPT SELECT token FROM one",
    "intersect": "SELECT '{guess}' INTERSECT SELECT answer FROM people",
    "equal": "SELECT count(*) FROM one WHERE token = '{guess}'",
    "less": "SELECT id FROM people WHERE answer < 'n'",
    "like": "SELECT id FROM people WHERE answer LIKE 'z%'",
    "glob": "SELECT id FROM people WHERE answer GLOB 'z*'",
    "like_function": "SELECT id FROM people WHERE like('z%', answer)",
    "instr": "SELECT id FROM people WHERE instr(answer, '{guess}')",
    "between": "SELECT id FROM people WHERE answer BETWEEN 'y' AND 'zz'",
    "in_list": "SELECT id FROM people WHERE answer IN ('{guess}', 'x')",
    "in_subquery": "SELECT '{guess}' IN (SELECT token FROM one)",
    "in_table": "SELECT '{guess}' IN one",
    "row_value": "SELECT id FROM people WHERE (id, answer) = (1, '{guess}')",
    "row_value_subquery": "SELECT (1, 'ada', '{guess}', '{guess}') = (SELECT * FROM people WHERE id = 1)",
    "exists": "SELECT EXISTS (SELECT 1 FROM one WHERE token > 'mm')",
    "case": "SELECT CASE answer WHEN '{guess}' THEN 1 ELSE 0 END FROM people",
    "iif": "SELECT iif(answer > 'mm', 1, 0) FROM people",
    "nullif": "SELECT nullif(answer, '{guess}') IS NULL FROM people",
    "order": "SELECT id FROM people ORDER BY answer",
    "order_by_number": "SELECT id, answer > 'b' FROM people ORDER BY 2 LIMIT 1",
    "group": "SELECT min(name) FROM people GROUP BY answer > 'mm'",
    "having": "SELECT name FROM people GROUP BY name HAVING max(answer) > 'mm'",
    "limit": "SELECT id FROM people LIMIT (SELECT token > 'mm' FROM one)",
    "offset": "SELECT id FROM people LIMIT 5 OFFSET (SELECT token > 'mm' FROM one)",
    "join": "SELECT people.id FROM people JOIN (SELECT '{guess}' AS g) AS j ON j.g = people.answer",
    "self_join": "SELECT a.id FROM people AS a JOIN people AS b ON a.answer > b.answer",
    "left_join": "SELECT b.id FROM (SELECT '{guess}' AS g) AS j LEFT JOIN people AS b ON b.answer = j.g",
    "join_using": "SELECT p.id FROM people AS p JOIN (SELECT '{guess}' AS answer) USING (answer)",
    "join_natural": "SELECT p.id FROM people AS p NATURAL JOIN (SELECT '{guess}' AS answer)",
    "join_natural_left": "SELECT p.token FROM (SELECT '{guess}' AS token) AS g natural/**/left JOIN one AS p",
    "generated": "SELECT initial FROM users",
    "generated_stored": "SELECT id FROM users WHERE stored > 'MM'",
    "expression_index": "SELECT name FROM users INDEXED BY by_expression WHERE lower(password_hash) = '{guess}'",
    "distinct": "SELECT count(DISTINCT answer > 'mm') || max(answer > 'mm') FROM people",
    "error": "SELECT CASE WHEN token > 'mm' THEN abs(-9223372036854775808) ELSE 1 END FROM one",
    "raised_json": "SELECT json_extract('[1]', token) FROM one",
    "trailing_remark": "SELECT token FROM one -- ;",
    "fts_match": "SELECT count(*) FROM s_table WHERE s_table MATCH '{guess}'",
    "fts_column": "SELECT answer FROM s_double",
    "fts_highlight": "SELECT highlight(s_bracket, 1, '<', '>') FROM s_bracket WHERE s_bracket MATCH 'mm OR {guess}'",
    "fts_short_option": "SELECT count(*) FROM s_short WHERE s_short MATCH '{guess}'",
    "fts_view": "SELECT word FROM s_view",
    "fts_short_view": "SELECT count(*) FROM s_short_view WHERE s_short_view MATCH '{guess}'",
    "fts_four": "SELECT count(*) FROM s_four WHERE s_four MATCH '{guess}'",
    "fts_four_snippet": "SELECT snippet(s_four) FROM s_four WHERE s_four MATCH 'mm OR {guess}'",
    "fts_comment": "SELECT count(*) FROM s_comment WHERE s_comment MATCH '{guess}'",
    "fts_remark": "SELECT count(*) FROM s_remark WHERE s_remark MATCH '{guess}'",
    "fts_odd_name": 'SELECT count(*) FROM "s using x(y" WHERE "s using x(y" MATCH \'{guess}\'',
    "fts_contentless": "SELECT count(*) FROM contentless WHERE contentless MATCH '{guess}'",
    "fts_own": "SELECT count(*) FROM own WHERE own MATCH '{guess}'",
    "fts_function": "SELECT count(*) FROM s_table('{guess}')",
    "vocabulary": "SELECT term FROM words",
    "terms": "SELECT term FROM terms",
    "shadow_data": "SELECT hex(block) FROM s_view_data",
    "shadow_index": "SELECT hex(term) FROM s_view_idx",
    "shadow_content": "SELECT c0 FROM own_content",
    "shadow_docsize": "SELECT hex(sz) FROM s_short_docsize UNION ALL SELECT hex(block) FROM s_short_data",
    "shadow_segments": "SELECT hex(root) FROM s_four_segdir",
}


@pytest.mark.parametrize("case", shared(QUERIES))
async def test_no_query_tells_the_worlds_apart(worlds: list[Path], case: str) -> None:
    sql = QUERIES[case].format(guess=GUESS)
    status, text = await told(worlds, "/w/-/query.programjson?" + urlencode({"sql": sql}))
    assert status in (400, 403), text  # 400: the parts of an index are hidden from everybody
    with pytest.raises(ExportError):
        python(worlds[0], sql=sql)
    if case not in ("error", "raised_json", "shadow_index"):  # two fail in one world; one is the same in both
        assert differs(worlds, sql=sql)


# what SQLite keeps for itself; refused with or without permission to see secrets
INTERNAL = {
    "stat1": "SELECT * FROM sqlite_stat1",
    "stat4": "SELECT hex(sample) FROM sqlite_stat4",
    "dbstat": "SELECT sum(payload) FROM dbstat WHERE name = 'one'",
    "dbstat_call": "SELECT pgsize, unused, payload FROM dbstat('main') WHERE name = 'people'",
    "dbstat_schema": "SELECT max(mx_payload) FROM main.dbstat",
    "page": "SELECT hex(data) FROM sqlite_dbpage",
    "temp": "SELECT name FROM users UNION SELECT sql FROM sqlite_temp_master",
    "temp_shadow": "SELECT * FROM temp.one",
}


@pytest.mark.parametrize("case", INTERNAL)
async def test_sqlites_own_tables_tell_nothing(worlds: list[Path], case: str) -> None:
    status, text = await told(worlds, "/w/-/query.programjson?" + urlencode({"sql": INTERNAL[case]}))
    assert status in (400, 403), text
    status, text = await told(worlds, "/w/users.programjson?" + urlencode({"_where": f"EXISTS ({INTERNAL[case]})"}))
    assert status in (400, 403), text


@pytest.mark.parametrize("name", VIEWS)
async def test_no_view_tells_the_worlds_apart(worlds: list[Path], name: str) -> None:
    for path in (f"/w/v_{name}.programjson", f"/w/v_{name}/-/program-export.json", f"/w/v_{name}.programcsv"):
        assert (await told(worlds, path))[0] == 403
    sql = f"SELECT count(*) FROM v_{name} UNION ALL SELECT EXISTS (SELECT * FROM v_{name})"
    assert (await told(worlds, "/w/-/query.programjson?" + urlencode({"sql": sql})))[0] == 403
    if name not in ("counted", "sorted", "using", "over_using"):  # these need the right values to differ
        assert differs(worlds, table=f"v_{name}")


@pytest.mark.parametrize("name", [*SEARCH, *ODD_SEARCH, "own", "contentless", "words", "terms", "s_view_data"])
async def test_no_search_index_tells_the_worlds_apart(worlds: list[Path], name: str) -> None:
    status, text = await told(worlds, f"/w/{name.replace(' ', '~20').replace('(', '~28')}.programjson")
    assert status in (403, 404, 422), text

"""Saved choices: under which names, whose they are, who sees them, where they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from datasette.utils import StartupError

from datasette_program_export.errors import ConflictError, RequestError
from datasette_program_export.options.profiles import MOST, Profile, ProfileStore, checked_name
from datasette_program_export.plugin.host import V1
from tests.support.sites.jobs import ask, keeping
from tests.support.sites.permissions import PLUGIN, allowed, house, only, signed_in
from tests.support.sites.profiles import ARTIST, ARTISTS, FOR_ALL, HTML, PROFILES, listed, names, save


async def test_a_choice_is_saved_under_a_name_and_used_by_it(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        made = await save(ds, "short", format="csv", without=["memos", "albums.title"], delimiter="tab")
        assert made.status_code == 201, made.text
        assert made.json()["options"] == {"format": "csv", "delimiter": "tab", "without": ["memos", "albums.title"]}
        by_name = await ask(ds, "get", "/house/artists/1/-/program-export/download?_export_profile=short")
        spelled = "_export_format=csv&_export_without=memos&_export_without=albums.title&_export_delimiter=tab"
        by_hand = await ask(ds, "get", f"/house/artists/1/-/program-export/download?{spelled}")
        assert by_name.status_code == 200 and by_name.headers["content-type"] == by_hand.headers["content-type"]
        plan = (await ask(ds, "get", f"{ARTIST}.json?_export_profile=short")).json()
        assert {t["table"] for t in plan["tables"]} == {"artists", "albums", "tracks"}


async def test_only_options_are_kept_never_which_rows(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        made = await ask(
            ds,
            "post",
            f"{ARTISTS}/profile?name=ada&_sort_desc=name",
            data={"_export_save_as": "ada's", "_export_save_for": "me", "_export_limit": "1"},
        )
        assert made.json()["options"] == {"format": "programjson", "limit": 1}
        assert b"ada" not in (folder / "profiles.db").read_bytes().replace(b"ada's", b"")


async def test_saving_a_name_again_replaces_it(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        await save(ds, "mine", format="csv")
        await save(ds, " mine ", format="sql")
        assert [(p["name"], p["options"]) for p in await listed(ds)] == [("mine", {"format": "sql"})]


async def test_other_people_s_profiles_are_as_if_they_did_not_exist(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        made = (await save(ds, "private-choice", format="csv")).json()
        for who in ("bob", None):
            assert await names(ds, who) == []
            theirs = await ask(ds, "get", f"{ARTIST}?_export_profile=private-choice", who)
            never = await ask(ds, "get", f"{ARTIST}?_export_profile=never-choice", who)
            assert theirs.status_code == never.status_code == 400
            assert theirs.text.replace("private", "never") == never.text
            refused = await ask(ds, "post", made["links"]["delete"], who)
            unknown = await ask(ds, "post", f"{PROFILES}/nix/delete", who)
            assert refused.status_code == 404 and refused.text == unknown.text
            assert "private-choice" not in (await ask(ds, "get", "/house/artists/1", who)).text
        assert await names(ds) == ["private-choice"]


async def test_for_everybody_needs_a_permission(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, plugin=FOR_ALL) as ds:
        for who in ("anna", None):
            assert (await save(ds, "all", who=who, whose="everybody")).status_code == 403
        made = (await save(ds, "all", who="root", whose="everybody", format="sql")).json()
        assert (made["for"], await names(ds, "bob"), await names(ds, None)) == ("everybody", ["all"], ["all"])
        assert (await ask(ds, "get", f"{ARTIST}/download?_export_profile=all", None)).text.startswith("--")
        assert [p["links"]["delete"] for p in await listed(ds, "bob")] == [None]
        assert (await ask(ds, "post", made["links"]["delete"], "bob")).status_code == 403
        assert (await ask(ds, "post", made["links"]["delete"], "root")).status_code == 200
        assert await names(ds, "bob") == []


async def test_by_default_only_root_saves_for_everybody(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, root=True) as ds:
        assert (await save(ds, "all", who="anna", whose="everybody")).status_code == 403
        cookies = signed_in(ds, "root")
        fields = {"_export_save_as": "all", "_export_save_for": "everybody"}
        made = await ds.client.post(f"{ARTIST}/profile", data=fields, cookies=cookies)
        assert made.status_code == 201, made.text


async def test_who_is_nobody_has_none_of_their_own(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        refused = await save(ds, "x", who=None)
        assert refused.status_code == 403 and "not signed in" in refused.text
        page = (await ask(ds, "get", ARTIST, None)).text
        assert "Save for me" not in page and "_export_save_as" not in page
        page = (await ask(ds, "get", ARTIST)).text
        assert "Save for me" in page and "Save for everybody" not in page


async def test_one_s_own_goes_before_everybody_s_and_that_before_the_settings(house_file: Path, folder: Path) -> None:
    here = {"plugins": {PLUGIN: {"profiles": {"p": {"format": "csv"}}}}}

    async def kind(ds: Any) -> str:
        return str(
            (await ask(ds, "get", "/house/memos/-/program-export/download?_export_profile=p")).headers["content-type"]
        )

    with keeping(folder, house_file, plugin=FOR_ALL, here=here) as ds:
        assert "csv" in await kind(ds)
        await save(ds, "p", "/house/-/program-export", "root", "everybody", format="sql")
        assert "sql" in await kind(ds)
        await save(ds, "p", "/house/-/program-export", format="ndjson")
        assert "ndjson" in await kind(ds)
        assert [(p["for"], p["kept_in"]) for p in await listed(ds)] == [
            ("me", "saved"), ("everybody", "saved"), ("everybody", "settings"),
        ]  # fmt: skip


async def test_a_profile_that_names_what_one_may_not_see_is_not_there(house_file: Path, folder: Path) -> None:
    """Neither by its name, nor in the list, nor among the names that an error tells."""
    here = allowed(memos=only("root"))
    with keeping(folder, house_file, plugin=FOR_ALL, here=here) as ds:
        await save(ds, "of-memos", "/house/memos/-/program-export", "root", "everybody", format="csv")
        await save(ds, "leaves-memos-out", ARTIST, "root", "everybody", without="memos")
        await save(ds, "plain", ARTIST, "root", "everybody")
        assert await names(ds, "bob") == ["plain"] and len(await names(ds, "root")) == 3
        for name in ("of-memos", "leaves-memos-out"):
            refused = await ask(ds, "get", f"{ARTIST}.json?_export_profile={name}", "bob")
            assert (
                refused.status_code == 400 and refused.json()["error"] == f"There is no profile {name}. Known: plain."
            )
        assert "memos" not in (await ask(ds, "get", PROFILES, "bob")).text
        assert "leaves-memos-out" not in (await ask(ds, "get", "/house/artists", "bob")).text


async def test_a_profile_belongs_to_its_database(tmp_path: Path, folder: Path) -> None:
    with keeping(folder, house(tmp_path), house(tmp_path, "other")) as ds:
        await save(ds, "here", format="csv")
        await save(ds, "here", "/other/artists/1/-/program-export", format="sql")
        assert sorted((p["database"], p["options"]["format"]) for p in await listed(ds)) == [
            ("house", "csv"), ("other", "sql"),
        ]  # fmt: skip
        assert (
            "csv"
            in (await ask(ds, "get", "/house/memos/-/program-export/download?_export_profile=here")).headers[
                "content-type"
            ]
        )


@pytest.mark.parametrize("who", ["anna", None])
async def test_another_site_s_page_saves_and_deletes_nothing(house_file: Path, folder: Path, who: str | None) -> None:
    elsewhere = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    with keeping(folder, house_file, plugin={"allow_profiles": True}) as ds:
        kept = (await save(ds, "kept", who="anna", whose="everybody")).json()
        cookies = signed_in(ds, who)
        fields = {"_export_save_as": "evil", "_export_save_for": "everybody"}
        for url in (f"{ARTIST}/profile", kept["links"]["delete"]):
            refused = await ds.client.post(url, data=fields, cookies=cookies, headers={**HTML, **elsewhere})
            assert refused.status_code == 403
        assert await names(ds) == ["kept"]


@pytest.mark.skipif(V1, reason="1.0 goes by what the browser says of where a form comes from")
async def test_on_0x_deleting_without_the_form_s_token_does_nothing(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        kept = (await save(ds, "kept")).json()
        cookies = signed_in(ds, "anna")
        refused = await ds.client.post(kept["links"]["delete"], data={"csrftoken": "guessed"}, cookies=cookies)
        assert refused.status_code == 403 and await names(ds) == ["kept"]


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 61, "a\nb", "a\x00b", "a\u202eb", "a\u2028b"], ids=lambda n: repr(n)[:20]
)
async def test_a_name_that_cannot_be_shown_is_refused(house_file: Path, folder: Path, name: str) -> None:
    with keeping(folder, house_file) as ds:
        assert (await save(ds, name)).status_code == 400
        assert await names(ds) == []


def test_names_in_all_scripts_and_of_sixty_characters_are_taken() -> None:
    for name in ("x" * 60, "Für Anna", "می\u200cخواهم", "👩\u200d🎤", "a/b?c&d"):
        assert checked_name(f" {name} ") == name
    with pytest.raises(RequestError, match="needs a name"):
        checked_name(" ")


async def test_a_name_is_text_and_no_markup_everywhere(house_file: Path, folder: Path) -> None:
    name = '<b>"x"&'
    with keeping(folder, house_file) as ds:
        made = (await save(ds, name, format="csv")).json()
        for path in (PROFILES, "/house/artists/1", "/house/artists", made["links"]["page"]):
            page = await ask(ds, "get", path, headers=HTML)
            assert page.status_code == 200 and "<b>&#34;" not in page.text and '<b>"x"' not in page.text, path
        assert "&lt;b&gt;" in (await ask(ds, "get", PROFILES)).text
        page = await ask(ds, "get", f"{ARTIST}?_export_save_as={quote(name)}", headers=HTML)
        assert 'value="&lt;b&gt;&#34;x&#34;&amp;"' in page.text


async def test_options_that_mean_nothing_are_told_when_they_are_saved(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        assert (await save(ds, "x", without="nix")).status_code == 400
        assert (await save(ds, "x", whose="them")).status_code == 400
        assert (await save(ds, "x", secrets="include")).status_code == 403
        assert (await save(ds, "x", page="/house/nix/-/program-export")).status_code == 404
        assert await names(ds) == []


async def test_nothing_of_it_can_be_read_by_others(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        await save(ds, "p")
    assert (folder / "profiles.db").stat().st_mode & 0o777 == 0o600 and folder.stat().st_mode & 0o777 == 0o700
    assert b"anna" not in (folder / "profiles.db").read_bytes()


async def test_profiles_survive_the_server(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, plugin={"max_jobs": 0}) as ds:
        assert (await save(ds, "p")).status_code == 201
    with keeping(folder, house_file) as ds:
        assert await names(ds) == ["p"] and await names(ds, "bob") == []


async def test_a_damaged_list_breaks_no_page_but_is_told_where_it_is_asked_for(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        await save(ds, "p")
        (folder / "profiles.db").write_bytes(b"no database" * 100)
        for path in ("/house/artists", ARTIST):
            assert (await ask(ds, "get", path)).status_code == 200
        for path in (f"{PROFILES}.json", f"{ARTIST}.json?_export_profile=p"):
            told = await ask(ds, "get", path)
            assert told.status_code >= 500 and "saved choices" in told.text


def test_there_is_an_end_to_how_many_one_person_saves(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path)
    for number in range(MOST):
        store.save(Profile(str(number), "d", None, {"format": "csv"}, "me"))
    with pytest.raises(ConflictError, match="the most"):
        store.save(Profile("one more", "d", None, {"format": "csv"}, "me"))
    store.save(Profile("7", "d", None, {"format": "sql"}, "me"))  # in place of the one of that name
    assert len(store.found("me")) == MOST and store.found("somebody else") == []


async def test_a_profile_in_the_settings_says_nothing_of_hidden_names(house_file: Path, folder: Path) -> None:
    """It is used as if it did not name them; one that would export nothing else is not there."""
    profiles = {
        "mixed": {"without": ["memos", "albums", "memos.body"], "format": "ndjson", "stop": ["memos.artist_id"]},
        "only-memos": {"tables": ["memos"], "format": "ndjson"},
        "some": {"tables": ["memos", "albums"], "format": "ndjson"},
    }
    here = {**allowed(memos=only("root")), "plugins": {PLUGIN: {"profiles": profiles}}}
    with keeping(folder, house_file, here=here) as ds:
        refused = await ask(ds, "get", f"{ARTIST}.json?_export_profile=zzz", "bob")
        assert refused.json()["error"] == "There is no profile zzz. Known: mixed, some."
        refused = await ask(ds, "get", f"{ARTIST}.json?_export_profile=only-memos", "bob")
        assert refused.json()["error"] == "There is no profile only-memos. Known: mixed, some."
        plan = await ask(ds, "get", f"{ARTIST}.json?_export_profile=mixed", "bob")
        assert plan.status_code == 200 and "memos" not in plan.text
        assert [t["table"] for t in plan.json()["tables"]] == ["artists"]
        some = await ask(ds, "get", "/house/-/program-export.json?_export_profile=some", "bob")
        assert some.status_code == 200 and "memos" not in some.text
        assert await names(ds, "bob") == ["mixed", "some"]
        assert "memos" not in (await ask(ds, "get", PROFILES, "bob")).text
        assert "memos" not in (await ask(ds, "get", "/house/artists", "bob")).text
        assert await names(ds, "root") == list(profiles)
        mine = await ask(ds, "get", f"{ARTIST}.json?_export_profile=mixed", "root")
        assert mine.status_code == 200 and "memos" in mine.text


async def test_a_profile_in_the_settings_that_names_what_there_is_not_stops_the_start(
    house_file: Path, folder: Path
) -> None:
    here = {"plugins": {PLUGIN: {"profiles": {"mine": {"without": ["memmos"]}}}}}
    with keeping(folder, house_file, here=here) as ds, pytest.raises(StartupError, match="mine names memmos, a table"):
        await ds.invoke_startup()

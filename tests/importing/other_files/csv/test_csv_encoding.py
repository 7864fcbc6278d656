"""The encoding of a CSV file: seen, guessed and told, or asked for; one bad byte changes nothing of the others."""

from __future__ import annotations

import pytest

from tests.importing.other_files.conftest import Importing

T = "id INTEGER PRIMARY KEY, name TEXT"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_an_encoding_that_can_be_seen_needs_no_word(encoding: str, importing: Importing) -> None:
    found = importing(T, "id,name\n1,Łódź 日本\n".encode(encoding))
    assert found.rows == [(1, "Łódź 日本")]
    assert ("guess" in found.notes) is (encoding in ("utf-16-le", "utf-16-be"))


def test_a_guess_is_told_with_its_letters(importing: Importing) -> None:
    found = importing(T, "id,name\n1,José\n2,Größe\n3,Zürich\n".encode("cp1252"))
    assert found.rows == [(1, "José"), (2, "Größe"), (3, "Zürich")]
    assert "cp1252 is a guess. Check these letters: ß é ö ü." in found.notes and "the argument encoding" in found.notes


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Привет мир", "cp1251"),
        ("こんにちは", "shift_jis"),
        ("Καλημέρα", "iso8859-7"),
        ("你好世界", "gb18030"),
        ("안녕하세요", "euc_kr"),
    ],
)
def test_where_several_fit_it_is_asked_for(text: str, encoding: str, importing: Importing) -> None:
    data = f"id,name\n1,{text}\n".encode(encoding)
    said = importing(T, data).refused
    assert "several fit" in said and "the argument encoding" in said
    assert importing(T, data, encoding=encoding).rows == [(1, text)]


@pytest.mark.parametrize("before", [2, 30_000])
def test_one_bad_byte_is_a_fault_in_its_line(before: int, importing: Importing) -> None:
    """Also behind the part that is looked at to find out the encoding."""
    good = "".join(f"{n},Bärn\n" for n in range(1, before))
    data = b"id,name\n" + good.encode() + b"99999,Gen\xff\n"
    said = importing(T, data).refused
    assert f"Line {before + 1:,} has a byte that is not utf-8" in said and "the argument encoding" in said


def test_a_bad_byte_behind_ascii_or_a_mark_is_one_too(importing: Importing) -> None:
    assert "Line 3 has a byte" in importing(T, b"\xef\xbb\xbfid,name\n1,a\n2,\xff\n").refused
    far = b"id,name\n" + b"".join(b"%d,aaaaaaaaaa\n" % n for n in range(30_000)) + b"99999,Gen\xe9ve\n"
    assert "Line 30,002 has a byte that is not utf-8" in importing(T, far).refused


def test_an_encoding_that_does_not_fit_is_told(importing: Importing) -> None:
    assert "Line 2 has a byte that is not ascii" in importing(T, "id,name\n1,é\n", encoding="ascii").refused


def test_a_mark_is_no_part_of_a_name_in_whatever_words_utf_8_is_asked_for(importing: Importing) -> None:
    for said in ("utf-8", "UTF8", "utf_8", "utf-8-sig"):
        assert importing(T, b'\xef\xbb\xbf"id","name"\n1,a\n', encoding=said).rows == [(1, "a")]

"""The files that rows name are in a dossier: shown or saved from it, told with their SHA-256, read back from it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import Request, compare, export, load, prove, verify
from datasette_program_export.errors import RefusedError, RequestError, TooLargeError
from datasette_program_export.formats.description.coverage import ColumnFiles, FileGap
from datasette_program_export.formats.dossier import kept_rows
from datasette_program_export.formats.dossier.page import files as files_shown
from datasette_program_export.formats.dossier.seal import copy_begins, end
from datasette_program_export.importing.proof.proven_file import write_proven
from datasette_program_export.verifying.converter import Conversion
from tests.support.dossiers.files import FILES, HOSTILE, PDF, PNG, SVG, Case
from tests.support.dossiers.reader import Page


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


@pytest.fixture
def file(case: Case, tmp_path: Path) -> Path:
    (tmp_path / "anna.html").write_bytes(case.export())
    return tmp_path / "anna.html"


def copy_of(data: bytes) -> zipfile.ZipFile:
    """The package inside."""
    return zipfile.ZipFile(io.BytesIO(base64.b64decode(Page(data).scripts["program-export-copy"])))


def test_each_file_is_in_it_once_and_told_with_its_digest(case: Case) -> None:
    data = case.export()
    page, archive = Page(data), copy_of(data)
    assert archive.read("files/clients/photo/portrait.png") == PNG
    assert archive.read("files/letters/path/letter.pdf") == PDF
    assert sum(archive.read(name) == PDF for name in archive.namelist()) == 1
    for name in ("anna/portrait.png", "letter.pdf", "drawing.svg", "empty.txt"):
        assert name in page.text and hashlib.sha256(FILES[name]).hexdigest() in page.text, name
    assert case.coverage.files == (
        ColumnFiles("clients", "photo", 1, 1, len(PNG)),
        ColumnFiles(
            "letters", "path", 7, 5, sum(len(FILES[n]) for n in ("letter.pdf", "drawing.svg", "empty.txt", "lie.png")),
            (FileGap("missing", 1, ("lost.pdf",)), FileGap("outside", 1, ("../a.db",))),
        ),
    )  # fmt: skip
    assert "letters.path: 1 of 7 files is not included, as it is not there: lost.pdf." in page.text
    assert b"canary" not in b"".join(map(archive.read, archive.namelist())) and "canary" not in page.text


def test_only_pictures_by_their_bytes_are_shown_and_nothing_is_markup(case: Case) -> None:
    page = Page(case.export())
    shown = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(shown) == 1 and "anna/portrait.png" in str(shown[0]["alt"]) and "hidden" not in shown[0]
    assert shown[0]["src"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}" and "data-file" not in shown[0]
    (entry,) = [attrs for _, attrs in page.tags if attrs.get("data-type") == "image/png"]
    assert (entry["data-path"], entry["data-type"]) == ("files/clients/photo/portrait.png", "image/png")
    others = {
        attrs["data-name"]: attrs["data-type"] for _, attrs in page.tags if "data-path" in attrs and attrs != entry
    }
    assert others == dict.fromkeys(("letter.pdf", "drawing.svg", "empty.txt", "lie.png"), "application/octet-stream")
    (policy,) = [a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert "img-src data: blob:; " in str(policy) and "script-src 'sha256-" in str(policy)
    assert SVG not in case.export() and "svg" not in {tag for tag, _ in page.tags}


def test_without_scripts_it_says_what_is_there_and_what_needs_them(case: Case) -> None:
    page = Page(case.export())
    for tag, attrs in page.tags:
        assert tag != "button" or "hidden" in attrs
    assert "saved by a button, which needs JavaScript" in page.text and "program-export convert" in page.text
    assert "picture needs" not in page.text and "shown only with JavaScript" not in page.text
    assert "die braucht JavaScript" in Page(case.export(language="de")).text
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    links = {str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a"}
    assert links <= ids and any(link.startswith("file-") for link in links)


def pictures(page: Page) -> list[bytes | None]:
    """The pictures of a page in its order: the bytes that it shows without scripts, or None."""
    addresses = [attrs.get("src") for tag, attrs in page.tags if tag == "img"]
    return [src and base64.b64decode(src.partition(",")[2]) for src in addresses]


@pytest.mark.parametrize(
    "beginning", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF87a", b"GIF89a", b"RIFF\1\0\0\0WEBP"]
)
def test_a_picture_is_shown_without_scripts_up_to_its_bound(case: Case, beginning: bytes) -> None:
    case.put("anna/portrait.png", beginning.ljust(files_shown.MOST_OF_ONE, b"<"))
    page = Page(case.export())
    assert pictures(page) == [beginning.ljust(files_shown.MOST_OF_ONE, b"<")]
    assert "need JavaScript" not in page.text and "shown only with JavaScript" not in page.text
    case.put("anna/portrait.png", beginning.ljust(files_shown.MOST_OF_ONE + 1, b"<"))
    for page in (Page(case.export()), Page(case.export(language="de"))):
        assert pictures(page) == [None]
        (image,) = [attrs for tag, attrs in page.tags if tag == "img"]
        assert image["data-file"] == "1" and "hidden" in image
        assert ("the picture needs JavaScript" in page.text) != ("das Bild braucht JavaScript" in page.text)
        assert ("1 picture is shown only with JavaScript: it is" in page.text) != (
            "1 Bild wird nur mit JavaScript gezeigt: Es ist" in page.text
        )


def test_pictures_are_shown_without_scripts_up_to_a_bound_together(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(files_shown, "MOST_TOGETHER", 3 * len(PNG))
    for name in ("letter.pdf", "drawing.svg", "empty.txt", "lie.png"):
        case.put(name, PNG)
    page = Page(case.export())  # the letter is named twice, and is shown twice
    assert pictures(page) == [PNG, PNG, PNG, None, None, None]
    assert "3 pictures are shown only with JavaScript: they are larger than 300 kB each" in page.text
    (tmp_path / "x.html").write_bytes(case.export())
    assert verify(tmp_path / "x.html").status == "complete"


def test_a_changed_byte_of_a_shown_picture_shows(file: Path) -> None:
    whole = file.read_bytes()
    shown = whole.index(b"data:image/png;base64,") + 40
    file.write_bytes(whole[:shown] + (b"A" if whole[shown : shown + 1] != b"A" else b"B") + whole[shown + 1 :])
    assert verify(file).status == "changed"
    with pytest.raises(RefusedError, match="changed after it was written"):
        load(file.parent / "never.db", file)


def test_a_row_says_that_its_file_is_not_here(case: Case) -> None:
    text = Page(case.export()).text
    assert "lost.pdf (the file is not included)" in text and "../a.db (the file is not included)" in text
    case.settings = case.settings.model_copy(update={"files": {}})
    assert "the file is not included" not in Page(case.export()).text


def test_without_files_the_copy_is_the_document_that_it_was(case: Case) -> None:
    case.settings = case.settings.model_copy(update={"files": {}})
    data = case.export()
    assert Page(data).document.startswith(b"{") and b"blob:" not in data and b"file-1" not in data


def test_hostile_names_stay_names(tmp_path: Path) -> None:
    case = Case(tmp_path, hostile=True)
    data = case.export()
    page, archive = Page(data), copy_of(data)
    assert [tag for tag, _ in page.tags if tag == "script"] == ["script"] * 3
    for tag, attrs in page.tags:
        assert not {name for name in attrs if name.startswith("on") or name == "style"}, tag
        assert str(attrs.get("src", "data:image/png;base64,iVBO")).startswith("data:image/png;base64,iVBO"), tag
    for name in HOSTILE:
        assert name.replace("\u202e", "\ufffd") in page.text, name
    contents = [archive.read(name) for name in archive.namelist()]
    assert all(name.encode() in contents for name in HOSTILE)
    saved = {str(attrs["data-name"]) for _, attrs in page.tags if "data-name" in attrs}
    assert "photo\ufffdgpj.exe" in saved and not any("/" in name or "\u202e" in name for name in saved)
    (tmp_path / "x.html").write_bytes(data)
    assert verify(tmp_path / "x.html").status == "complete"
    root = tmp_path / "back"
    root.mkdir()
    load(tmp_path / "new.db", tmp_path / "x.html", files=str(root))
    assert all((root / name).read_bytes() == name.encode() for name in HOSTILE)


def test_a_file_that_changes_while_it_is_read_is_told(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.read

    def growing(one: int, size: int) -> bytes:
        with (case.root / "anna" / "portrait.png").open("ab") as other:
            other.write(b"more")
        return read(one, size)

    monkeypatch.setattr(os, "read", growing)
    data = case.export()
    monkeypatch.undo()
    assert case.coverage.files[0].gaps == (FileGap("changed", 1, ("anna/portrait.png",)),)
    assert "1 of 1 files is not included, as it changed while it was read: anna/portrait.png" in Page(data).text
    (tmp_path / "x.html").write_bytes(data)
    assert verify(tmp_path / "x.html").status == "complete"


def test_it_is_verified_proven_and_compared_with_its_files(case: Case, file: Path, tmp_path: Path) -> None:
    report = verify(file)
    assert (report.status, report.format) == ("complete", "dossier")
    assert report.files is not None and (report.files.named, report.files.inside) == (8, 6)
    assert prove(file).proven
    kept = tmp_path / "proven.html"
    request = Request(format="dossier", table="clients", records=(("1",),))
    proof = write_proven(kept, export(case.path, request, settings=case.settings), case.settings, request)
    assert proof.proven and verify(kept).status == "complete" and "proven" in verify(kept).export
    assert copy_of(kept.read_bytes()).read("files/clients/photo/portrait.png") == PNG
    assert compare(file, kept).same


def test_files_go_back_by_the_command_only_and_never_over_another(file: Path, tmp_path: Path) -> None:
    root = tmp_path / "back"
    (root / "anna").mkdir(parents=True)
    report = load(tmp_path / "left.db", file)
    assert report.files is not None and (report.files.left, report.files.new) == (5, 0)
    load(tmp_path / "new.db", file, files={"clients.photo": str(root), "letters.path": str(root)})
    assert (root / "anna/portrait.png").read_bytes() == PNG and (root / "letter.pdf").read_bytes() == PDF
    assert not (root / "lost.pdf").exists() and (root / "empty.txt").read_bytes() == b""
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT path FROM letters WHERE id = 2").fetchone() == ("./letter.pdf",)
    (root / "letter.pdf").write_bytes(b"another")
    with pytest.raises(Exception, match="other bytes"):
        load(tmp_path / "other.db", file, files=str(root))
    assert (root / "letter.pdf").read_bytes() == b"another"
    with pytest.raises(RequestError, match="holds no files for clients.name"):
        load(tmp_path / "third.db", file, files={"clients.name": str(root)})


@pytest.mark.parametrize("by", ["dossier", "package", "programjson", "sqlite"])
def test_conversions_take_them_along_or_say_so(case: Case, file: Path, tmp_path: Path, by: str) -> None:
    conversion = Conversion(file, Request(format=by))
    other = tmp_path / "other"
    other.write_bytes(b"".join(conversion))
    assert verify(other).status == "complete"
    holds = by in ("dossier", "package")
    assert sum(one.inside for one in conversion.coverage.files) == (6 if holds else 0)
    assert (verify(other).tables["letters"].sha256) == verify(file).tables["letters"].sha256
    back = tmp_path / "back.html"
    back.write_bytes(b"".join(Conversion(other, Request(format="dossier", language="de"))))
    assert verify(back).status == "complete" and "Anna Groß" in Page(back.read_bytes()).text
    if holds:
        assert copy_of(back.read_bytes()).read("files/letters/path/letter.pdf") == PDF


def test_any_changed_byte_shows(file: Path) -> None:
    whole = file.read_bytes()
    for place in (*range(64, len(whole), max(1, len(whole) // 40)), len(whole) - 3, len(whole) - 100):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert verify(file).status in ("changed", "cut"), place
    for left in (0.1, 0.5, 0.9, 0.999):
        file.write_bytes(whole[: int(len(whole) * left)])
        assert verify(file).status == "cut"


def test_their_bytes_count_and_too_much_is_refused_before_the_first(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "MOST_BYTES", len(PDF))
    case.put("letter.pdf", b"x")
    assert case.export()
    case.put("letter.pdf", PDF)
    with pytest.raises(TooLargeError, match="START-HERE.html"):
        case.export()


@pytest.mark.parametrize("kind", ["gzip", "zip"])
@pytest.mark.parametrize("copy", [b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"{}", "the other", "half"])
def test_a_page_sealed_anew_around_another_copy_is_refused(
    file: Path, tmp_path: Path, kind: str, copy: bytes | str
) -> None:
    whole = file.read_bytes()
    begin = whole.index(copy_begins("zip"))
    inside = base64.b64decode(Page(whole).scripts["program-export-copy"])
    other = {"the other": gzip.compress(b'{"program_export": 1}'), "half": inside[: len(inside) // 2]}
    content = copy if isinstance(copy, bytes) else other[copy]
    made = whole[:begin] + copy_begins(kind) + base64.b64encode(content) + b"\n</script>\n"
    (tmp_path / "x.html").write_bytes(made + end(hashlib.sha256(made).hexdigest()))
    report = verify(tmp_path / "x.html")
    assert report.status != "complete" and report.problems

"""LibreOffice opens a file, a person types into it, and it is saved: by a macro, in a profile of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

MISSING = shutil.which("soffice") is None
_FILTERS = {
    ".xlsx": "Calc MS Excel 2007 XML",
    ".csv": "Text - txt - csv (StarCalc)",
    ".pdf": "calc_pdf_Export",
}
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMES = 'xmlns:library="http://openoffice.org/2000/library"'
_NAMED = 'library:name="Standard" library:readonly="false" library:passwordprotected="false"'
_MACRO = """Sub Main
  On Error Goto Fault
  Dim opened(2) As New com.sun.star.beans.PropertyValue
  opened(0).Name = "Hidden" : opened(0).Value = True
  opened(1).Name = "FilterName" : opened(1).Value = {filter}
  opened(2).Name = "FilterOptions" : opened(2).Value = {read}
  doc = StarDesktop.loadComponentFromURL({source}, "_blank", 0, opened())
  sheet = doc.Sheets.{sheet}
{steps}
  Dim how(1) As New com.sun.star.beans.PropertyValue
  how(0).Name = "FilterName" : how(0).Value = {kind}
  how(1).Name = "FilterOptions" : how(1).Value = {write}
  doc.storeToURL({target}, how())
  doc.close(True)
  StarDesktop.terminate()
  Exit Sub
Fault:
  Open {fault} For Output As #1
  Print #1, Error$ & " in line " & Erl
  Close #1
  StarDesktop.terminate()
End Sub
"""
SORTED = """  Dim field(0) As New com.sun.star.table.TableSortField
  field(0).Field = {column} : field(0).IsAscending = True
  Dim sort(1) As New com.sun.star.beans.PropertyValue
  sort(0).Name = "SortFields" : sort(0).Value = field()
  sort(1).Name = "ContainsHeader" : sort(1).Value = True
  sheet.getCellRangeByName("{area}").sort(sort())"""


def typed(cell: str, value: str) -> str:
    """Return the step in which a person types something into a cell: LibreOffice reads it as the locale's."""
    return f"sheet.getCellRangeByName({_basic(cell)}).FormulaLocal = {_basic(value)}"


def saved(
    source: Path, target: Path, *steps: str, sheet: str | None = None, delimiter: str = ",", locale: str = "en-US"
) -> Path:
    """Open a file, take the steps on a sheet (the first, if none is named), save it, and return its path.

    A CSV is opened and saved as the dialogs propose it."""
    profile = target.parent / f"libreoffice-{locale}"
    form = f"{ord(delimiter)},34,76,1,,0,false"
    fault = target.with_suffix(".fault")
    macro = _MACRO.format(
        filter=_basic(_FILTERS[source.suffix]),
        kind=_basic(_FILTERS[target.suffix]),
        read=_basic(f"{form},false" if source.suffix == ".csv" else ""),  # no "special numbers", such as times
        write=_basic(f"{form},true,false" if target.suffix == ".csv" else ""),  # as it is shown, no formulas
        source=_basic(source.as_uri()),
        target=_basic(target.as_uri()),
        sheet=f"getByName({_basic(sheet)})" if sheet else "getByIndex(0)",
        steps="\n".join(f"  {step}" for step in steps),
        fault=_basic(str(fault)),
    )
    words = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
    for _ in range(3):  # the first start of a new profile makes it, without our macro
        _prepare(profile, macro, locale)
        subprocess.run([*words, "macro:///Standard.Module1.Main"], check=True, capture_output=True, timeout=120)
        if fault.exists() or target.exists():
            break
    assert not fault.exists(), fault.read_text()
    return target


def _basic(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _prepare(profile: Path, macro: str, locale: str) -> None:
    basic = profile / "user" / "basic" / "Standard"
    basic.mkdir(parents=True, exist_ok=True)
    escaped = macro.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    script = 'xmlns:script="http://openoffice.org/2000/script" script:name="Module1" script:language="StarBasic"'
    (basic / "Module1.xba").write_text(f"{_XML}<script:module {script}>\n{escaped}\n</script:module>")
    elements: dict[str, Sequence[str]] = {"script": ['<library:element library:name="Module1"/>'], "dialog": []}
    for kind, inside in elements.items():
        library = f"<library:library {_NAMES} {_NAMED}>{''.join(inside)}</library:library>"
        (basic / f"{kind}.xlb").write_text(f"{_XML}{library}")
        standard = '<library:library library:name="Standard" library:link="false"/>'
        (basic.parent / f"{kind}.xlc").write_text(f"{_XML}<library:libraries {_NAMES}>{standard}</library:libraries>")
    settings = profile / "user" / "registrymodifications.xcu"
    if not settings.exists():
        settings.write_text(
            f'{_XML}<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item '
            'oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">'
            f"<value>{locale}</value></prop></item></oor:items>"
        )

"""The parts of a workbook beside its rows (ECMA-376, part 1, chapter 18)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HIDDEN = ' state="veryHidden"'
WORKBOOK = "xl/workbook.xml"
ROOT_LINKS = (
    "_rels/.rels",
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_LINKS}/officeDocument" '
    f'Target="{WORKBOOK}"/></Relationships>',
)
_FORMATS = {
    164: "yyyy\\-mm\\-dd",
    165: "yyyy\\-mm\\-dd\\ hh:mm:ss",
    166: 'yyyy\\-mm\\-dd"T"hh:mm:ss',
}
# general, header, text, date, date and time, date T time: the numbers stand in ``cells``
_STYLES = ((0, 0), (49, 1), (49, 0), (164, 0), (165, 0), (166, 0))


@dataclass(frozen=True)
class Sheet:
    """A sheet of the workbook; a hidden one is shown by no menu."""

    name: str
    path: str
    hidden: bool = False


def styles() -> tuple[str, str]:
    """Return the path and the content of the styles."""
    formats = "".join(f'<numFmt numFmtId="{n}" formatCode={_quoted(code)}/>' for n, code in _FORMATS.items())
    cells = "".join(
        f'<xf numFmtId="{number}" fontId="{font}" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" '
        f'applyFont="{font}"/>'
        for number, font in _STYLES
    )
    font = '<sz val="11"/><name val="Calibri"/><family val="2"/></font>'
    return (
        "xl/styles.xml",
        f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="{len(_FORMATS)}">{formats}</numFmts>'
        f'<fonts count="2"><font>{font}<font><b/>{font}</fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(_STYLES)}">{cells}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
    )


def workbook(sheets: Sequence[Sheet]) -> list[tuple[str, str]]:
    """Return the paths and contents of the parts that name the sheets, in their order."""
    named = "".join(
        f'<sheet name={_quoted(sheet.name)} sheetId="{n}"{_HIDDEN if sheet.hidden else ""} r:id="rId{n}"/>'
        for n, sheet in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_LINKS}/worksheet" Target="{sheet.path.removeprefix("xl/")}"/>'
        for n, sheet in enumerate(sheets, 1)
    )
    kinds = "".join(f'<Override PartName="/{s.path}" ContentType="{_TYPE}.worksheet+xml"/>' for s in sheets)
    return [
        (WORKBOOK, f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{named}</sheets></workbook>'),
        (
            "xl/_rels/workbook.xml.rels",
            f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{links}<Relationship '
            f'Id="rId{len(sheets) + 1}" Type="{_LINKS}/styles" Target="styles.xml"/></Relationships>',
        ),
        (
            "[Content_Types].xml",
            f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/{WORKBOOK}" ContentType="{_TYPE}.sheet.main+xml"/>{kinds}'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
        ),
    ]


def sheet_begin(columns: str, frozen: bool, chosen: bool = False) -> bytes:
    """Return the beginning of a sheet, up to its first row; ``columns`` are its widths as XML."""
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' if frozen else ""
    view = f'<sheetView workbookViewId="0"{" tabSelected=" + _quoted("1") if chosen else ""}>{pane}</sheetView>'
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews>{view}</sheetViews><sheetFormatPr defaultRowHeight="15"/>'
        f"<cols>{columns}</cols><sheetData>"
    ).encode()


def sheet_end(filtered: str | None) -> bytes:
    """Return the end of a sheet; ``filtered`` is the area with a filter, such as A1:C9."""
    area = f'<autoFilter ref="{filtered}"/>' if filtered else ""
    return f"</sheetData>{area}</worksheet>".encode()


def _quoted(text: str) -> str:
    from xml.sax.saxutils import quoteattr  # imported late: it loads a client for the web, which no command needs

    return quoteattr(text)

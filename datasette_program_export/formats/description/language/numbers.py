"""Format numbers and sizes for the reader's language (Accept-Language).

Also where the sentences are in English, as the reader's language has no file: numbers are read more often than
sentences. The signs are those of Unicode's CLDR.
"""

from __future__ import annotations

from dataclasses import dataclass

_THIN, _FIRM = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
# the group sign, the decimal sign, the minimum number of digits before the first group sign
_SIGNS = {
    **dict.fromkeys(("de", "nl", "da", "id", "tr", "el", "hr", "ro", "sl", "vi"), (".", ",", 1)),
    **dict.fromkeys(("es", "it", "pt-pt"), (".", ",", 2)),
    **dict.fromkeys(("pt", "pt-br"), (".", ",", 1)),
    **dict.fromkeys(("ru", "uk", "cs", "sk", "fi", "sv", "nb", "nn", "no", "hu"), (_FIRM, ",", 1)),
    **dict.fromkeys(("pl", "bg"), (_FIRM, ",", 2)),
    "fr": (_THIN, ",", 1),
    "fr-ca": (_FIRM, ",", 1),
    "de-ch": ("’", ".", 1),
    "it-ch": ("’", ".", 1),
    "de-at": (_FIRM, ",", 1),
}
_BY_TWO = ("hi", "en-in", "bn", "mr", "gu", "te", "pa", "kn")  # 12,34,567


@dataclass(frozen=True)
class Numbers:
    """How numbers are written. Call it with a whole number to get the text."""

    group: str = ","
    point: str = "."
    least: int = 1
    by_two: bool = False

    def __call__(self, value: int) -> str:
        digits = str(abs(value))
        head, last = digits[:-3], digits[-3:]
        if len(head) < self.least:
            return str(value)
        step = 2 if self.by_two else 3
        first = len(head) % step
        groups = [head[:first]] if first else []
        groups += [head[i : i + step] for i in range(first, len(head), step)]
        return ("-" if value < 0 else "") + self.group.join([*groups, last])

    def size(self, size: int, of_one: str = "bytes") -> str:
        """Return a size such as ``17 kB``, in powers of 1000 as file managers count; ``of_one`` are the bytes."""
        number = float(size)
        for unit in (of_one, "kB", "MB", "GB"):
            if number < 1000 or unit == "GB":
                break
            number /= 1000
        if number < 10 and unit != of_one:
            return f"{number:.1f} {unit}".replace(".", self.point)
        return f"{self(round(number))} {unit}"


def numbers_for(accept_language: str) -> Numbers:
    """Return the Numbers of the first known language in Accept-Language, by weight."""
    for tag in by_weight(accept_language):
        base = tag.partition("-")[0]
        if tag in _BY_TWO or base in _BY_TWO:
            return Numbers(by_two=True)
        if signs := _SIGNS.get(tag) or _SIGNS.get(base):
            return Numbers(*signs)
        if base in ("en", "ja", "zh", "ko", "he", "th"):
            break
    return Numbers()


def by_weight(accept_language: str) -> list[str]:
    """Return the languages of Accept-Language in small letters, the most wanted first."""
    weighed: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:20]:
        tag, _, weight = part.strip().lower().partition(";q=")
        try:
            weighed.append((float(weight or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]

"""Where the project lives, and the README as an index shows it; everything else is in setup.cfg."""

import re
from pathlib import Path

from setuptools import setup

REPOSITORY = "https://github.com/OWNER/datasette-program-export"  # FILL IN before the first release: the only place


def readme() -> str:
    """Return the README with whole addresses: on an index, relative ones lead nowhere."""
    text = (Path(__file__).parent / "README.md").read_text("utf-8")
    text = re.sub(r"<!-- \[\[\[cog.*?\]\]\] -->\n|<!-- \[\[\[end\]\]\] -->\n", "", text, flags=re.S)

    def whole(found: "re.Match[str]") -> str:
        mark, path = found.groups()
        return f"{mark}({REPOSITORY}/{'raw' if path.endswith(('.png', '.gif')) else 'blob'}/main/{path})"

    return re.sub(r"(!?\[[^\]]*\])\((?!https?:|#)([^)]+)\)", whole, text)


setup(
    long_description=readme(),
    url=REPOSITORY,
    project_urls={
        "Documentation": f"{REPOSITORY}/tree/main/docs",
        "Changelog": f"{REPOSITORY}/blob/main/CHANGELOG.md",
        "Issues": f"{REPOSITORY}/issues",
        "CI": f"{REPOSITORY}/actions",
    },
)

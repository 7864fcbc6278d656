"""Builds the extension. SQLite's headers are needed (Debian: libsqlite3-dev), and a compiler for C++17."""

import sys

from setuptools import Extension, setup

FLAGS = ["/std:c++17", "/O2"] if sys.platform == "win32" else ["-std=c++17", "-O2", "-fvisibility=hidden"]
SYMBOLS = ["sqlite3_extension_init", "program_export_auto_init", "program_export_in_this_thread"]

setup(
    ext_modules=[
        Extension(
            "datasette_program_export_native.rows",
            [f"datasette_program_export_native/{name}.cpp" for name in ("rows", "trees", "insertion")],
            language="c++",
            extra_compile_args=FLAGS,
            export_symbols=SYMBOLS if sys.platform == "win32" else [],
            py_limited_api=True,  # it uses nothing of Python: one file serves every version
        )
    ]
)

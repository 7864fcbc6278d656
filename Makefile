# make demo      a demo database in Datasette with the plugin; prints the URL (LINE=alpha for Datasette 1.0 alpha)
# make test      everything is checked, on both Datasette lines (what touches nothing of Datasette: on the alpha line only);
#                told at the end for each
# make test-all  the same, with the tests that take long (PROGRAM_EXPORT_ALL=1), and all of them on both lines
# make check     types, style, layers only
# make bench     measures exports, imports and pages against other tools; writes docs/performance.md
# make bench-short  a few minutes; keeps the ratios, and fails where one got worse by 20 %
# make docs      rewrites the generated parts of the documentation, and its pictures
# make clean     removes what these made

PYTHON ?= python3
# Tests wait for disks, servers and browsers more than they compute: two for each core, and none waits for the last
WORKERS ?= $(shell $(PYTHON) -c "import os; print(2 * (os.cpu_count() or 1))")
LINE ?= stable
PORT ?= 8001
VENV = .venv
# Tests start some thousand processes: what Python compiles is kept, as an installed package's is (a third of a start)
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-all check docs bench bench-short browser axe yaml stored native clean

# The demo has an environment of its own, without what only tests need
DEMO = $(VENV)/demo-$(LINE)
demo: $(DEMO)/ready demo-data/practice.db
	@echo "Open http://127.0.0.1:$(PORT)/practice/clients and choose a client (Ctrl-C stops)."
	@echo "To see imports, jobs and the log too, open first the address with a token that is printed below: it makes you root."
	$(DEMO)/bin/datasette demo-data/practice.db -m metadata.yml -p $(PORT) --root

demo-data/practice.db: | $(DEMO)/ready
	$(DEMO)/bin/datasette program-export demo demo-data

# Tests of the core, and most in a browser (tests/support/runs/lines.py), run once, on the alpha line. What writes rows
# runs on both: in Python on the stable line, in C on the alpha line.
STABLE = --without-core
test: check browser axe yaml stored native $(VENV)/stable/ready $(VENV)/alpha/ready
	@$(VENV)/stable/bin/python -m pytest -q -n $(WORKERS) --dist worksteal $(STABLE); stable=$$?; \
	$(VENV)/alpha/bin/python -m pytest -q -n $(WORKERS) --dist worksteal; alpha=$$?; \
	tell() { [ $$2 = 0 ] && echo "$$1: passed" || echo "$$1: FAILED (pytest ended with $$2)"; }; \
	tell "Tests on Datasette 0.65 (stable$(if $(STABLE),; without the core: it ran on 1.0))" $$stable; \
	tell "Tests on Datasette 1.0 (alpha)" $$alpha; \
	[ $$stable = 0 ] && [ $$alpha = 0 ]

test-all: export PROGRAM_EXPORT_ALL = 1
test-all: STABLE =
test-all: test

check: $(VENV)/alpha/ready
	$(VENV)/alpha/bin/ruff check .
	$(VENV)/alpha/bin/ruff format --check .
	$(VENV)/alpha/bin/mypy
	$(VENV)/alpha/bin/lint-imports --no-cache

# The pictures show what an index installs today: the stable line
docs: $(VENV)/alpha/ready $(VENV)/stable/ready browser
	$(VENV)/alpha/bin/python -m cogapp -r README.md docs/*.md
	$(VENV)/alpha/bin/python docs/schemas.py
	$(VENV)/stable/bin/python docs/picture.py

LINES = --line stable=$(VENV)/stable/bin/python --line alpha=$(VENV)/alpha/bin/python
BENCH = $(VENV)/alpha/bin/python benchmarks
# what is measured, in the order of the page; each writes its own part, and says what it cannot measure
bench: native $(VENV)/stable/ready $(VENV)/peers/ready
	$(BENCH)/export.py $(LINES) --write docs/performance.md
	$(BENCH)/clients.py $(LINES) --write docs/performance.md
	$(BENCH)/imports.py $(LINES) --write docs/performance.md
	$(BENCH)/formats.py $(LINES) --peers $(VENV)/peers/bin/python --write docs/performance.md
	$(BENCH)/dossiers.py $(LINES) --write docs/performance.md
	$(BENCH)/memory.py $(LINES) --write docs/performance.md
	$(BENCH)/beside.py $(LINES) --write docs/performance.md
	$(BENCH)/hostile.py $(LINES) --write docs/performance.md
	$(BENCH)/flames.py $(LINES) --write docs/performance.md

# keeps its ratios in a file, and fails where one got worse by a fifth
RATIOS = benchmarks/ratios.json
bench-short: native $(VENV)/stable/ready
	@worse=0; \
	$(BENCH)/export.py $(LINES) --rows 100000 --ratios $(RATIOS) || worse=1; \
	$(BENCH)/imports.py $(LINES) --rows 100000 --ratios $(RATIOS) || worse=1; \
	$(BENCH)/clients.py $(LINES) --rows 2000 --times 50 --ratios $(RATIOS) || worse=1; \
	exit $$worse

# Browser tests use the system's Chromium. Where it can be installed, it is; else they say that they are skipped.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q chromium; } \
	|| echo "No Chromium here, and it cannot be installed: the browser tests will be skipped."

# axe-core looks for what keeps people out of the pages; for tests only, and only where npm is there.
AXE = 4.14.1
axe:
	@[ -e $(VENV)/node/node_modules/axe-core/axe.min.js ] || { command -v npm >/dev/null \
	&& npm install --silent --no-save --prefix $(VENV)/node axe-core@$(AXE); } \
	|| echo "No npm here, or it cannot fetch axe-core: the tests of accessibility will be skipped."

# Two readers of YAML in JavaScript, for tests only, and only where npm is there.
yaml:
	@[ -e $(VENV)/node-yaml/node_modules/js-yaml ] || { command -v npm >/dev/null \
	&& npm install --silent --no-save --prefix $(VENV)/node-yaml yaml@2 js-yaml@4; } \
	|| echo "No npm here, or it cannot fetch them: the tests of YAML in JavaScript will be skipped."

# A plugin that keeps files, for tests only: beside the environment, so that no other test has it.
stored: $(VENV)/alpha/ready
	@[ -e $(VENV)/datasette-files/datasette_files ] || $(VENV)/alpha/bin/python -m pip install -q --no-deps \
	--target $(VENV)/datasette-files datasette-files python-ulid \
	|| echo "datasette-files cannot be installed here: the tests of its files will be skipped."

# The alpha line is tested with rows written in C, where they can be compiled, and with isal; the stable line in Python.
native: $(VENV)/alpha/ready
	@[ -e /usr/include/sqlite3ext.h ] && command -v g++ >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q g++ libsqlite3-dev; } \
	|| true
	@$(VENV)/alpha/bin/python -m pip install -q --no-deps ./native && rm -rf native/build native/*.egg-info \
	|| echo "Rows in C cannot be compiled here (g++, libsqlite3-dev): their tests will be skipped."
	@$(VENV)/alpha/bin/python -m pip install -q "isal>=1.7" \
	|| echo "No isal here: zlib compresses, and its tests will be skipped."

DATASETTE_stable = "datasette>=0.65.5,<1"
DATASETTE_alpha = "datasette>=1.0a41,<2"
$(DEMO)/ready: setup.cfg pyproject.toml
	@echo "Installing Datasette and the plugin into $(DEMO): once, a minute or more."
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install -q -e .[import] $(DATASETTE_$(LINE))
	touch $@

# The tools of others that benchmarks compare with
$(VENV)/peers/ready:
	$(PYTHON) -m venv $(VENV)/peers
	$(VENV)/peers/bin/python -m pip install -q pandas pyarrow duckdb xlsxwriter lxml
	touch $@

$(VENV)/stable/ready: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)/stable
	$(VENV)/stable/bin/python -m pip install -q -e .[test] $(DATASETTE_stable)
	touch $@

$(VENV)/alpha/ready: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)/alpha
	$(VENV)/alpha/bin/python -m pip install -q -e .[test] $(DATASETTE_alpha)
	touch $@

clean:
	rm -rf $(VENV) demo-data build dist *.egg-info

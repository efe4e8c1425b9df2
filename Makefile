# `make demo` and `make test` need nothing but Python 3.11+, gcc and this folder; both install the locked versions.
PYTHON ?= python3
BIN := .venv/bin
LOCKED := $(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable

.PHONY: demo test test-all test-trainers check docs samples peers clean

demo: .venv/base
	$(BIN)/mixwright run mixes/quickstart.yaml

# One process a core, one thread each; a file's tests stay together, for they share what is costly to make.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

test: .venv/test
	$(PYTEST) -m "not slow"

test-all: .venv/test
	$(PYTEST)

check: .venv/check
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright

# What is made from the code: the JSON Schema, and the tables of keys.
docs: .venv/base
	$(BIN)/python -m pipeline schema --out docs/mix.schema.json
	$(BIN)/python -m pipeline.yaml_reference docs/YAML.md

samples: .venv/samples
	$(BIN)/python -m samples.build

# What only benchmarks need, in an environment of its own: datatrove brings a second fastText, and fails with xxhash 4.
peers: .venv-peers/installed
.venv-peers/installed:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check 'datatrove[processing]==0.10.1' 'spacy==3.8.18' \
		'xxhash<4' 'datasketch==2.0.0' 'rensa==0.5.0'
	@touch $@

# Exports read by the trainers' own libraries, in an environment of their own over .venv: their pins exclude locked versions.
TRAINERS := .venv-trainers/bin/python
test-trainers: .venv-trainers/installed
	PYTHONPATH=$(CURDIR):$(CURDIR)/tests/pipeline/export/without_images OMP_NUM_THREADS=1 \
		$(TRAINERS) -m pytest -n0 -s tests/pipeline/export/test_export_trainers.py
.venv-trainers/installed: .venv/test trainers.lock
	$(PYTHON) -m venv .venv-trainers
	site=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
		echo $$site > .venv-trainers/$${site##*/.venv/}/over.pth
	$(TRAINERS) -m pip install --quiet --disable-pip-version-check --no-deps --requirement trainers.lock
	@touch $@

clean:
	rm -rf .venv .venv-peers .venv-trainers build *.egg-info

.venv/python:
	$(PYTHON) -m venv .venv
	@touch $@

.venv/base: .venv/python pyproject.toml requirements.lock
	$(LOCKED) .
	@touch $@

.venv/test .venv/check .venv/samples: .venv/%: .venv/base
	$(LOCKED) '.[$*]'
	@touch $@

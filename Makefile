# Every command of a working day. Each installs what it needs first; when that is done already it takes no time.

PYTHON ?= python3
BIN := .venv/bin

NO_PYTHON := Python 3.11 or newer is needed, and there is no $(PYTHON) on PATH: install it, or name one with PYTHON=...
INSTALL := command -v $(PYTHON) >/dev/null || { echo "$(NO_PYTHON)" >&2; exit 1; }; $(PYTHON) -I -S scripts/install.py

# What `manage.py check --deploy` is to see: a production that is configured as docs/operators.md says.
PRODUCTION = GAMIFY_ENV=production ALLOWED_HOSTS=gamify.example TRUSTED_PROXIES=1 \
	SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(64))")

.PHONY: help run test trials lint fmt check bench docs seed screenshots lock sbom audit install install-dev

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install:
	@$(INSTALL)

install-dev:
	@$(INSTALL) --dev

# `exec`, so that make is the parent itself: when make is killed, the product stops with it.
run: install ## the whole product in this terminal (PORT, HOST; Ctrl-C stops it)
	@exec $(BIN)/python manage.py serve --stop-with-parent

test: install-dev ## every test: on PostgreSQL with Redis, then on SQLite without (ARGS="-k points")
	@exec $(BIN)/python scripts/test.py $(ARGS)

trials: install-dev ## the trials of docs/trust.md at full size, under an hour (ARGS="-k spend", ARGS=mutants)
	@exec $(BIN)/python scripts/trials.py $(ARGS)

lint: install-dev ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

fmt: install-dev ## put the code into the house format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# It fails where there is no browser: a check that leaves tests out says nothing about the console.
check: lint ## what CI runs: lint, migrations, deployment, OpenAPI, tests
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py lint_migrations
	@echo "manage.py check --deploy (as production)"; $(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	@GAMIFY_REQUIRE_BROWSER=1 $(MAKE) --no-print-directory test

bench: install-dev ## measure speed on this machine
	@exec $(BIN)/python -m bench $(ARGS)

docs: install ## write docs/openapi.yaml and docs/commands.md
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	$(BIN)/python manage.py list_commands > docs/commands.md

seed: install ## fill the database with a demonstration
	@exec $(BIN)/python manage.py seed_demo $(ARGS)

screenshots: install-dev ## take pictures of the main screens of the console, and replace those of the documents
	@$(BIN)/python -m scripts.screenshots $(ARGS)

lock: install-dev ## compile requirements*.in into requirements*.txt (ARGS=--upgrade for the newest)
	$(BIN)/python scripts/lock.py $(ARGS)

sbom: install-dev ## write sbom.cdx.json: what the product consists of (CycloneDX)
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --output-file sbom.cdx.json

audit: install-dev ## compare the pinned requirements with published advisories, where a source answers
	@$(BIN)/python -m scripts.audit

# Every target sets up what it needs; nothing has to be installed first but python3 (3.11 or newer), its venv module, and make.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := lambda:.
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help demo simulator test check e2e prove bench pictures build skill-package requirements format clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## a customer links an account, asks four questions and disables the skill, on real parts
	@$(PYTHON) tools/setup.py dev ministack emulator
	@$(BIN)/python -m tools.simulator story demo

simulator: ## Alexa on your desk: a page to enable, link, talk, and watch the mapping table
	@$(PYTHON) tools/setup.py dev ministack emulator
	@$(BIN)/python -m tools.simulator run

test: ## the fast tests
	@$(PYTHON) tools/setup.py dev
	@$(BIN)/pytest tests -n auto -m "not slow" --ignore tests/end_to_end --cov=lambda --cov-branch --cov-report=term:skip-covered --cov-fail-under=95

check: ## formatting, linting, types, tiers, the template
	@$(PYTHON) tools/setup.py dev sam
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/cfn-lint template.yaml
	@AWS_DEFAULT_REGION=us-east-1 .tools/sam/bin/sam validate --lint
	@$(BIN)/pytest tests/test_template.py

e2e: ## the long tests: the story with IAM enforced in the runtime emulator, sam build (needs python3.13 on PATH), a look-up killed 20 times
	@$(PYTHON) tools/setup.py dev ministack emulator sam
	@$(BIN)/pytest tests/end_to_end
	@$(BIN)/pytest tests/customers -m slow

prove: ## the proof of the mapping table: schedules, histories, faults, erasure, mutants (LONG=1: five times as much, SHORT=1: a fifth)
	@$(PYTHON) tools/setup.py dev
	@$(BIN)/python -m tests.proof $(if $(LONG),--long) $(if $(SHORT),--short)

bench: ## measurements side by side: what a directive costs, what proving an HTTPS request costs (at most three times the bare arithmetic), gunicorn
	@$(PYTHON) tools/setup.py dev
	@$(BIN)/python -m bench.directive
	@$(BIN)/python -m bench.request_signature

pictures: ## renew the two pictures of the simulator's page in docs/ (needs Chromium)
	@$(PYTHON) tools/setup.py dev ministack emulator
	@RENEW_DOCS=1 $(BIN)/pytest tests/end_to_end/test_page.py -k stands_out

build: ## sam build (needs python3.13 on PATH)
	@$(PYTHON) tools/setup.py sam
	@.tools/sam/bin/sam build

skill-package: ## build/skill-package for ask-cli (MODEL=custom,smart-home ENDPOINT=arn:… OPTIONS="--send-alexa-events")
	@$(PYTHON) tools/setup.py dev
	@rm -rf build/skill-package && mkdir -p build/skill-package
	@$(BIN)/python -m tools.skill_manifest --model $(or $(MODEL),custom) $(if $(ENDPOINT),--endpoint $(ENDPOINT)) $(OPTIONS) -o build/skill-package/skill.json
	@if grep -q '"custom"' build/skill-package/skill.json; then mkdir -p build/skill-package/interactionModels/custom && cp interaction_models/*.json build/skill-package/interactionModels/custom/; fi
	@echo build/skill-package

requirements: ## compile the requirements files anew from pyproject.toml (exact versions, with hashes)
	@$(PYTHON) tools/setup.py dev
	@.tools/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.txt
	@.tools/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev -c requirements.txt -o requirements-dev.txt
	@echo gunicorn | .tools/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements.txt -c requirements-dev.txt - -o requirements-https.txt

format: ## let ruff mend what it can
	@$(PYTHON) tools/setup.py dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## remove environments and everything that was built
	rm -rf .venv .tools .aws-sam build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

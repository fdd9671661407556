# Every command sets up what it needs in .venv first (scripts/in-venv): Python 3.11 or later and git are enough.
.DEFAULT_GOAL := help
.PHONY: help demo gitlab check test test-unit test-examples test-acceptance test-attacks test-pipeline lint format bench fuzz properties defences mutants screenshot venv lock clean

# Branch coverage of compose_repo.core by the unit tests below which `make check` and `make test` fail, in percent.
CORE_COVERAGE := 100

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

demo: ## tell the whole story on this machine, against a GitLab on loopback (DEMO_ARGS=--keep leaves it running)
	@scripts/in-venv demo compose-repo demo $(DEMO_ARGS)

gitlab: ## start a GitLab on loopback with a project, users and tokens (GITLAB_ARGS="--port 8929")
	@scripts/in-venv demo python -I -m local_gitlab $(GITLAB_ARGS)

PYTEST := scripts/in-venv dev pytest --numprocesses auto --dist loadgroup --durations 20

# The unit tests, traced: they alone cover the core branch by branch. To trace takes longer than to run, so drawn
# examples are few here, and all other tests run untraced.
define UNIT
$(PYTEST) tests/unit --cov --cov-report= || status=$$?; \
scripts/in-venv dev coverage report --skip-covered --show-missing --fail-under $(CORE_COVERAGE) || status=$$?
endef

define LINT
scripts/in-venv dev ruff check --no-cache || status=$$?; \
scripts/in-venv dev ruff format --check || status=$$?; \
scripts/in-venv dev mypy || status=$$?; \
scripts/in-venv dev shellcheck scripts/in-venv scripts/lock .ci/run || status=$$?
endef

check: ## what to run while you work: lint, the unit tests that cover the core, and a few tests of each other part
	@status=0; \
	$(LINT); \
	$(UNIT); \
	$(PYTEST) -m smoke || status=$$?; \
	exit $$status

test: ## run every test; the core must be covered branch by branch (TEST_ARGS="-k gate" runs some)
ifneq ($(TEST_ARGS),)
	@$(PYTEST) $(TEST_ARGS)
else
	@status=0; \
	$(UNIT); \
	$(PYTEST) --rest || status=$$?; \
	exit $$status
endif

# A part of `make test` each; CI runs them beside each other.
test-unit:
	@status=0; \
	$(UNIT); \
	exit $$status

test-examples:
	@$(PYTEST) --rest tests/unit

test-acceptance test-attacks test-pipeline: test-%:
	@$(PYTEST) tests/$*

lint: ## check style, types, shell scripts and the lock
	@status=0; \
	$(LINT); \
	exit $$status

format: ## fix what ruff can fix
	@scripts/in-venv dev ruff check --fix
	@scripts/in-venv dev ruff format

bench: ## measure against the figures we hold ourselves to
	@scripts/in-venv dev python tests/benchmarks/run.py $(BENCH_ARGS)

fuzz: ## feed the readers and the escaping with hostile bytes, 20 s each (FUZZ_RUNS=1000000 FUZZ=json); Linux on x86-64
	@scripts/in-venv fuzz python tests/fuzz/run.py $(if $(FUZZ_RUNS),--runs $(FUZZ_RUNS)) $(FUZZ)

properties: ## try every law that draws examples on fifty times as many, fresh ones each time; takes long
	@$(PYTEST) --many $(TEST_ARGS)

defences: ## take each attack's defence away and see that the attack succeeds then (DEFENCES=edit_policy takes one)
	@cd tests && ../scripts/in-venv dev python -m attacks.defences $(DEFENCES)

mutants: ## change the gate, the policy and the checks a little, see that a test notices; takes long
	@scripts/in-venv mutants python tests/mutants/run.py $(MUTANTS)

screenshot: ## take the picture of a merge request that README shows; needs Chromium
	@scripts/in-venv demo python scripts/screenshot.py $(SCREENSHOT_ARGS)

venv: ## set up .venv for development, nothing else
	@scripts/in-venv dev

lock: ## write requirements/*.txt anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@scripts/in-venv lock scripts/lock

clean: ## remove what the other commands made, .venv too
	rm -rf .venv .venv.lock .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .gitlab-ci-local fuzz-findings mutants dist build

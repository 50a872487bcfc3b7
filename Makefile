# Everything starts here: `make` lists what there is. Each target installs what it needs first.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo chaos soak bench test prove check format lambda lock deploy destroy images test-images previews pictures clean ready-demo ready-dev

# The newest Python that will do; `make PYTHON=/path/to/python3 …` takes another one.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo "$$python" && break; done)
BIN := .venv/bin
COVERED := core ports pipeline config
OFF := 0 no false
UV_COMPILE = build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header $(if $(UPGRADE),--upgrade)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ready-demo ## Install what the demo needs

demo: ready-demo ## Devices to InfluxDB on this machine [DURATION=seconds DEVICES=20 KILL=1 KINDS=mixed PATH_UNDER_TEST=lambda]
	@$(BIN)/loadtest demo $(if $(DURATION),--duration $(DURATION)) \
		$(if $(DEVICES),--devices $(DEVICES)) $(if $(filter-out $(OFF),$(KILL)),--kill) \
		$(if $(KINDS),--kinds $(KINDS)) $(if $(PATH_UNDER_TEST),--way $(PATH_UNDER_TEST))

chaos: ready-demo ## Kills, outages and faults under load [MESSAGES=20000 SEED=1]
	@$(BIN)/loadtest chaos $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(SEED),--seed $(SEED))

soak: ready-dev ## The service at 80 % of its peak: does its memory grow? [MINUTES=30]
	@$(BIN)/loadtest soak $(if $(MINUTES),--minutes $(MINUTES))

bench: ready-dev ## What one core does, beside other ways [SECONDS=5 ROUNDS=3 DEVICES=1000000]
	@$(BIN)/loadtest bench $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(DEVICES),--devices $(DEVICES))

# Three workers on two cores: tests of whole processes wait half of the time.
test: ready-dev ## All tests; those in tests/unit alone must cover the heart of the service
	@status=0; \
	$(BIN)/pytest tests/unit $(COVERED:%=--cov=ingestor.%) --cov-branch --cov-fail-under=100 \
		|| status=1; \
	$(BIN)/pytest -n3 --ignore=tests/unit || status=1; \
	exit $$status

prove: ready-dev ## Break what each fault row promises: its tests must fail [ROWS='f01 f31']
	@PYTHONPATH=tests $(BIN)/python -m support.prove $(ROWS)

check: ready-dev ## Lint, format, types, layers, security
	@.ci/check

format: ready-dev ## Format the code, and mend what the linter can mend
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

lambda: ready-dev ## The function as a zip: build/ingestor-lambda-<architecture>.zip, twice the same bytes
	@for architecture in arm64 x86_64; do \
		$(BIN)/python -m cfn.build_function --architecture $$architecture || exit 1; done

lock: ## Pin all dependencies of pyproject.toml again [UPGRADE=1: to their newest versions]
	@$(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet 'uv>=0.9'
	$(UV_COMPILE) pyproject.toml --extra loadtest --extra lambda --extra console --group dev -o requirements-dev.txt
	$(UV_COMPILE) pyproject.toml --extra loadtest --group demo -c requirements-dev.txt \
		-o requirements-demo.txt
	$(UV_COMPILE) pyproject.toml --extra console -c requirements-dev.txt -o requirements.txt
	$(UV_COMPILE) pyproject.toml --extra lambda -c requirements-dev.txt -o requirements-lambda.txt
	$(UV_COMPILE) --group build -c requirements-dev.txt -o requirements-build.txt
	$(UV_COMPILE) --group uv -o requirements-uv.txt
	$(UV_COMPILE) --group ministack -o requirements-ministack.txt
	$(UV_COMPILE) --group cfn -o requirements-cfn.txt

previews: ready-dev ## Run every query of the dashboards, and draw them into grafana/previews
	@$(BIN)/python -m loadtest.dashboards

pictures: ready-dev ## Draw the console on a running job, for its README
	@$(BIN)/pytest -n0 tests/console/browser/pictures.py

images: ready-dev ## Container images without an engine, and their tests (root, Debian) [SUITE=bookworm]
	@docker/images
	@$(MAKE) --no-print-directory test-images

test-images: ready-dev ## Run what `make images` has built: the main job in the container
	@$(BIN)/pytest -n0 -rP tests/containers/images.py

deploy: ## All CloudFormation stacks, see cfn/README.md [ENVIRONMENT=demo OPTIONS='--plan']
	@$(PYTHON) -m cfn deploy $(or $(ENVIRONMENT),demo) $(OPTIONS)

destroy: ## Delete all of them, after asking [ENVIRONMENT=demo]
	@$(PYTHON) -m cfn destroy $(or $(ENVIRONMENT),demo) $(OPTIONS)

clean: ## Remove everything that make has made in this folder
	@rm -rf .venv .venv-* build dist .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache ingestor/console/dist ingestor/console/page/node_modules
	@find ingestor loadtest tests .ci -name __pycache__ -prune -exec rm -rf {} +

ready-demo ready-dev:
	@test -n "$(PYTHON)" || { echo "There is no Python 3.11 or newer on PATH: install one, or" \
		"name one with \`make PYTHON=/path/to/python3\`." >&2; exit 1; }
	@$(PYTHON) -m loadtest.bootstrap $(@:ready-%=%)

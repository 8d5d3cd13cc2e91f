# make lab [LAB=03] [PORT=8888]   open a lab        make check           quick checks, for every day
# make test [LAB="01 03"]         every test, or some solutions           make data  the real data sets
# make build [LAB=03]             the notebooks from their source
# make budget [LAB=03] [DATA=DIR] time and memory
# make site                       the course as web pages: make test-site looks at them in a browser
# make newest                     the newest packages in place of the pinned ones
# make hub                        a local JupyterHub make test-hub       and its tests
# make release|collect|autograde|feedback LAB=03     its grading, step by step; make marks  the table
# REPORTS=DIR with test: JUnit reports of the tests, and one of nbval for each notebook
# BACKEND=jax or BACKEND=torch with lab, test and budget: Keras computes with that
PYTHON ?= python3
PORT ?= 8888
LAB ?=
BACKEND ?=
REPORTS ?=
BIN := .venv/bin
NOTEBOOK = $(firstword $(wildcard labs/$(or $(LAB),00)_*.ipynb))

# Kernels run in labs/ and solutions/, so a data folder given relative to here is made absolute.
ifneq ($(filter-out /% offline,$(firstword $(COURSE_DATA))),)
override COURSE_DATA := $(abspath $(COURSE_DATA))
endif
export COURSE_DATA
override REPORTS := $(abspath $(REPORTS))
export REPORTS

ifneq ($(BACKEND),)
ifeq ($(filter tensorflow jax torch,$(BACKEND)),)
$(error BACKEND is tensorflow, jax or torch, not $(BACKEND))
endif
export KERAS_BACKEND := $(BACKEND)
READY = $(patsubst %,.venv/backend-%,$(filter-out tensorflow,$(BACKEND)))
export PYTHONPATH := $(abspath $(READY))$(if $(PYTHONPATH),:$(PYTHONPATH))
endif
# Where steps are small, as in lab 11, more threads of PyTorch mostly wait for each other.
ifeq ($(BACKEND),torch)
export OMP_NUM_THREADS ?= 1
endif

.PHONY: lab test check build budget data newest hub test-hub site test-site release collect autograde feedback marks

lab: .venv/installed $(READY)
	@test -n "$(NOTEBOOK)" || { echo "There is no lab $(or $(LAB),00) in labs/."; exit 1; }
	$(BIN)/jupyter lab --port=$(PORT) $(if $(filter 0,$(shell id -u)),--allow-root) --notebook-dir=labs --LabApp.default_url=/lab/tree/$(notdir $(NOTEBOOK))

SOLUTIONS = tests/notebooks -k "runs_on_four_devices \
	or runs_offline and ($(subst $() , or ,$(strip $(patsubst %,%_,$(LAB)))))"

# Two files at a time: the labs take their time, and two cores are what CI has.
test: .venv/installed $(READY)
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile $(if $(LAB),$(SOLUTIONS)) \
		$(if $(REPORTS),--junitxml=$(REPORTS)/tests.xml)

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --quiet --ignore=tests/notebooks
	$(BIN)/python -m authoring.style
	$(BIN)/python -m authoring.build --check
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet .github/workflows

build: .venv/installed
	$(BIN)/python -m authoring.build $(LAB)

budget: .venv/installed $(READY)
	$(BIN)/python -m authoring.budget $(LAB) $(if $(DATA),--data "$(DATA)")

data: .venv/installed
	$(BIN)/python -m helpers.data

# The newest packages in place of the pinned ones, to see what will break.
newest: .venv/installed
	sed 's/==[^ ]*//' requirements.txt > .venv/newest.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade -r .venv/newest.txt
	$(BIN)/python -m pip list --disable-pip-version-check

hub: .venv/hub
	PYTHONPATH=. PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jupyterhub --config=hub/jupyterhub_config.py

test-hub: .venv/hub-tests
	TESTS_HUB=yes PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest tests/hub

site: .venv/site
	$(BIN)/python -m authoring.site

test-site: .venv/hub-tests site
	TESTS_SITE=yes $(BIN)/python -m pytest tests/site

release collect autograde feedback marks: .venv/hub
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m hub.grading $@ $(LAB) $(if $(UPDATE),--update)

.venv/hub: .venv/installed hub/requirements.txt hub/package.json
	@for tool in npm bwrap git; do command -v $$tool > /dev/null \
		|| { echo "The hub needs $$tool; on Debian or Ubuntu: sudo apt-get install npm bubblewrap git"; exit 1; }; done
	@bwrap --ro-bind / / true || { echo "bwrap can't make a sandbox here. On Ubuntu 23.10 and later this lets it:"; \
		echo "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r hub/requirements.txt
	npm install --prefix hub --no-package-lock --no-fund --no-audit --silent
	touch $@

.venv/hub-tests: .venv/hub hub/requirements-test.txt
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null \
		|| { echo "The hub's tests need Chromium; on Debian or Ubuntu: sudo apt-get install chromium"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r hub/requirements-test.txt
	touch $@

.venv/site: .venv/installed site/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r site/requirements.txt
	touch $@

.venv/installed: requirements.txt pyproject.toml hub/ipython_kernel_config.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "The labs need Python 3.11, 3.12 or 3.13; $(PYTHON) is another: use make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

# In a folder of its own: TensorFlow imports JAX where it finds it, which takes memory and time.
.venv/backend-%: requirements-%.txt .venv/installed
	$(BIN)/python -m pip freeze --exclude-editable > .venv/versions.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target $@ \
		-c .venv/versions.txt -r $<
	touch $@

# The course's commands: `make lab` and `make test` need nothing done before them.
#
#   make lab            set up on first use, then open JupyterLab on your copies of the lessons, in work/
#   make test           everything CI checks
#   make notebooks      run every lesson (PROFILE=full MOTION=my.bvh SEED=1 LESSONS="05" are passed on)
#   make build          rewrite the committed notebooks from notebooks/source (LESSONS="05 06" for some)
#   make bench          side-by-side benchmarks, as ratios
#   make student        the lessons without solutions, into build/student
#   make grade          marks for a folder of answers: make grade SUBMISSIONS=folder
#   make sheet          whether every lesson has what a lesson needs
#   make site           build/site/index.html: lessons, pages and library without kernel and network
#   make record         states of the live demos, for site and slides, into build/recorded (make site does it)
#   make slides         build/slides/index.html: a talk, a run sheet and a presenter's page for every lesson
#   make kiosk          each live demo alone, for a projector: make kiosk LESSON="00 05 06", or all of them
#   make hub            try the course as a class: JupyterHub on this machine (docs/class.md)
#   make wheel          one file to install elsewhere, lessons included, in build/dist (docs/launchers.md)
#   make badges         write launch links into the README: make badges REPOSITORY=owner/name
#   make review         in this clone, show and check notebook changes cell by cell
#   make architecture   draw the picture of the house anew from the code, into docs/
#   make matrix         make test with every Python here that the course promises, each in an environment of its own
#   make gpu-check      everything that wants a GPU, on a machine that has one (docs/gpu.md)
#   make keypoints      a film to 2D keypoints: make keypoints VIDEO=film.mp4 (docs/own_motion.md)
#   make checkpoints    train again what tutorial_lib/checkpoints ships
#   make clean          remove what the commands above made, except .venv and work
#
# PIP_ARGS goes to `pip install`, e.g. to choose another build of torch. LAB_ARGS goes to `jupyter lab`,
# PYTEST_ARGS to pytest. PYTHON names the interpreter that makes .venv.

# Words as one word for the shell, whatever is in them.
quoted = '$(subst ','\'',$(1))'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup lab test browser lint notebooks build pair bench gpu-check keypoints checkpoints student grade sheet site page-tools record slides kiosk hub wheel badges review architecture matrix clean

VENV := .venv
TEST_PROCESSES ?= 3
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A python that is new enough, else empty (the recipe of $(READY) then says what is missing).
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# A variable's value as one word for the shell, whatever characters are in it; nothing if it is empty.
given = $(if $(value $1),'$(subst ','\'',$(value $1))')

# Whatever Jupyter, IPython and matplotlib keep, they keep in the clone: nothing lands in the home folder.
PRIVATE := $(CURDIR)/$(VENV)/private
export JUPYTER_CONFIG_DIR := $(PRIVATE)/jupyter/config
export JUPYTER_DATA_DIR := $(PRIVATE)/jupyter/data
export JUPYTER_RUNTIME_DIR := $(PRIVATE)/jupyter/runtime
export JUPYTERLAB_SETTINGS_DIR := $(PRIVATE)/jupyter/settings
export JUPYTERLAB_WORKSPACES_DIR := $(PRIVATE)/jupyter/workspaces
export IPYTHONDIR := $(PRIVATE)/ipython
export MPLCONFIGDIR := $(PRIVATE)/matplotlib
export JUPYTER_PREFER_ENV_PATH := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:
	@sed -n 's/^#   \(make .*\)/  \1/p' Makefile

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@test -n $(call quoted,$(PYTHON)) || { echo "No Python 3.11 or newer was found: install one (Debian: apt-get install" \
		"python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "Making $(VENV)"; $(call quoted,$(PYTHON)) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "python -m venv failed: on Debian, apt-get install python3-venv" >&2; exit 1; }; }
	$(BIN)/python -m pip install --requirement requirements.lock $(if $(wildcard $@),--quiet) $(PIP_ARGS)
	$(BIN)/python -m pip install --no-deps --no-build-isolation --editable . --quiet
	@mkdir -p $(call quoted,$(PRIVATE)) $(VENV)/share/jupyter/lab/settings
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' \
		> $(VENV)/share/jupyter/lab/settings/overrides.json  # the first thing to see is the lesson, not a question
	@cp docs/jupyter/tutorial_lib.json $(VENV)/etc/jupyter/jupyter_server_config.d  # pip does, if not editable
	@touch $@

# Who learns works in copies, so that the clone stays as it is and git has nothing to say; see course/unpack.py for what
# of them Jupyter trusts. JupyterLab refuses to run as root unless told that root is meant, as it is in a container.
# Language servers are not looked for: the search runs npm, which writes into the home folder.
lab: $(READY)
	@$(BIN)/python -m tutorial_lib.course.unpack work --trust
	$(BIN)/jupyter lab --ServerApp.root_dir=$(call quoted,$(CURDIR)) \
		--LabApp.default_url=/lab/tree/work/00_start_here.ipynb --LanguageServerManager.autodetect=False \
		$(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_ARGS)

# One pytest run: unit tests, every committed notebook cell by cell (nbval), every lesson through papermill,
# the browser. Why nbval is lax where it is: the docstring of tests/course/test_notebooks.py. Benchmarks run once,
# untimed, so that they cannot rot. A lesson is one file and stays in one process; files are taken in order, or those
# with few tests, which are the browser's and take longest, would run alone at the end. Every process computes on one
# thread, or OpenMP's threads would wait for one another.
test: $(READY) $(VENV)/reveal/sphinx_revealjs-3.2.1.dist-info $(VENV)/site/.ready browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ty check --quiet
	$(BIN)/lint-imports --no-cache
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests notebooks --nbval-lax --nbval-current-env --nbval-cell-timeout=240 \
		--benchmark-disable --durations=10 --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder \
		$(PYTEST_ARGS)

# The browser test wants a Chromium from the system. Where it cannot be had, that test skips and says why.
browser:
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
		command -v google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser test"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			chromium fonts-dejavu-core >/dev/null; } </dev/null || \
			echo "Chromium could not be installed: the browser test will skip"; \
	else echo "No Chromium, and no right to install one: the browser test will skip"; fi

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ty check --quiet
	$(BIN)/lint-imports --no-cache

notebooks: $(READY)
	$(BIN)/python -m tutorial_lib.course.run $(LESSONS) --parameters \
		$(foreach name,PROFILE SEED DEVICE MOTION,$(if $($(name)),$(name)=$(call given,$(name))))

build: $(READY)
	$(BIN)/python -m tutorial_lib.course.build $(LESSONS)

pair: build

bench: $(READY)
	@mkdir -p build
	$(BIN)/python -m pytest tests/bench/*.py --benchmark-only --benchmark-disable-gc \
		--benchmark-json=build/bench.json --quiet $(PYTEST_ARGS)
	$(BIN)/python -m tutorial_lib.course.bench_ratios build/bench.json

# Machines with a GPU are often bare and without a network, so nothing is installed: the clone's environment if there is
# one, else the machine's own Python. GPU_ARGS="--without-lessons" leaves out what needs Jupyter.
GPU_PYTHON ?= $(firstword $(wildcard $(BIN)/python) $(PYTHON))
gpu-check:
	PYTHONPATH=$(call quoted,$(CURDIR)) $(GPU_PYTHON) -m tutorial_lib.course.gpu_check $(GPU_ARGS)

# MediaPipe carries its weights in its wheel and wants an older numpy than the course: an environment of its own, made
# once. It needs neither the course's environment nor, once it is made, a network.
DETECTOR := $(VENV)/detector
DETECTOR_PYTHON ?= $(shell for p in $(BIN)/python python3 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null && echo $$p && break; done)
$(DETECTOR)/.ready: docs/video/requirements.txt
	@test -n $(call quoted,$(DETECTOR_PYTHON)) || { echo "No Python 3.11 or 3.12 was found, and MediaPipe has no wheel for" \
		"others: name one, make keypoints DETECTOR_PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Making $(DETECTOR)"; rm -rf $(DETECTOR)
	@{ $(call quoted,$(DETECTOR_PYTHON)) -m venv $(DETECTOR) && $(DETECTOR)/bin/python -m pip install --quiet --no-deps \
		--only-binary :all: --requirement docs/video/requirements.txt $(PIP_ARGS) && touch $@; } || { rm -rf $(DETECTOR); \
		echo "The detector could not be installed. It needs a network this once, and there are wheels of it for Python" \
		"3.11 and 3.12 on Linux (x86-64), macOS and Windows only. Where it cannot be had, run any detector elsewhere:" \
		"docs/own_motion.md says which files are read" >&2; exit 1; }

keypoints:
	$(if $(value VIDEO),,@echo "VIDEO names no film, expected one: make keypoints VIDEO=film.mp4" >&2; exit 1)
	@$(MAKE) --no-print-directory $(DETECTOR)/.ready
	$(DETECTOR)/bin/python docs/video/keypoints.py $(call given,VIDEO) $(call given,KEYPOINTS)

# Their experiments are started alike.
PART_TWO := geometry_aware geometric_self_supervision characteristic_function mesh_recovery stress_testing low_light \
	egocentric
checkpoints: $(READY)
	$(BIN)/python -m tutorial_lib.lessons.meta_learning.experiment --folder tutorial_lib/checkpoints
	$(BIN)/python -m tutorial_lib.lessons.temporal_lifting.experiment --folder tutorial_lib/checkpoints
	$(BIN)/python -m tutorial_lib.lessons.heatmap_vs_regression.experiment --folder tutorial_lib/checkpoints
	$(BIN)/python -m tutorial_lib.lessons.integral_pose.experiment --folder tutorial_lib/checkpoints
	$(BIN)/python -m tutorial_lib.lessons.shape_templates.experiment --folder tutorial_lib/checkpoints
	for seed in 0 1 2 3 4; do \
		$(BIN)/python -m tutorial_lib.lessons.meta_learning.experiment_crooked --seed $$seed --folder build/crooked && \
		$(BIN)/python -m tutorial_lib.lessons.meta_learning.experiment_oracle --seed $$seed --folder build/oracle && \
		$(BIN)/python -m tutorial_lib.lessons.meta_learning.experiment_ladder --seed $$seed --folder build/ladder && \
		$(BIN)/python -m tutorial_lib.lessons.meta_learning.experiment_cue --seed $$seed --folder build/cue || exit 1; \
	done
	$(BIN)/python -m tutorial_lib.lessons.meta_learning.results build
	for budget in seeds half; do for seed in 0 1 2 3 4; do \
		$(BIN)/python -m tutorial_lib.lessons.temporal_lifting.experiment_seeds --budget $$budget --seed $$seed \
			--work build/lifters || exit 1; \
	done; done
	$(BIN)/python -m tutorial_lib.lessons.temporal_lifting.results build/lifters
	for lesson in $(PART_TWO); do \
		for seed in 0 1 2 3 4; do $(BIN)/python -m tutorial_lib.lessons.$$lesson.experiment --seed $$seed \
			--folder tutorial_lib/checkpoints --work build/$$lesson || exit 1; done; \
		$(BIN)/python -m tutorial_lib.lessons.$$lesson.results build/$$lesson || exit 1; \
	done

student: $(READY)
	$(BIN)/python -m tutorial_lib.course.student $(LESSONS)

grade: $(READY)
	$(BIN)/python -m tutorial_lib.course.grade $(call given,SUBMISSIONS) $(if $(LESSONS),--lesson $(LESSONS))

sheet: $(READY)
	$(BIN)/python -m tutorial_lib.course.checklist $(LESSONS)

# Sphinx and what it needs lie beside the course's environment, in a folder that nothing else sees.
SITE := $(VENV)/site/.ready
$(SITE): docs/requirements.txt | $(READY)
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --no-deps --target $(@D) --requirement docs/requirements.txt $(PIP_ARGS)
	@touch $@

site: $(READY) $(SITE) record
	$(BIN)/python -m tutorial_lib.course.site $(LESSONS)

# What lets a network compute in a page: Python packages that export it, the npm package that runs it. They lie in a
# folder of their own that nothing else sees. Without npm, or without a network, demos on pages show recorded states.
PAGE := $(VENV)/page
PAGE_PYTHON := onnx==1.23.2 onnxscript==0.7.2 onnx-ir==1.1.0 ml-dtypes==0.6.0 protobuf==7.36.2 \
	onnxruntime==1.32.0 flatbuffers==25.12.19
PAGE_RUNTIME := onnxruntime-web@1.30.0
$(PAGE)/.ready: Makefile | $(READY)
	rm -rf $(PAGE)
	mkdir -p $(PAGE)
	@{ $(BIN)/python -m pip install --quiet --no-deps --target $(PAGE)/python $(PAGE_PYTHON) $(PIP_ARGS) && \
		cd $(PAGE) && npm pack --silent --cache .npm $(PAGE_RUNTIME) >/dev/null && \
		tar -xzf onnxruntime-web-*.tgz package/dist/ort.wasm.bundle.min.mjs \
			package/dist/ort-wasm-simd-threaded.wasm && rm -rf onnxruntime-web-*.tgz .npm && touch .ready; } || \
		echo "No npm, or no network: demos on pages will show recorded states, no network computes there"

# Live demos without a kernel: into build/recorded, once for every state of a lesson (course/record.py).
page-tools: $(READY)
	@$(MAKE) --no-print-directory $(PAGE)/.ready

record: $(READY) page-tools
	$(BIN)/python -m tutorial_lib.course.record $(LESSONS)

# reveal.js comes in the wheel of sphinx-revealjs, of which nothing else is wanted: neither Sphinx nor node is needed.
REVEAL := $(VENV)/reveal/sphinx_revealjs-3.2.1.dist-info
$(REVEAL): | $(READY)
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --no-deps --target $(@D) sphinx-revealjs==3.2.1 $(PIP_ARGS)

slides: $(READY) $(REVEAL) record
	$(BIN)/python -m tutorial_lib.course.slides $(LESSONS)

kiosk: $(READY)
	$(BIN)/python -m tutorial_lib.course.kiosk $(LESSON) $(if $(value DEMO),--demo $(call given,DEMO))

# Beside the course's own versions, a hub wants two dozen packages that nobody else needs.
hub: $(READY)
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --requirement docs/hub/requirements.txt
	$(BIN)/jupyterhub --config docs/hub/jupyterhub_config.py

# What an earlier build left in build/lib would go into the wheel, deleted files as well.
wheel: $(READY)
	rm -rf build/lib build/bdist.*
	$(BIN)/python -m build --wheel --no-isolation --outdir build/dist

badges: $(READY)
	$(BIN)/python -m tutorial_lib.course.launch $(call given,REPOSITORY)

# nbdime and pre-commit have an environment of their own: in the course's they would add themselves to its JupyterLab.
REVIEW := $(VENV)/review
review: $(READY)
	@git rev-parse --git-dir >/dev/null || { echo "make review needs a git clone" >&2; exit 1; }
	@test -x $(REVIEW)/bin/python || $(BIN)/python -m venv $(REVIEW)
	$(REVIEW)/bin/python -m pip install --quiet --constraint requirements.lock nbdime==4.0.4 pre-commit==4.7.0 \
		pre-commit-hooks==6.0.0 $(PIP_ARGS)
	git config diff.jupyternotebook.command $(call quoted,$(call quoted,$(CURDIR)/$(REVIEW)/bin/git-nbdiffdriver) diff)
	@attributes="$$(git rev-parse --git-path info/attributes)"; mkdir -p "$$(dirname "$$attributes")"; \
		grep -qs jupyternotebook "$$attributes" || echo '*.ipynb diff=jupyternotebook' >> "$$attributes"
	$(REVIEW)/bin/pre-commit install

architecture: $(READY)
	$(BIN)/python -m tutorial_lib.course.architecture

# Every Python that is named, works and is new enough: .venv-3.12 and so on, 2 GB each. Other places have other names:
# make matrix PYTHONS="python3.12 /opt/python/bin/python3.13"
PYTHONS ?= python3.11 python3.12 python3.13
matrix:
	@for python in $(PYTHONS); do \
		version="$$($$python -c 'import sys, venv; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" || \
			{ echo "$$python: not here, left out"; continue; }; \
		echo "$$python: make test"; \
		$(MAKE) test PYTHON="$$python" VENV=".venv-$$version" || exit 1; \
	done

clean:
	rm -rf build .pytest_cache .ruff_cache .hypothesis .benchmarks *.egg-info
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

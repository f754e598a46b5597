# make demo: build, train on the embedded digits.   make test: everything that has to pass.
# Each target first installs what it is missing (scripts/setup.sh).

CARGO ?= cargo
FF = $(CARGO) run --release --quiet --
# The same network as the README shows; well under a minute on two cores.
DEMO = train 500 500 --recipe contrast --dataset digits --num-epochs 30 --backend cpu

.PHONY: help demo test check sanitize fuzz bench figures results paper book wheel test-slurm check-kernels
.PHONY: setup setup-tests setup-kernels setup-python setup-fuzz

help:
	@echo "make demo        train a network on the embedded digits"
	@echo "make test        formatting, lints, docs, all tests"
	@echo "make check       formatting, lints, docs"
	@echo "make sanitize    the tests of backend cpu under AddressSanitizer"
	@echo "make fuzz        ten minutes of fuzzing a target, with AddressSanitizer (FUZZ_SECONDS=600)"
	@echo "make bench       a training step beside the floor of this machine"
	@echo "make figures     draw the figures of the README again"
	@echo "make results     what the README states, beside what the files say; the cheap rows again"
	@echo "make paper       the paper's experiments, small, and a figure beside its numbers (SIZE=full: days)"
	@echo "make book        the documents as a book: target/book"
	@echo "make wheel       the program and its Python package: target/wheels"
	@echo "make check-kernels  the OpenCL kernels through the GPU compilers, Oclgrind, Intel's runtime"
	@echo "make test-slurm  a sweep on a real Slurm on this machine"
	@echo "make setup       install what the build needs"

setup:
	@sh scripts/setup.sh

setup-tests:
	@sh scripts/setup.sh tests

setup-kernels: setup-tests
	@sh scripts/setup.sh kernels

setup-python:
	@sh scripts/setup.sh python

setup-fuzz:
	@sh scripts/setup.sh fuzz

demo: setup
	$(CARGO) build --release
	$(FF) $(DEMO) --log-dir runs/demo --force

# Pure Rust: what the backends that are left out could change. Documents, figures and readers are the same.
PURE = --package forward-forward --no-default-features
PURE_TESTS = --lib --bins --test equivalence --test gradients --test examples
# Of the command line what names a backend, or takes the one there is.
PURE_COMMANDS = commands:: options:: refusals:: opencl_driver:: resume::

test: check .venv/installed
	FF_REQUIRE_PYTHON=1 $(if $(filter true,$(CI)),FF_REQUIRE_OPENCL=1) $(CARGO) test --workspace
	$(CARGO) test $(PURE) $(PURE_TESTS)
	$(CARGO) test $(PURE) --test cli -- $(PURE_COMMANDS)

check: setup-tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy $(PURE) --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --workspace --no-deps
	sh scripts/deny.sh
	sh scripts/sanitize.sh --quiet lists_have no_number

# Pointers of the microkernels: a few minutes, of which `make check` runs the lists' tests.
sanitize: setup
	sh scripts/sanitize.sh

# All targets in turn; the suite runs them over the committed corpus and a few mutations.
FUZZ_SECONDS ?= 600
fuzz: setup-fuzz
	sh scripts/fuzz.sh $(FUZZ_SECONDS)

.venv/installed: tests/python/requirements.txt | setup-tests
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

bench: setup
	$(CARGO) build --release
	$(FF) bench 2000 2000 2000 2000
	$(FF) bench 1000 1000 1000 --recipe hinton

# A run's figures follow from what it saved: nothing is drawn by hand. The sweeps are as long as two cores take
# in a quarter of an hour; `make figures FIGURE_EPOCHS=60` is their full size.
FIGURE_EPOCHS ?= 2
SWEEPS = threshold depth width threshold_depth_width recipes
# Other epochs are another sweep.
DRAWN = runs/figures/$(FIGURE_EPOCHS)
figures: setup
	$(CARGO) build --release
	$(FF) $(DEMO) --log-dir runs/demo --force --quiet
	mkdir -p figures
	for figure in curves goodness predictions; do \
		cp runs/demo/figures/$$figure.png figures/demo_$$figure.png || exit 1; \
	done
	for sweep in $(SWEEPS); do \
		$(FF) sweep experiments/$$sweep.toml --set training.num_epochs=$(FIGURE_EPOCHS) --log-dir $(DRAWN)/$$sweep --quiet || exit 1; \
		for figure in $(DRAWN)/$$sweep/figures/*.png; do cp $$figure figures/$${sweep}_$$(basename $$figure) || exit 1; done; \
	done

# Fails where the README's table is not that of experiments/results, or a cheap row gives another number.
results: setup-python
	$(CARGO) build --release
	python3 scripts/results.py check

# Two cores take about a quarter of an hour; SIZE=full is the paper's size, SIZE=tiny tells whether it runs. A row that failed
# has no bar in the figure, and ends in exit 1.
SIZE ?= small
PAPER = runs/paper$(if $(filter-out small,$(SIZE)),-$(SIZE))
paper: setup-python
	$(CARGO) build --release
	python3 scripts/paper.py --size $(SIZE); ended=$$?; \
	$(CARGO) run --release --quiet --example paper $(PAPER)/results.csv $(PAPER)/paper.png && exit $$ended

book: .venv/installed
	.venv/bin/mdbook build docs

# Pure Rust, so that it needs nothing on the machine where it is installed.
wheel: .venv/installed
	.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir target/wheels ./python

# What can be proven of the kernels without a GPU, and takes minutes.
check-kernels: setup-kernels
	python3 scripts/check_kernels.py

test-slurm: setup
	bash tests/slurm/run.sh

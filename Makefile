# The commands of autopanoptic; `make help` lists them. GNU make 4.3, bash, Swift 6.3, Debian 12.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PROFILE ?= miniature
PIPELINE ?= pipelines/coco.yaml
# Empty means the default: the pipeline's seed, all processors, ./artifacts, the best instruction set.
SEED ?=
# For compare-seeds.
SEEDS ?= 2020 2021 2022
JOBS ?=
THREADS ?=
STORE ?=
ISA ?=
STAGE ?=
ARGS ?=
BENCH ?=
KILLS ?= 500
# A Python with PyTorch and torchvision; 'make bench-peers' creates this one.
TORCH ?= $(abspath .build/peers/bin/python)
# For device-check.
DEVICE ?= opencl:0
# Of test-slurm; all by default.
CASES ?=
# For install.
PREFIX ?= /usr/local
# The time for each fuzzer, and the fuzzers to run (all by default).
SECONDS_EACH ?= 60
FUZZ ?=

# The product and the tests are built with the same flags (testable), so that sources are compiled only once.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing
BIN := .build/release/autopanoptic
BENCHMARKS := .build/release/benchmarks
# Includes folders, since deleting a file changes its folder.
SOURCES := Package.swift $(shell find Sources ! -name "*.md" 2>/dev/null)

PACKAGES := libopenblas-dev libhdf5-dev liblz4-dev libjpeg-dev libpng-dev libdeflate-dev pkg-config
TEST_PACKAGES := python3 python3-numpy python3-h5py bubblewrap

# Shows suites, failures and the summary, but not a line for every test that passes. Backtraces are off, since some tests
# crash a child process on purpose. SWIFT_FLAGS make imports testable already.
RUN_TESTS := swift test $(SWIFT_FLAGS) --disable-testable-imports --skip-build
TEST_FILTER := grep --line-buffered -vE '^(◇|✔) Test (case|"|[a-zA-Z]+\(\)).*(started|passed)|^(◇|✔) Suite .*started'

ISA_ENV := $(if $(ISA),AUTOPANOPTIC_ISA=$(ISA))
COMMON := --profile $(PROFILE) $(if $(SEED),--seed $(SEED)) $(if $(STORE),--store $(STORE))
WORK := $(if $(JOBS),--jobs $(JOBS)) $(if $(THREADS),--threads $(THREADS))
RUN := $(ISA_ENV) $(BIN)

.DEFAULT_GOAL := help
.PHONY: setup setup-tests build test test-identity setup-device test-device device-proof device-check test-slurm test-report test-torch test-tensorboard test-arm test-mutations paper-start estimate \
  reproduce-coco reproduce-ade20k reproduce-policies reproduce-tables transfer-coco-ade20k transfer-ade20k-coco \
  compare-seeds ranking factors sampling-error search-landscape figures tables docs-reference man install smoke crash-test fuzz rerun plan status graph repair audit \
  bench bench-peers format lint layers dist check-dist docs clean help
.DELETE_ON_ERROR:

help: ## list these targets
	@echo "make TARGET [VARIABLE=value]"
	@echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-23s %s\n", $$1, $$2 }'
	@echo
	@echo "  Variables: PROFILE=miniature|desktop|smoke|paper  SEED=n  SEEDS='n n n'  JOBS=n  THREADS=n  STORE=dir  STAGE=name"
	@echo "             ISA=scalar|avx2|avx512  ARGS='further options of the command'"
	@echo "             BENCH='--filter text --quick --no-compile --list' of the benchmarks"
	@echo "  Profile paper reads the data sets at IMAGENET=dir, COCO=dir and ADE20K=dir (environment)."

setup: ## install the Debian packages (asks sudo where needed) and check Swift
	@.ci/setup $(PACKAGES) $(TEST_PACKAGES)

setup-tests:
	@.ci/setup --if-missing $(PACKAGES) $(TEST_PACKAGES)

build: $(BIN) ## build the executable in release: .build/release/autopanoptic

# Make skips SwiftPM for an unchanged tree, since SwiftPM takes some seconds to find that nothing has changed.
$(BIN): $(SOURCES)
	@.ci/setup --if-missing $(PACKAGES)
	swift build $(SWIFT_FLAGS) --product autopanoptic
	@touch $@

$(BENCHMARKS): $(SOURCES)
	@.ci/setup --if-missing $(PACKAGES)
	swift build $(SWIFT_FLAGS) --product benchmarks
	@touch $@

test: setup-tests ## build and run all tests in release
	swift build $(SWIFT_FLAGS) --build-tests
	SWIFT_BACKTRACE=enable=no $(RUN_TESTS) $(ARGS) 2>&1 | $(TEST_FILTER)

test-identity: setup-tests ## instruction sets x threads x jobs x {release, debug} must give one root. Twenty minutes
	swift build $(SWIFT_FLAGS) --build-tests
	swift build -c debug --product autopanoptic
	.ci/digests -O0
	SWIFT_BACKTRACE=enable=no AUTOPANOPTIC_FULL_MATRIX=1 AUTOPANOPTIC_DEBUG_PROGRAM=$(abspath .build/debug/autopanoptic) \
	  $(RUN_TESTS) --filter '[Ii]dentity|KernelDigest' $(ARGS) 2>&1 | $(TEST_FILTER)

test-arm: ## compile the C kernels for 64-bit ARM and run them under qemu: the digests must be the same
	.ci/digests --arm

test-mutations: ## mutate the C kernels, such as the order of two additions: a test must fail for each mutation
	.ci/mutate

setup-device: ## install PoCL, which is an OpenCL device on the processor, for tests of devices (Debian)
	@.ci/setup pocl-opencl-icd ocl-icd-libopencl1

test-device: setup-tests ## compare every operation on the first OpenCL device with the processor, in all bits; installs PoCL
	@.ci/setup --if-missing pocl-opencl-icd ocl-icd-libopencl1
	swift build $(SWIFT_FLAGS) --build-tests
	SWIFT_BACKTRACE=enable=no AUTOPANOPTIC_DEVICE_MUTATIONS=1 $(RUN_TESTS) --filter 'Device' $(ARGS) 2>&1 | $(TEST_FILTER)

device-check: $(BIN) ## all that a machine with a GPU is asked, in minutes, in one report: make device-check DEVICE=opencl:0
	@.ci/device-check $(BIN) $(DEVICE)

device-proof: ## compile the device kernels with NVIDIA's compilers (PyPI) and prove from the instructions that bits are kept
	@.ci/device-proof

test-slurm: $(BIN) ## run stages on a Slurm cluster that is started on this machine: make test-slurm CASES='root many'
	@Tests/Cluster/cases $(CASES)

test-report: $(BIN) ## open reports in headless Chromium at three widths, light, dark and on paper: make test-report STORE=dir
	@.ci/setup --if-missing chromium poppler-utils
	@.ci/test-report $(BIN) $(STORE)

test-python: $(BIN) ## run a project of scikit-learn as its author would: make test-python CASES='packages kills'
	@.ci/setup --if-missing bubblewrap squashfs-tools busybox-static python3-venv
	@Tests/Python/check $(if $(VENV),--venv $(VENV)) $(BIN) $(CASES)

test-torch: setup-tests ## compare networks with PyTorch and torchvision: make test-torch TORCH=/path/to/python
	swift build $(SWIFT_FLAGS) --build-tests
	SWIFT_BACKTRACE=enable=no AUTOPANOPTIC_TORCH=$(TORCH) $(RUN_TESTS) --filter TorchTests $(ARGS) 2>&1 | $(TEST_FILTER)

paper-start: $(BIN) ## run the first steps of the paper's training at full size, with COCO=dir: time, memory, loss
	@$(if $(wildcard /usr/bin/time),/usr/bin/time --verbose) $(BIN) run pipelines/paper-start.yaml $(if $(STORE),--store $(STORE)) --jobs 1 $(ARGS)

estimate: $(BIN) ## estimate the time and memory of a pipeline: make estimate PROFILE=paper
	@$(RUN) estimate $(PIPELINE) --profile $(PROFILE) $(if $(THREADS),--threads $(THREADS)) $(ARGS)

reproduce-coco: $(BIN) ## run the whole COCO procedure; a second run finds everything cached
	@$(RUN) run $(PIPELINE) $(COMMON) $(WORK) $(ARGS)

reproduce-ade20k: $(BIN) ## run the same procedure on ADE20K
	@$(RUN) run pipelines/ade20k.yaml $(COMMON) $(WORK) $(ARGS)

reproduce-policies: $(BIN) ## run random search, evolution and path-priority search on one supernet
	@$(RUN) run pipelines/search-policies.yaml $(COMMON) $(WORK) $(ARGS)

# In an order in which later pipelines reuse artifacts of earlier ones. Interrupted runs resume.
EXPERIMENTS := coco search-algorithm baselines components search-policies search-policies-retrained ade20k \
  baselines-ade20k transfer-coco-ade20k transfer-ade20k-coco figures figures-ade20k

reproduce-tables: $(BIN) ## run everything for the paper's tables and figures, then print the tables. Hours
	@for name in $(EXPERIMENTS); do \
	  echo "== $$name"; $(RUN) run pipelines/$$name.yaml $(COMMON) $(WORK) $(ARGS) || exit; \
	done
	@$(MAKE) --no-print-directory tables

tables: $(BIN) ## print the paper's tables next to the results so far; computes nothing
	@$(RUN) tables $(COMMON) $(ARGS)

figures: $(BIN) ## draw scores, architectures, explored models and predictions
	@for name in figures search-policies figures-ade20k; do $(RUN) run pipelines/$$name.yaml $(COMMON) $(WORK) $(ARGS) || exit; done

test-tensorboard: ## install TensorBoard from PyPI in .build, and check that it reads what 'curves --tensorboard' writes
	@test -x .build/tensorboard/bin/python || { python3 -m venv .build/tensorboard && \
	  .build/tensorboard/bin/pip install --quiet tensorboard==2.20.0; }
	swift build $(SWIFT_FLAGS) --build-tests
	$(RUN_TESTS) --filter TensorBoardTests

ranking: $(BIN) ## compare the supernet's ranking of ten architectures with two retrainings of each. An hour
	@$(RUN) run pipelines/ranking.yaml $(COMMON) $(WORK) $(ARGS)

factors: $(BIN) ## retrain architectures that differ in one component from two seeds: what each change is worth. An hour
	@$(RUN) run pipelines/factors.yaml $(COMMON) $(WORK) $(ARGS)

sampling-error: $(BIN) ## give the panoptic quality of coco.yaml 95 % intervals over the choice of images
	@$(RUN) run pipelines/sampling-error.yaml $(COMMON) $(WORK) $(ARGS)

search-landscape: $(BIN) ## compare search policies on planted landscapes, whose optimum is known. Minutes
	@$(RUN) run pipelines/search-landscape.yaml $(subst --profile miniature,,$(COMMON)) $(WORK) $(ARGS)

compare-seeds: $(BIN) ## run search policies and search algorithm with every seed of SEEDS, then print means and differences. Hours
	@for seed in $(SEEDS); do for name in search-algorithm search-policies-retrained; do \
	  echo "== $$name, seed $$seed"; \
	  $(RUN) run pipelines/$$name.yaml $(filter-out --seed $(SEED),$(COMMON)) --seed $$seed $(WORK) $(ARGS) || exit; \
	done; done
	@$(RUN) tables $(filter-out --seed $(SEED),$(COMMON)) $(foreach seed,$(SEEDS),--seed $(seed))

transfer-coco-ade20k: $(BIN) ## retrain the architecture found on COCO on ADE20K
	@$(RUN) run pipelines/transfer-coco-ade20k.yaml $(COMMON) $(WORK) $(ARGS)

transfer-ade20k-coco: $(BIN) ## retrain the architecture found on ADE20K on COCO
	@$(RUN) run pipelines/transfer-ade20k-coco.yaml $(COMMON) $(WORK) $(ARGS)

smoke: $(BIN) ## run the same pipeline in its smallest form, in about a minute
	@$(RUN) run $(PIPELINE) $(subst --profile $(PROFILE),--profile smoke,$(COMMON)) $(WORK) $(ARGS)

crash-test: $(BIN) ## kill -9 a run at random times, KILLS times: the root must be the same and the audit clean
	@.ci/crash-test --kills $(KILLS) --binary $(BIN) $(PIPELINE) --profile smoke $(WORK) $(ARGS)

fuzz: ## fuzz the readers of files and images: make fuzz SECONDS_EACH=3600 FUZZ='yaml png'
	@.ci/fuzz $(SECONDS_EACH) $(FUZZ)

rerun: $(BIN) ## execute a cached stage again and compare: make rerun STAGE=finetune
	@test -n "$(STAGE)" || { echo "make rerun STAGE=name: which stage? 'make status' lists them." >&2; exit 64; }
	@$(RUN) rerun $(PIPELINE) $(STAGE) $(COMMON) $(WORK) $(ARGS)

plan: $(BIN) ## show what a run would do, and why
	@$(RUN) plan $(PIPELINE) $(COMMON) $(ARGS)

status: $(BIN) ## show every stage: cached, partial, stale, missing, failed
	@$(RUN) status $(PIPELINE) $(COMMON) $(ARGS)

graph: $(BIN) ## draw the pipeline, coloured by status: make graph > coco.svg
	@$(RUN) graph $(PIPELINE) $(COMMON) $(ARGS)

repair: $(BIN) ## recompute damaged or missing artifacts and verify their digests
	@$(RUN) repair $(if $(STORE),--store $(STORE)) $(ARGS)

audit: $(BIN) ## verify every artifact and every record of the store
	@$(RUN) audit $(if $(STORE),--store $(STORE)) $(ARGS)

bench: $(BENCHMARKS) ## benchmark against PyTorch and OpenBLAS: make bench BENCH='--quick --filter product'
	@$(ISA_ENV) $(BENCHMARKS) $(if $(THREADS),--threads $(THREADS)) $(BENCH)

bench-peers: ## install PyTorch and the other Python packages of 'make bench' in .build/peers
	@test -x .build/peers/bin/python || python3 -m venv .build/peers
	.build/peers/bin/pip install --quiet --requirement Sources/Benchmarks/peers/requirements.txt

format: ## format the Swift sources
	swift format format --in-place --recursive --parallel Sources Tests Package.swift

lint: ## check formatting, layers and citations
	swift format lint --strict --recursive --parallel Sources Tests Package.swift
	.ci/layers
	.ci/citations --self-test
	.ci/citations

layers: ## draw the layers from the code: docs/layers.svg
	.ci/draw-layers

dist: $(BIN) ## make a program for machines without Swift: build/autopanoptic-VERSION-ARCH.tar.zst
	.ci/dist

check-dist: ## start the archive of 'make dist' in a bare Debian (root, debootstrap) and compare the root of its smoke profile
	.ci/check-dist

man: $(BIN) ## write the manual pages build/man/autopanoptic*.1 from the help of the program
	swift build $(SWIFT_FLAGS) --product generate-manual
	@rm -rf build/man && mkdir -p build/man
	@.build/release/generate-manual $(BIN) --multi-page --output-directory build/man \
	  --date $$(git log -1 --format=%cs 2>/dev/null || date +%F)
	@echo "man -l build/man/autopanoptic.1"

install: man ## install program and manual pages: make install PREFIX=/usr/local
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/autopanoptic
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 build/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1

docs-reference: $(BIN) ## write docs/reference/pipeline.md, the reference of pipeline files, from the code
	@mkdir -p docs/reference && $(BIN) lint --reference > docs/reference/pipeline.md

docs: $(BIN) ## build the reference documentation of every library in .build/docs
	.ci/docs

clean: ## remove build products; artifacts are kept
	rm -rf .build build


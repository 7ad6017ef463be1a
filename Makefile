# The commands of autopanoptic; `make help` lists them. GNU make 4.3, bash, Swift 6.3, Debian 12.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PROFILE ?= miniature
PIPELINE ?= pipelines/coco.yaml
# Empty means: the pipeline's own seed, all processors, ./artifacts, the best instruction set.
SEED ?=
# Of compare-seeds.
SEEDS ?= 2020 2021 2022
JOBS ?=
THREADS ?=
STORE ?=
ISA ?=
STAGE ?=
ARGS ?=
BENCH ?=
KILLS ?= 500
# A Python with PyTorch and torchvision; 'make bench-peers' makes this one.
TORCH ?= $(abspath .build/peers/bin/python)
# Of each fuzzer; FUZZ names some of them.
SECONDS_EACH ?= 60
FUZZ ?=

# Sources are built once, testable, for the product and the tests alike: other flags for either would build
# everything twice.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing
BIN := .build/release/autopanoptic
BENCHMARKS := .build/release/benchmarks
# Folders too: a deleted file changes its folder.
SOURCES := Package.swift $(shell find Sources ! -name "*.md" 2>/dev/null)

PACKAGES := libopenblas-dev libhdf5-dev liblz4-dev libjpeg-dev libpng-dev libdeflate-dev pkg-config
TEST_PACKAGES := python3 python3-numpy python3-h5py bubblewrap

# Suites, failures and the sum; not a line for every test that passes. Crashing is what some tests ask of a child
# process, so no backtraces. Imports are testable by SWIFT_FLAGS already.
RUN_TESTS := swift test $(SWIFT_FLAGS) --disable-testable-imports --skip-build
TEST_FILTER := grep --line-buffered -vE '^(◇|✔) Test (case|"|[a-zA-Z]+\(\)).*(started|passed)|^(◇|✔) Suite .*started'

ISA_ENV := $(if $(ISA),AUTOPANOPTIC_ISA=$(ISA))
COMMON := --profile $(PROFILE) $(if $(SEED),--seed $(SEED)) $(if $(STORE),--store $(STORE))
WORK := $(if $(JOBS),--jobs $(JOBS)) $(if $(THREADS),--threads $(THREADS))
RUN := $(ISA_ENV) $(BIN)

.DEFAULT_GOAL := help
.PHONY: setup setup-tests build test test-identity test-torch test-arm test-mutations paper-start estimate \
  reproduce-coco reproduce-ade20k reproduce-policies reproduce-tables transfer-coco-ade20k transfer-ade20k-coco \
  compare-seeds ranking figures tables smoke crash-test fuzz rerun plan status graph repair audit \
  bench bench-peers format lint layers docs clean help
.DELETE_ON_ERROR:

help: ## list these targets
	@echo "make TARGET [VARIABLE=value]"
	@echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-21s %s\n", $$1, $$2 }'
	@echo
	@echo "  Variables: PROFILE=miniature|smoke|paper  SEED=n  SEEDS='n n n'  JOBS=n  THREADS=n  STORE=dir  STAGE=name"
	@echo "             ISA=scalar|avx2|avx512  ARGS='further options of the command'"
	@echo "             BENCH='--filter text --quick --no-compile --list' of the benchmarks"
	@echo "  Profile paper reads the data sets at IMAGENET=dir, COCO=dir and ADE20K=dir (environment)."

setup: ## install the Debian packages (asks sudo where needed) and check Swift
	@.ci/setup $(PACKAGES) $(TEST_PACKAGES)

setup-tests:
	@.ci/setup --if-missing $(PACKAGES) $(TEST_PACKAGES)

build: $(BIN) ## build the executable in release: .build/release/autopanoptic

# An unchanged tree skips SwiftPM, which takes some seconds to find out that nothing is to be done.
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

test-identity: setup-tests ## instruction sets x threads x jobs x {release, debug}: one root. Twenty minutes
	swift build $(SWIFT_FLAGS) --build-tests
	swift build -c debug --product autopanoptic
	.ci/digests -O0
	SWIFT_BACKTRACE=enable=no AUTOPANOPTIC_FULL_MATRIX=1 AUTOPANOPTIC_DEBUG_PROGRAM=$(abspath .build/debug/autopanoptic) \
	  $(RUN_TESTS) --filter '[Ii]dentity|KernelDigest' $(ARGS) 2>&1 | $(TEST_FILTER)

test-arm: ## the C kernels compiled for 64-bit ARM, under qemu: the same digests
	.ci/digests --arm

test-mutations: ## small changes of the C kernels, such as the order of two additions: a test must fail for each
	.ci/mutate

test-torch: setup-tests ## networks of PyTorch and torchvision against ours: make test-torch TORCH=/path/to/python
	swift build $(SWIFT_FLAGS) --build-tests
	SWIFT_BACKTRACE=enable=no AUTOPANOPTIC_TORCH=$(TORCH) $(RUN_TESTS) --filter TorchTests $(ARGS) 2>&1 | $(TEST_FILTER)

paper-start: $(BIN) ## the first steps of the paper's trainings at full size, with COCO=dir: time, memory, loss
	@$(if $(wildcard /usr/bin/time),/usr/bin/time --verbose) $(BIN) run pipelines/paper-start.yaml $(if $(STORE),--store $(STORE)) --jobs 1 $(ARGS)

estimate: $(BIN) ## what a pipeline would take: make estimate PROFILE=paper
	@$(RUN) estimate $(PIPELINE) --profile $(PROFILE) $(if $(THREADS),--threads $(THREADS)) $(ARGS)

reproduce-coco: $(BIN) ## the whole COCO procedure; a second time everything is cached
	@$(RUN) run $(PIPELINE) $(COMMON) $(WORK) $(ARGS)

reproduce-ade20k: $(BIN) ## the same procedure on ADE20K
	@$(RUN) run pipelines/ade20k.yaml $(COMMON) $(WORK) $(ARGS)

reproduce-policies: $(BIN) ## random search, evolution and path-priority on one supernet
	@$(RUN) run pipelines/search-policies.yaml $(COMMON) $(WORK) $(ARGS)

# In an order that uses what is there already; interrupted and started again it goes on.
EXPERIMENTS := coco search-algorithm baselines components search-policies search-policies-retrained ade20k \
  baselines-ade20k transfer-coco-ade20k transfer-ade20k-coco figures figures-ade20k

reproduce-tables: $(BIN) ## everything the paper's tables and figures need, then the tables. Hours
	@for name in $(EXPERIMENTS); do \
	  echo "== $$name"; $(RUN) run pipelines/$$name.yaml $(COMMON) $(WORK) $(ARGS) || exit; \
	done
	@$(MAKE) --no-print-directory tables

tables: $(BIN) ## the paper's tables beside what was run so far; computes nothing
	@$(RUN) tables $(COMMON) $(ARGS)

figures: $(BIN) ## draw scores, architectures, explored models and predictions
	@for name in figures search-policies figures-ade20k; do $(RUN) run pipelines/$$name.yaml $(COMMON) $(WORK) $(ARGS) || exit; done

ranking: $(BIN) ## whether the supernet ranks ten architectures as two retrainings of each do. An hour
	@$(RUN) run pipelines/ranking.yaml $(COMMON) $(WORK) $(ARGS)

compare-seeds: $(BIN) ## search policies and search algorithm with every seed of SEEDS, then means and spreads. Hours
	@for seed in $(SEEDS); do for name in search-algorithm search-policies-retrained; do \
	  echo "== $$name, seed $$seed"; \
	  $(RUN) run pipelines/$$name.yaml $(filter-out --seed $(SEED),$(COMMON)) --seed $$seed $(WORK) $(ARGS) || exit; \
	done; done
	@$(RUN) tables $(filter-out --seed $(SEED),$(COMMON)) $(foreach seed,$(SEEDS),--seed $(seed))

transfer-coco-ade20k: $(BIN) ## retrain what was found on COCO on ADE20K
	@$(RUN) run pipelines/transfer-coco-ade20k.yaml $(COMMON) $(WORK) $(ARGS)

transfer-ade20k-coco: $(BIN) ## retrain what was found on ADE20K on COCO
	@$(RUN) run pipelines/transfer-ade20k-coco.yaml $(COMMON) $(WORK) $(ARGS)

smoke: $(BIN) ## the same pipeline in its smallest form, in about a minute
	@$(RUN) run $(PIPELINE) $(subst --profile $(PROFILE),--profile smoke,$(COMMON)) $(WORK) $(ARGS)

crash-test: $(BIN) ## kill -9 after a random moment, KILLS times: always the same root and a clean audit
	@.ci/crash-test --kills $(KILLS) --binary $(BIN) $(PIPELINE) --profile smoke $(WORK) $(ARGS)

fuzz: ## feed the readers of files and pictures made-up bytes: make fuzz SECONDS_EACH=3600 FUZZ='yaml png'
	@.ci/fuzz $(SECONDS_EACH) $(FUZZ)

rerun: $(BIN) ## execute a cached stage again and compare: make rerun STAGE=finetune
	@test -n "$(STAGE)" || { echo "make rerun STAGE=name: which stage? 'make status' lists them." >&2; exit 64; }
	@$(RUN) rerun $(PIPELINE) $(STAGE) $(COMMON) $(WORK) $(ARGS)

plan: $(BIN) ## what a run would do, and why
	@$(RUN) plan $(PIPELINE) $(COMMON) $(ARGS)

status: $(BIN) ## every stage: cached, partial, stale, missing, failed
	@$(RUN) status $(PIPELINE) $(COMMON) $(ARGS)

graph: $(BIN) ## draw the pipeline, coloured by status: make graph > coco.svg
	@$(RUN) graph $(PIPELINE) $(COMMON) $(ARGS)

repair: $(BIN) ## make damaged or missing artifacts anew and prove that they are the recorded ones
	@$(RUN) repair $(if $(STORE),--store $(STORE)) $(ARGS)

audit: $(BIN) ## verify every artifact and every record of the store
	@$(RUN) audit $(if $(STORE),--store $(STORE)) $(ARGS)

bench: $(BENCHMARKS) ## measure beside PyTorch and OpenBLAS: make bench BENCH='--quick --filter product'
	@$(ISA_ENV) $(BENCHMARKS) $(if $(THREADS),--threads $(THREADS)) $(BENCH)

bench-peers: ## install PyTorch and what else 'make bench' compares with, in .build/peers
	@test -x .build/peers/bin/python || python3 -m venv .build/peers
	.build/peers/bin/pip install --quiet --requirement Sources/Benchmarks/peers/requirements.txt

format: ## lay out the Swift sources
	swift format format --in-place --recursive --parallel Sources Tests Package.swift

lint: ## check layout, layers and citations
	swift format lint --strict --recursive --parallel Sources Tests Package.swift
	.ci/layers
	.ci/citations --self-test
	.ci/citations

layers: ## draw the layers from the code: docs/layers.svg
	.ci/draw-layers

docs: $(BIN) ## the reference documentation of every library, below .build/docs
	.ci/docs

clean: ## remove what was built; artifacts stay
	rm -rf .build


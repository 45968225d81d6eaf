# The only entry point that people and CI use. Node and the tools come from node_modules (the lockfile's own Node 24),
# so a machine with an older Node works too; npm itself runs on the system's Node, which npm ci cannot pull away.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

DIST ?= dist
GEN ?= src/gen
INSTALLED := node_modules/.installed-lock.json
ASSETS := -name '*.sql' -o -name '*.wasm' -o -name '*.cjs'

.PHONY: help setup gen rpc gen-check check test e2e e2e-society scorecard fuzz sim detect trouble adversary sim-long demo build docker-check run clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

# Only what is missing is asked of the system: a Node from elsewhere may not go together with the system's npm.
# npm 9 and 10 take the link to the lockfile's Node away with the package of the other processor, so it is made here.
setup: ## install what is missing: node, npm and tor from the system, packages from the lockfile
	@export PATH='$(SYSTEM_PATH)':/usr/sbin:/sbin; \
	missing=''; for tool in node:nodejs npm:npm tor:tor; do \
	  command -v $${tool%:*} >/dev/null || missing="$$missing $${tool#*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then as_root=env; elif sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then as_root='sudo env'; else as_root=''; fi; \
	  if [ -z "$$as_root" ] || ! command -v apt-get >/dev/null; then \
	    echo "make setup: please install first:$$missing (Debian/Ubuntu: sudo apt-get install$$missing)" >&2; exit 1; \
	  fi; \
	  echo "make setup: installing$$missing"; \
	  $$as_root apt-get update -qq; \
	  $$as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi; \
	if ! cmp -s package-lock.json $(INSTALLED); then \
	  npm ci --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error; \
	  for node in node_modules/node-linux-*/bin/node; do ln -sf "../../$$node" node_modules/.bin/node; done; \
	  cp package-lock.json $(INSTALLED); \
	fi

gen: ## regenerate src/gen, docs/errors.md and the diagram of docs/contracts.md (alias: rpc)
	@rm -rf $(GEN) && mkdir -p $(GEN)
	@cd proto && buf generate -o '$(abspath $(GEN))'
	@node test/tidy/errors-doc.ts > docs/errors.md
	@page=$$(node test/tidy/contract-diagram.ts) && printf '%s\n' "$$page" > docs/contracts.md

rpc: gen

gen-check: ## fail when src/gen is not what proto/ says, or a proto change would break peers
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	(cd proto && buf generate -o "$$fresh"); \
	diff -r "$$fresh" src/gen || { echo 'gen-check: src/gen is out of date; run make gen' >&2; exit 1; }
	@if [ -f proto/v1.binpb ]; then cd proto && buf breaking --against v1.binpb; fi

check: ## types, lint, format, protos, generated code, tidy tests
	@failed=''; step() { "$$@" || failed="$$failed [$$*]"; }; \
	step tsc --noEmit; \
	step oxlint --type-aware --deny-warnings --quiet; \
	step biome format --log-level=warn --reporter=summary; \
	step buf lint proto; \
	step $(MAKE) gen-check; \
	step node --test --test-reporter=./test/tidy/failures.ts 'test/tidy/**/*.test.ts'; \
	[ -z "$$failed" ] || { echo "check: failed:$$failed" >&2; exit 1; }

test: setup ## everything CI asks for; LANES="unit cli" runs some lanes only
	@node test/run.ts $(LANES)

e2e: setup ## the end-to-end tests alone, on a private Tor network
	@node test/run.ts e2e

e2e-society: setup ## six daemons for twelve minutes: a liar, a storer that vanishes, one that joins, a dead disk; not part of make test
	@node test/run.ts society

scorecard: setup ## cuts, kills, flips, mutated input, canaries, floods in full; SEED=n replays, PARTS="cuts flips" runs some
	@node test/scorecard/run.ts $(PARTS)

fuzz: setup ## mutated input for every parser; N=1000000 inputs each, SEED=n replays, TARGET=part of a name
	@node test/fuzz/main.ts

sim: setup ## a society of simulated nodes; SEED=n NODES=n DAYS=n MIN_REPLICAS=n choose and replay a run, TRACE=1 prints it
	@SEED='$(SEED)' NODES='$(NODES)' DAYS='$(DAYS)' MIN_REPLICAS='$(MIN_REPLICAS)' node --max-semi-space-size=64 test/sim/run.ts

detect: setup ## figures of detection: RUNS losses of 1 %, CELLS lost cells, CHALLENGES to honest peers; SEED=n THREADS=n; a quarter of an hour of one core
	@SEED='$(SEED)' RUNS='$(RUNS)' CELLS='$(CELLS)' CHALLENGES='$(CHALLENGES)' THREADS='$(THREADS)' node --max-semi-space-size=64 test/sim/detect.ts

trouble: setup ## faults by seed in a simulated circle; MODE=safety or liveness, SEED=n DAYS=n replay a run, RUNS=n makes more
	@MODE='$(MODE)' SEED='$(SEED)' RUNS='$(RUNS)' DAYS='$(DAYS)' node test/sim/trouble-run.ts

adversary: setup ## every scripted peer against whole daemons, with its defence and without; PEER=n plays one
	@PEER='$(PEER)' node test/adversary/run.ts

sim-long: setup ## 1,000 simulated nodes for a year at 3 and at 8 copies, side by side; hours; progress in .cache/sim-long
	@mkdir -p .cache/sim-long; rm -f .cache/sim-long/*.log; pids=''; \
	for copies in 3 8; do \
	  SEED='$(SEED)' NODES="$${NODES:-1000}" DAYS="$${DAYS:-365}" MIN_REPLICAS=$$copies \
	    node --max-semi-space-size=64 --max-old-space-size=12288 test/sim/run.ts > .cache/sim-long/min-replicas-$$copies.log 2>&1 & pids="$$pids $$!"; \
	done; \
	failed=0; for pid in $$pids; do wait $$pid || failed=1; done; \
	tail -n 3 .cache/sim-long/*.log; exit $$failed

demo: setup ## the main job before your eyes: backup, edit, dead disk, recovery; DIR=/some/folder picks the files
	@node test/demo/demo.ts

build: ## emit dist/, what npm pack ships
	@rm -rf '$(DIST)'
	@tsc -p src/tsconfig.build.json --outDir '$(DIST)'
	@find src cli \( $(ASSETS) \) -exec cp --parents -t '$(DIST)' {} +
	@chmod +x '$(DIST)'/cli/bb.cjs '$(DIST)'/src/bbd.cjs

docker-check: ## the image's steps in a debootstrap chroot, up to a healthy bbd as its account; needs root
	@docker/check.sh

run: setup ## run bbd from the sources; ARGS='--data-dir DIR' are its options
	@node src/bbd.cjs $(ARGS)

clean: ## remove what the other targets made, node_modules excepted
	@rm -rf dist .cache

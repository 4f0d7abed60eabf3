.DEFAULT_GOAL := help
SHELL := /bin/bash
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
# No build server outlives a command.
export MSBUILDDISABLENODEREUSE := 1

SCENARIO ?=
RUNS ?=
ENGINE ?= pg
GROUPS ?= 10 100 1000
OUTPUT ?= artifacts/bench-failover-$(ENGINE).json
MUTATE ?=
SEED ?=
SEEDS ?= 1000
FROM ?= 1
MUTANTS ?=
KIND ?=
# So much is allocated before anything is collected: most of what a simulated world makes is garbage at once.
SIMULATION := DOTNET_GCgen0size=0x4000000 dotnet run -c Release -p:RunAnalyzers=false --project tests/FailoverOperator.Simulation --
# So long each kind of run may take in CI; a seed that has begun is ended.
CI_SEEDS ?= 2000
CI_SECONDS ?= 40
END_TO_END := dotnet run -c Release -p:RunAnalyzers=false --project tests/FailoverOperator.EndToEnd --

.PHONY: help build test unit simulate simulate-ci mutation integration e2e bench-failover bench-scale demo crds cli lint images cluster-up cluster-down

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Parameters of e2e: SCENARIO=<name> runs one scenario only, RUNS=<n> runs it n times. SCENARIO=list lists them."
	@echo "Parameters of bench-failover: ENGINE=pg or redis, RUNS=<n> of each fault (20), OUTPUT=<file>."
	@echo "Parameters of simulate: SEED=<n> replays one seed with its timeline; SEEDS=<n> (1000) from FROM=<n> (1) on are searched;"
	@echo "  KIND=endless: the faults never end, and nothing has to recover; KIND=planned: brakes, failback, and people who ask for things;"
	@echo "  KIND=nplusm, quorum or activeactive: groups of that mode, without agents;"
	@echo "  MUTANTS=<n> tells which of n seeds is the first to find each deliberate mistake."
	@echo "Parameter of mutation: MUTATE='**/Detection/*.cs' mutates these files only."

build: ## Build everything
	dotnet build FailoverOperator.sln --nologo -v minimal

test: ## Run all tests; the last line is "N passed, N failed"
	@tests/tools/run-tests unit integration e2e

unit: ## Tests of the core (with its coverage), the operator and the chart
	@tests/tools/run-tests unit

simulate: ## Search seeds in which faults break an invariant, or replay one
ifneq ($(SEED),)
	@$(SIMULATION) seed $(SEED) $(KIND)
else ifneq ($(MUTANTS),)
	@$(SIMULATION) mutants $(MUTANTS)
else
	@$(SIMULATION) seeds $(SEEDS) $(FROM) $(KIND)
endif

simulate-ci: ## CI_SEEDS=2000 seeds of each kind, as many as CI_SECONDS=40 each allow
	@$(SIMULATION) seeds $(CI_SEEDS) $(FROM) $(CI_SECONDS)
	@$(SIMULATION) seeds $(CI_SEEDS) $(FROM) endless $(CI_SECONDS)
	@$(SIMULATION) seeds $(CI_SEEDS) $(FROM) planned $(CI_SECONDS)
	@$(SIMULATION) seeds $(CI_SEEDS) $(FROM) nplusm $(CI_SECONDS)
	@$(SIMULATION) seeds $(CI_SEEDS) $(FROM) quorum $(CI_SECONDS)
	@$(SIMULATION) seeds $(CI_SEEDS) $(FROM) activeactive $(CI_SECONDS)

mutation: ## Mutation score of the core, about half an hour on two processors
	dotnet tool restore
	cd tests/FailoverOperator.Core.Tests && MutationRun=true dotnet dotnet-stryker --test-runner mtp $(if $(MUTATE),--mutate '$(MUTATE)')

integration: ## Tests against a real kube-apiserver and etcd
	@tests/tools/run-tests integration

e2e: ## Tests on a real cluster of several nodes
ifeq ($(SCENARIO),)
	@tests/tools/run-tests e2e
else ifeq ($(SCENARIO),list)
	@$(END_TO_END) scenarios
else
	@tests/tools/need-helm >/dev/null
	@tests/tools/build-images
	@RUNS=$(RUNS) $(END_TO_END) scenario $(SCENARIO)
endif

bench-failover: ## Measure failovers: a table as Markdown, all values as JSON
	@tests/tools/need-helm >/dev/null
	@tests/tools/build-images >&2
	@RUNS=$(RUNS) $(END_TO_END) bench $(ENGINE) $(OUTPUT)

bench-scale: ## Cost of the operator and of a mass failover with GROUPS="10 100 1000", on a real kube-apiserver
	@dotnet build tests/FailoverOperator.Benchmarks -c Release --nologo -v quiet >&2
	@tests/tools/bench-scale $(GROUPS)

demo: ## Show a failover: cluster, operator, example, fault, record
	@tests/tools/need-helm >/dev/null
	@tests/tools/build-images
	@$(END_TO_END) demo

crds: ## Generate the CRDs from FailoverOperator.Api
	dotnet run --project operator/FailoverOperator.CrdGenerator -- --output crds --output charts/failover-operator/crds

cli: ## Build the kubectl plugin: one file, artifacts/kubectl-failover
	dotnet publish operator/FailoverOperator.Cli -c Release -p:ForRelease=true -p:EnforceCodeStyleInBuild=false --nologo -v quiet -o artifacts/cli
	mv artifacts/cli/kubectl-failover artifacts/kubectl-failover
	rm -rf artifacts/cli

lint: ## Check code style, CRD drift, chart and scripts
	@tests/tools/lint

images: ## Build the images for the test cluster, load them where it runs
	@tests/tools/build-images

cluster-up: ## Bring the test cluster up (Kubernetes is built the first time)
	@tests/cluster/up --nodes 3 --node-grace 8 --pod-eviction 5

cluster-down: ## Stop the test cluster
	@tests/cluster/down

# Needs Go alone; gcc as well for the race detector.
# `make` lists the targets.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO        ?= go
FUZZTIME  ?= 10m
RACE      ?=
BENCHTIME ?= 1s
BENCH     ?=
SEEDS     ?= 1000000
DURATION  ?= 30m
SEED      ?= 1
MUTATE    ?= internal/ledger/device.go internal/quota/cell.go
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
IMAGE     ?= changerelay:$(VERSION)
# What an image says of its age; the same commit gives the same image.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# Tools are built once for each state of tools/go.sum, apart from our own modules.
TOOLS := .cache/tools-$(shell sha256sum tools/go.sum | cut -c1-12)

SECURITY := .cache/security-$(shell sha256sum tools/security/go.sum | cut -c1-12)
SCORE := .cache/score-$(shell sha256sum tools/score/go.sum | cut -c1-12)
CHART := deploy/helm/changerelay

# Both modules' files; dot folders hold none of ours.
GOFILES = $(shell find . -name '*.go' -not -path './.*')

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## build every command into bin/
	@for dir in cmd/*/; do \
		name=$$(basename $$dir); \
		if [ $$name = internal ]; then continue; fi; \
		case $$name in relayctl|graphsim) out=bin/$$name ;; *) out=bin/changerelay-$$name ;; esac; \
		echo "$$out"; \
		CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false \
			-ldflags "-s -w -X changerelay/cmd/internal/boot.version=$(VERSION)" -o $$out ./$$dir; \
	done

.PHONY: test
test: ## run the tests
	$(GO) test ./...

# These run the programs as processes of their own, which the detector does not see into.
APART = ^(TestTrial|TestMistakes|TestTour|TestLive)

.PHONY: race
race: ## run the tests under the race detector, RACE=-short for the short forms of long ones; SKIPPED without a C compiler
	@if command -v "$$($(GO) env CC)" >/dev/null; then \
		set -x; CGO_ENABLED=1 $(GO) test -race $(RACE) -timeout 15m -skip '$(APART)' ./...; \
	else \
		echo "SKIPPED race: there is no C compiler"; \
	fi

.PHONY: vet
vet: ## go vet
	$(GO) vet ./...

.PHONY: fmt-check
fmt-check: ## fail on files that gofmt would change
	@bad=$$(gofmt -s -l $(GOFILES)); \
	if [ -n "$$bad" ]; then echo "gofmt -s -w these:"; echo "$$bad"; exit 1; fi

.PHONY: tidy-check
tidy-check: ## fail when go.mod or go.sum is not tidy
	$(GO) mod tidy -diff
	cd tools && $(GO) mod tidy -diff
	cd tools/score && $(GO) mod tidy -diff
	cd tools/security && $(GO) mod tidy -diff

.PHONY: staticcheck
staticcheck: $(TOOLS)/staticcheck ## staticcheck, with the version of tools/go.mod
	$(TOOLS)/staticcheck ./...

.PHONY: rules
rules: $(TOOLS)/promtool ## check the alerts' rules, and run their tests with promtool
	$(TOOLS)/promtool check rules --lint=all --lint-fatal deploy/helm/changerelay/rules/*.yaml
	$(TOOLS)/promtool test rules deploy/rules-tests/*.yaml

# What no program of ours holds is left out: tests' doubles and tools of the build, which start processes and write files
# that everybody may read. G304, a file whose name is a variable: every file is named by the configuration or a flag.
GOSEC_FLAGS = -quiet -exclude=G304 -exclude-dir=deploy -exclude-dir=cmd/internal/tour -exclude-dir=cmd/internal/mutate -exclude-dir=cmd/internal/bench -exclude-dir=internal/trial \
	-exclude-dir=internal/natstest -exclude-dir=internal/promtest -exclude-dir=internal/tracetest -exclude-dir=internal/dashboard \
	-exclude-dir=internal/standalone/testdata

.PHONY: gosec
gosec: $(SECURITY)/gosec ## gosec, with the version of tools/security/go.mod; what is let pass says why
	$(SECURITY)/gosec $(GOSEC_FLAGS) ./...

# Its database is asked for first: where it cannot be reached, nothing is known.
.PHONY: vuln
vuln: $(SECURITY)/govulncheck ## govulncheck; SKIPPED where its database, GOVULNDB, cannot be reached
	@code=0; out=$$($(SECURITY)/govulncheck ./... 2>&1) || code=$$?; \
	case "$$out" in \
		*"fetching vulnerabilities"*) echo "SKIPPED vuln: $$out" ;; \
		*) echo "$$out"; exit $$code ;; \
	esac

.PHONY: sbom
sbom: build ## the bill of materials of bin/ in CycloneDX: bin/sbom.cdx.json
	$(GO) run ./deploy/sbom -version $(VERSION) -o bin/sbom.cdx.json bin/changerelay-* bin/relayctl bin/graphsim

.PHONY: check
check: fmt-check vet staticcheck gosec race rules chart image-check ## everything a change must pass

.PHONY: image
image: ## the container image IMAGE, of this machine's Go, with buildah or docker
	$(GO) run ./deploy/image -version $(VERSION) -o bin/image
	deploy/image/build.sh $(IMAGE) $(VERSION)

.PHONY: image-check
image-check: ## build the image twice and run the demo of it in locked-down containers; SKIPPED without podman and buildah
	@if [ "$$(id -u)" = 0 ] && command -v buildah >/dev/null && podman info >/dev/null 2>&1; then \
		set -x; CHANGERELAY_IMAGE_TEST=1 $(GO) test -run TestImage -count 1 -timeout 10m ./deploy; \
	else \
		echo "SKIPPED image-check: podman and buildah that work, as root, are needed"; \
	fi

.PHONY: chart
chart: $(TOOLS)/helm $(SCORE)/kube-score ## lint, test, render and judge the chart
	$(TOOLS)/helm lint --strict $(CHART) 2>/dev/null
	for f in $(CHART)/ci/*.yaml $(CHART)/values-demo.yaml; do $(TOOLS)/helm lint --strict $(CHART) -f $$f; done
	$(TOOLS)/helm-unittest --strict $(CHART)
	$(GO) test ./deploy
	@for f in $(CHART)/ci/*.yaml $(CHART)/values-demo.yaml; do \
		echo "kube-score $$f"; \
		$(TOOLS)/helm template r $(CHART) --namespace relay --skip-tests -f $$f | $(SCORE)/kube-score score $(SCORE_FLAGS) --output-format ci - | \
			{ ! grep -v '^\[OK\]\|^\[SKIPPED\]'; } || exit 1; \
	done

# A CPU limit only delays answers. An image's tag is a version, and never moves. Pods are spread by topology
# constraints, which say what anti-affinity does and hold for zones too. KEDA and the HPA set the number of replicas. The
# pods of helm test, which a policy is for, are not scored: they end.
SCORE_FLAGS = --ignore-container-cpu-limit --ignore-test container-image-pull-policy \
	--ignore-test deployment-has-host-podantiaffinity --ignore-test deployment-replicas --ignore-test networkpolicy-targets-pod

.PHONY: chart-update
chart-update: $(TOOLS)/helm ## write what is made of the chart: its README, golden renders, manifests, the schema's part
	$(TOOLS)/helm-docs --chart-search-root deploy/helm --sort-values-order file --log-level warning
	$(GO) test ./deploy -update -run Schema
	$(GO) test ./deploy -update -run 'Golden|Manifests'

.PHONY: manifests
manifests: chart-update ## plain manifests of the chart, for those without Helm: deploy/manifests

.PHONY: e2e
e2e: $(if $(and $(KUBECONFIG),$(IMPORT)),$(TOOLS)/helm) ## try the chart on the cluster of KUBECONFIG, which gets images by the command IMPORT; SKIPPED without these
	@$(GO) run ./deploy/e2e -helm $(TOOLS)/helm

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (10m); with 39 of them that is six and a half hours
	@$(GO) test -list '^Fuzz' ./... | \
		awk '/^Fuzz/ { names[n++] = $$1 } /^(ok|\?)/ { for (i = 0; i < n; i++) print $$2, names[i]; n = 0 }' | \
		while read -r package target; do \
			echo "== $$package $$target"; \
			$(GO) test "$$package" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) </dev/null; \
		done

.PHONY: bench
bench: ## every figure of docs/performance.md, which it writes, ten minutes; BENCH=Burst for the runs of that name
	$(GO) run ./cmd/internal/bench -match '$(BENCH)' -benchtime $(BENCHTIME)

.PHONY: microbench
microbench: ## every other benchmark, BENCHTIME (1s) each
	$(GO) test -run '^$$' -bench . -skip '^Benchmark(Load|Run)' -benchmem -benchtime $(BENCHTIME) ./...

.PHONY: prove
prove: ## the proof at length, DURATION (30m) of faults with SEED (1), each mistake, small ones too, and the simulation over SEEDS (1000000); docs/proof.md
	PROVE_DURATION=$(DURATION) PROVE_SEED=$(SEED) $(GO) test ./internal/trial -run '^TestTrial$$' -count 1 -timeout 0 -v
	PROVE_BROKEN=all $(GO) test ./internal/trial -run '^TestMistakes$$' -count 1 -timeout 0 -v
	@if [ "$$(id -u)" = 0 ] && command -v mkfs.ext4 >/dev/null; then \
		PROVE_POWER=1 $(GO) test ./internal/trial -run '^TestPower$$' -count 1 -timeout 0 -v; \
	else \
		echo "SKIPPED power: mounting disks takes root and mkfs.ext4"; \
	fi
	LEDGER_SEEDS=$(SEEDS) $(GO) test ./internal/ledger -run TestSimulation -count 1 -timeout 0 -v
	LEDGER_MUTANTS=all $(GO) test ./internal/ledger -run TestMutations -count 1 -timeout 0 -v
	$(MAKE) mutate

# TestMutations makes mutants of its own.
.PHONY: mutate
mutate: ## every small mistake in the files MUTATE, one at a time: the tests must find it, or testdata/survivors.txt say why not
	$(GO) run ./cmd/internal/mutate -skip '^TestMutations$$' $(MUTATE)

.PHONY: tour
tour: build $(TOOLS)/prometheus ## play a day of the relay in two minutes, with Prometheus and the five questions; TOUR_STAY=0 ends by itself. The first time it builds Prometheus, for a minute or two
	@$(GO) run ./cmd/internal/tour --prometheus $(TOOLS)/prometheus

.PHONY: pictures
pictures: build $(TOOLS)/prometheus ## draw the dashboards into docs/pictures/, from a tour's day
	@TOUR_STAY=0 $(GO) run ./cmd/internal/tour --prometheus $(TOOLS)/prometheus --pictures docs/pictures

.PHONY: tools
tools: $(TOOLS)/staticcheck $(SCORE)/kube-score $(SECURITY)/gosec ## build the tools of tools/ into .cache/

# Built to one side and moved into place, so that an interrupted build leaves none. The tag leaves out
# Prometheus' discovery by cloud providers: hundreds of packages.
$(TOOLS)/%: tools/go.mod tools/go.sum
	mkdir -p $(TOOLS).new $(TOOLS)
	cd tools && CGO_ENABLED=0 $(GO) build -tags remove_all_sd -buildvcs=false -o ../$(TOOLS).new/ tool
	mv $(TOOLS).new/* $(TOOLS)/
	rmdir $(TOOLS).new
	touch $(TOOLS)/*

# Apart, because it needs Kubernetes' packages as they were.
$(SCORE)/kube-score: tools/score/go.mod tools/score/go.sum
	mkdir -p $(SCORE)
	cd tools/score && CGO_ENABLED=0 $(GO) build -buildvcs=false -o ../../$@ github.com/zegl/kube-score/cmd/kube-score

# Apart, because gosec brings hundreds of packages, and the others' need not be built anew for it.
$(SECURITY)/%: tools/security/go.mod tools/security/go.sum
	mkdir -p $(SECURITY)
	cd tools/security && CGO_ENABLED=0 $(GO) build -buildvcs=false -o ../../$@ $(SECURITY_$*)

SECURITY_gosec       := github.com/securego/gosec/v2/cmd/gosec
SECURITY_govulncheck := golang.org/x/vuln/cmd/govulncheck

.PHONY: clean
clean: ## remove what was built
	rm -rf bin .cache

# Maru. `make` alone lists what there is to make.
#
# Everything that is downloaded or built lands in bin/, .build/, node_modules/ or the tools' own caches; nothing of it is committed.
# The stamps in .build/ say what was done already, so that doing it again costs nothing.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS   += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

# What the pages are made from. Folders are among them, so that a removed file counts as a change.
TEMPL  := $(shell find web -name '*.templ' 2>/dev/null)
# The styles are trimmed to what the pages name, so the pages count as sources of the assets.
ASSETS := $(shell find web -path web/assets/dist -prune -o -type f ! -name '*_templ.go' ! -name '*_test.go' ! -name '.*' -print 2>/dev/null)

.PHONY: help build demo test test-engines engines lint bench clean assets generate setup-build setup-test

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: generate assets ## bin/maru
	@go build -trimpath -ldflags '$(LDFLAGS)' -o bin/maru ./cmd/maru
	@echo "built bin/maru $(VERSION)"

demo: build ## build Maru, start it with a made-up city, say where to look
	@exec bin/maru demo

test: setup-test generate assets ## everything but the big engines: SQLite, PostgreSQL, the browser
	@go vet ./...
	@MARU_TEST_REQUIRE=1 go test -vet=off -timeout 20m ./...

test-engines: generate assets ## what touches PostgreSQL once more, on PostgreSQL 18; MariaDB as a source; signing in at Keycloak; the API by schemathesis, open data by ckanapi
	@MARU_TEST_REQUIRE=1 setup/engines go test -vet=off -count=1 -timeout 20m ./engine/... ./rule/... ./catalog/... ./source/... ./outlet/... ./registry/... ./identity/... ./ledger/... ./exchange/... ./service/...
	@setup/engines go test -vet=off -count=1 -timeout 10m -run 'Schemathesis|Ckanapi' ./cmd/maru

engines: ## fetch the engines of test-engines into a cache outside the tree (MARU_ENGINES)
	@setup/engines

lint: generate assets ## golangci-lint, at the version in tools/go.mod, and the formats
	@go tool -modfile=tools/go.mod golangci-lint run ./...

bench: build ## measure again what docs/performance.md says
	@bin/maru bench

clean: ## remove what was built
	@rm -rf bin .build node_modules
	@find web/assets/dist -mindepth 1 ! -name .gitkeep -delete 2>/dev/null || true
	@find . -name '*_templ.go' -not -path './node_modules/*' -delete

# --- the parts -------------------------------------------------------------------------------------------------------------

setup-build: .build/setup-build
setup-test: .build/setup-test
generate: .build/generate
	@find web -name '*_templ.go' | while read -r made; do [ -e "$${made%_templ.go}.templ" ] || rm "$$made"; done
assets: .build/assets

.build/setup-build: setup/build
	@setup/build
	@mkdir -p .build && touch $@

# Without the stamp of setup/build it would say the same thing twice.
.build/setup-test: setup/test | .build/setup-build
	@setup/test
	@mkdir -p .build && touch $@

.build/generate: $(TEMPL) $(sort $(dir $(TEMPL))) go.mod | .build/setup-build
	@go tool templ generate -path web
	@touch $@

.build/npm: package.json package-lock.json $(wildcard .npmrc) | .build/setup-build
	@echo "npm ci: fetching the packages of package-lock.json into node_modules/"
	@npm ci --no-audit --no-fund
	@touch $@

.build/assets: .build/npm $(ASSETS)
	@npm run --silent build
	@touch $@

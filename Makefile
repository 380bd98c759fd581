# Two commands do everything on a fresh Debian 12 with a Swift 6.2 (or newer) toolchain:
#   make run     install what is missing, build, open the full-screen phone (or ARGS='call echo --for 5')
#   make test    install what the tests need, run all of them
# What make and the build say goes to standard error; standard output is the program's.

BUILD_PACKAGES = pkg-config libssl-dev libsrtp2-dev libopus-dev libvpx-dev libasound2-dev libncurses-dev libc-ares-dev libqrencode-dev
TEST_PACKAGES  = baresip-core kamailio tshark pulseaudio pulseaudio-utils libasound2-plugins alsa-utils tmux iproute2 nftables \
                 pocketsphinx-testdata python3-pytest python3-numpy sip-tester procps \
                 chromium firefox-esr kamailio-websocket-modules kamailio-tls-modules coturn openssl python3-websockets python3-cryptography \
                 python3-aiortc python3-av zbar-tools
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
SWIFT ?= swift
ARGS ?=
PYTEST ?= /usr/bin/python3 -m pytest

.PHONY: run build install-build install-test test test-unit test-interop test-address test-thread bench format lint clean

run: build
	@exec .build/release/sidetone $(ARGS)

build: install-build
	@$(SWIFT) build -c release --static-swift-stdlib --product sidetone 1>&2

install-build:
	@./Resources/install-packages "to build sidetone" $(BUILD_PACKAGES) 1>&2

install-test:
	@./Resources/install-packages "to run the tests" $(TEST_PACKAGES) 1>&2

test: build install-test test-unit test-interop

test-unit: install-build
	$(SWIFT) test --quiet

# Needs root: the peers live in network namespaces of their own.
test-interop: build install-test
	$(SUDO) env SIDETONE_BINARY=$(CURDIR)/.build/release/sidetone PYTHONDONTWRITEBYTECODE=1 $(PYTEST) -q -p no:cacheprovider Tests/Interop

# The thread sanitizer runs these only, so only these are built for it.
THREAD_TESTS  = RuntimeTests,AudioIOTests,TerminalTests,CoreTests

# XCTest itself leaks: leak detection would report the test runner, not us.
test-address:
	SIDETONE_SEEDS=$${SIDETONE_SEEDS:-20} SIDETONE_MINUTES=$${SIDETONE_MINUTES:-6} ASAN_OPTIONS=detect_leaks=0 \
	    $(SWIFT) test --quiet --sanitize=address --scratch-path .build-address

test-thread:
	SIDETONE_TESTS=$(THREAD_TESTS) TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/thread-sanitizer.supp \
	    $(SWIFT) test --quiet --sanitize=thread --scratch-path .build-thread

bench: build
	$(SWIFT) run -c release Benchmarks

format:
	$(SWIFT) format format --in-place --recursive --parallel Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests

clean:
	rm -rf .build .build-address .build-thread

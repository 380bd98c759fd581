"""Fixtures: namespaces, the clean-up after each test, and the output of every process in the report of a failure."""

import pytest

pytest.register_assert_rewrite("sidetone", "sound", "peers")

from peers import namespaces  # noqa: E402
from peers.process import JOURNAL, end_all  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: waits 20 s or more for a time-out of the protocols")
    namespaces.sweep()


def pytest_unconfigure(config):
    end_all([process for process in JOURNAL])
    namespaces.sweep()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for process in JOURNAL:
            report.sections.append((process.name, process.report()))


@pytest.fixture(autouse=True)
def nothing_left():
    """Ends what the test started; shared peers go on until their fixture ends them."""
    JOURNAL[:] = [process for process in JOURNAL if process.shared or process.child.poll() is None]
    yield
    end_all([process for process in JOURNAL if not process.shared])


@pytest.fixture(scope="module")
def link():
    """Two namespaces that this module's tests share."""
    pair = namespaces.Link()
    yield pair
    pair.remove()


@pytest.fixture
def own_link():
    """Two namespaces for one test that changes their rules."""
    pair = namespaces.Link()
    yield pair
    end_all([process for process in JOURNAL if not process.shared])
    pair.remove()


@pytest.fixture
def clear_link(link):
    """The module's namespaces with no packet filter, whatever the test does to it."""
    link.open()
    yield link
    link.open()

"""A busy machine is no fault of the product: what comes late is waited for, and only what never comes fails."""

from __future__ import annotations

from typing import Any

import pytest

from datasette_program_export.options.settings import Settings

SECONDS = 60.0  # what a test waits for at most, where it says no more


def give_plans_time() -> None:
    """A plan that is cut after two seconds counts "at least": no test is about that but those that set the seconds."""
    Settings.model_fields["plan_seconds"].default = SECONDS
    Settings.model_rebuild(force=True)


def wait_longer(browser: Any) -> Any:
    """The same browser; its pages wait twice as long as Playwright's 30 seconds."""
    new_context, new_page = browser.new_context, browser.new_page

    def patient_context(**options: Any) -> Any:
        context = new_context(**options)
        context.set_default_timeout(SECONDS * 1000)
        return context

    def patient_page(**options: Any) -> Any:
        page = new_page(**options)
        page.set_default_timeout(SECONDS * 1000)
        return page

    browser.new_context, browser.new_page = patient_context, patient_page
    return browser


def try_twice(items: list[pytest.Item]) -> None:
    """Tests in a browser, three programs on a shared machine, run once more when they fail: ``tell_twice`` tells it."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))


def tell_twice(reporter: Any) -> None:
    """Which tests passed only the second time, and why they failed first: a fault of ours may be behind it."""
    for report in reporter.stats.get("rerun", []):
        reporter.write_sep("-", f"failed once: {report.nodeid}")
        reporter.write_line(report.longreprtext)

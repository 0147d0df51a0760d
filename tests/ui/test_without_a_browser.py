"""Where there is no Chromium the browser tests are left out, which one line says."""

import os
import subprocess
import sys

from tests.ui.apps import ROOT


def run_browser_tests(tmp_path, **environment):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "tests/browser",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**without_requirement(), "PATH": str(tmp_path), **environment},
    )


def without_requirement():
    return {k: v for k, v in os.environ.items() if k != "MRL_EXPLORER_REQUIRE_BROWSER"}


def test_without_chromium_one_line_says_that_they_did_not_run(tmp_path):
    run = run_browser_tests(tmp_path)
    said = [line for line in run.stdout.splitlines() if "did not run" in line]
    assert said == [
        "The browser tests did not run: no Chromium on the PATH (chromium, chromium-browser or "
        "google-chrome)."
    ]
    assert "failed" not in run.stdout
    assert "skipped" not in run.stdout


def test_where_a_browser_is_required_its_absence_fails(tmp_path):
    run = run_browser_tests(tmp_path, MRL_EXPLORER_REQUIRE_BROWSER="1")
    assert run.returncode == 1
    assert "MRL_EXPLORER_REQUIRE_BROWSER is set, and there is no Chromium" in run.stdout

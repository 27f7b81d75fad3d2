"""An outsider's package is a domain like any other."""

import subprocess
import sys

import pytest

JOB = """
domain = "polynomial"
[polynomial]
target = 3.0
start = "0.5"
[budget]
evaluations = 30
[run]
seed = 4
workers = 2
"""


def test_its_author_runs_the_contract_tests(outside_packages):
    code = (
        f"import sys; sys.path.insert(0, {str(outside_packages)!r})\n"
        "from tgsci.testing import check_domain\n"
        "from tgsci_polynomial import domain\n"
        "if __name__ == '__main__':\n"
        "    check_domain(domain, {'target': 3.0, 'start': '1'})\n"
        "    print('contract kept')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "contract kept\n", done.stderr


def test_it_is_listed_and_has_its_own_commands(tgsci):
    assert "find x, in m" in tgsci("--help").stdout
    assert tgsci("polynomial", "square", "3").stdout == "9.0\n"
    assert tgsci("polynomial", "square", "-3", process=True).stdout == "9.0\n"


def test_its_commands_are_a_click_group_and_near_misses_are_named(tgsci):
    shown = tgsci("polynomial", "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "find x, in m" in shown.stdout
    assert "square a number" in shown.stdout
    mistyped = tgsci("polynomial", "sqare", "3")
    assert (mistyped.returncode, mistyped.stdout) == (2, "")
    assert "tgsci: No such command 'sqare'. Did you mean 'square'?" in mistyped.stderr
    wrong = tgsci("polynomial", "square", "three")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Usage: tgsci polynomial square [OPTIONS] X\ntgsci: Invalid value for 'X'")
    failed = tgsci("polynomial", "root", "-4")
    assert (failed.returncode, failed.stderr) == (2, "tgsci: -4.0 has no root\n")
    assert tgsci("polynomial", "root", "4", "--code", "7").returncode == 7
    assert tgsci("polynomial", "-h").stdout == shown.stdout


def test_a_job_file_runs_it_and_its_files_are_named(tgsci, tmp_path):
    (tmp_path / "job.toml").write_text(JOB)
    done = tgsci("run", "job.toml", "--run", "here")
    assert done.returncode == 0, done.stderr
    assert "no model is asked and nothing leaves this machine" in done.stderr
    assert "30/30" in done.stderr
    assert "left)" in done.stderr
    assert "x\n" in done.stdout or "x (m)" in done.stdout or "m" in done.stdout
    assert "wrote here/x.csv" in done.stdout
    best = float((tmp_path / "here" / "x.csv").read_text().splitlines()[1])
    assert abs(best - 3.0) < 0.5


@pytest.mark.slow
def test_crashes_hangs_and_failures_cost_one_trial_each(tgsci, tmp_path):
    (tmp_path / "job.toml").write_text(JOB.replace("[polynomial]", "[polynomial]\nmisbehave = true"))
    done = tgsci("run", "job.toml", "--run", "here")
    assert done.returncode == 0, done.stderr
    assert "the worker process died while measuring this value" in done.stderr
    assert "it took longer than 3 s and was stopped" in done.stderr
    assert "no ruler at hand" in done.stderr
    assert "the budget of 30 evaluations is used up" in done.stdout


@pytest.fixture
def broken_package(tmp_path, monkeypatch):
    """Install a package `broken-domain` whose domain is at a target; returns its directory."""

    def install(target, code=""):
        directory = tmp_path / "broken"
        info = directory / "broken_domain-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-domain\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[tgsci.domains]\nbroken = {target}\n")
        (directory / "broken_plugin.py").write_text(code)
        return directory

    yield install
    sys.modules.pop("broken_plugin", None)


@pytest.mark.slow
def test_a_package_that_does_not_import_says_so_and_hides_nothing_else(tgsci, broken_package):
    broken = [broken_package("no_such_package:domain")]
    assert "does not load" in tgsci("--help", packages=broken).stdout
    done = tgsci("broken", "anything", packages=broken)
    assert done.returncode == 2
    assert "no_such_package" in done.stderr
    assert "Traceback" not in done.stderr
    assert tgsci("polynomial", "square", "2", packages=broken).returncode == 0


HALFWAY = """
import tgsci
class Broken(tgsci.Domain):
    name = "broken"
    def problem(self, config):
        raise NotImplementedError
    def commands(self):
        raise RuntimeError("no second command")
domain = Broken()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('no licence found')", "no licence found"),
        ("domains = 1", "has no attribute 'domain'"),
        (HALFWAY, "no second command"),
    ],
)
def test_a_package_that_is_broken_hides_nothing_else(tgsci, broken_package, code, reason):
    broken = [broken_package("broken_plugin:domain", code)]
    listed = tgsci("--help", packages=broken)
    assert listed.returncode == 0, listed.stderr
    assert "(does not load: " in listed.stdout
    assert reason in " ".join(listed.stdout.split())
    assert tgsci("polynomial", "square", "2", packages=broken).stdout == "4.0\n"
    used = tgsci("broken", "anything", packages=broken)
    assert used.returncode == 2
    assert reason in used.stderr
    assert used.stderr.startswith("tgsci: the ")
    assert used.stderr.count("\n") == 1

"""One test for each scenario of aghook. pytest starts the game, aghook plays Aghanim once, and each
test shows the result of its scenario.

AGHOOK is the program, if it is not on the PATH.
"""

import json
import os
import socket
import subprocess
import threading
import warnings
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
import uvicorn

from game import create_app

AGHOOK = os.environ.get("AGHOOK", "aghook")
SCENARIOS = ["--tag", "smoke"]  # [] is the whole bundled suite, ["scenarios/"] a folder of your own
SECRET = "s3cret"
HERE = Path(__file__).parent


def listed_scenarios() -> list[dict]:
    # Collecting tests needs only names: this starts no game and sends nothing.
    command = [AGHOOK, "list", "--json", *SCENARIOS]
    lines = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return [json.loads(line) for line in lines.stdout.splitlines()]


@pytest.fixture(scope="session")
def game():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(SECRET), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


class Run(NamedTuple):
    exit_code: int
    output: str
    cases: dict[tuple, ElementTree.Element]


@pytest.fixture(scope="session")
def run(game, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("aghook")
    profile, report = folder / "aghook.yaml", folder / "junit.xml"
    profile.write_text((HERE / "aghook.yaml").read_text().replace("http://127.0.0.1:8080", game))
    ended = subprocess.run(
        [AGHOOK, "run", *SCENARIOS, "--quiet", "--config", profile, "--report", f"junit={report}"],
        cwd=HERE,
        env={**os.environ, "AGHANIM_WEBHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    cases = ElementTree.parse(report).iter("testcase") if report.exists() else []
    by_scenario = {(case.get("file"), case.get("name")): case for case in cases}
    return Run(ended.returncode, ended.stdout, by_scenario)


@pytest.mark.parametrize("scenario", listed_scenarios(), ids=lambda scenario: scenario["name"])
def test_scenario(run, scenario):
    case = run.cases.get((scenario["file"], scenario["name"]))
    if case is None:
        pytest.fail(f"not run:\n{run.output}", pytrace=False)
    for problem in [*case.iter("failure"), *case.iter("error")]:
        pytest.fail(f"{problem.get('message')}\n{problem.text}", pytrace=False)
    for skipped in case.iter("skipped"):
        pytest.skip(skipped.get("message"))
    output = case.findtext("system-out", "")
    if output.startswith("! warned"):
        warnings.warn(output.partition("\n\n")[0], stacklevel=1)


def test_aghook_finished(run):
    # 1 is a failed scenario, which its own test shows. 2 and 3 mean that there is no verdict.
    assert run.exit_code in (0, 1), run.output

"""The image's recipe and its neighbours say the same, and the same as locks, configs and Makefile.

Nothing is built here: scripts/check_image.sh does that, and runs test_inside.py in the image.
"""

import fnmatch
import json
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest
import yaml
from packaging.requirements import Requirement
from typer.testing import CliRunner

import hmgpu
from hmgpu.cli import app
from hmgpu.pipeline.config import load_config

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SCRIPTS = [ROOT / "scripts" / name for name in ("build_image.sh", "check_image.sh")]
LINUX = {"sys_platform": "linux", "platform_machine": "x86_64", "platform_python_implementation": "CPython"}


class Step(NamedTuple):
    verb: str
    rest: str


def stages() -> dict[str, list[Step]]:
    """The Dockerfile's instructions by stage, FROM first; what comes before the first FROM under ''."""
    text = re.sub(r"^\s*#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)
    found: dict[str, list[Step]] = {"": []}
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if not line.strip():
            continue
        verb, _, rest = line.strip().partition(" ")
        if verb == "FROM":
            found[rest.split()[-1]] = []
        list(found.values())[-1].append(Step(verb, " ".join(rest.split())))
    return found


STAGES = stages()
IMAGE = STAGES["image"]


def said(verb: str, stage: list[Step] = IMAGE) -> list[str]:
    return [step.rest for step in stage if step.verb == verb]


def pins(lock: str) -> dict[str, str]:
    """Versions that a lock gives to Python 3.11 on Linux x86-64."""
    wanted = [Requirement(line) for line in (ROOT / lock).read_text().splitlines()]
    environment = LINUX | {"python_version": "3.11", "python_full_version": "3.11.2"}
    return {r.name: str(r.specifier) for r in wanted if r.marker is None or r.marker.evaluate(environment)}


# --- the Dockerfile --------------------------------------------------------------------------------------------------


def test_it_begins_with_cuda_13_unless_told_otherwise() -> None:
    flavour, argument = said("ARG", STAGES[""])
    assert flavour == "FLAVOUR=gpu"
    cuda = re.fullmatch(r"BASE_IMAGE=nvidia/cuda:(13\.\d+)\.\d+-base-ubuntu24\.04", argument)[1]
    assert pins("requirements-gpu.lock")["nvidia-cuda-runtime"].startswith(f"=={cuda}.")  # no other one to be mixed up
    known = ["${BASE_IMAGE}"]
    for name in list(STAGES)[1:]:
        parent, _, alias = said("FROM", STAGES[name])[0].split()
        assert parent in known
        known.append(alias)
    assert list(STAGES)[-1] == "image"  # a plain `docker build` makes the last one


def test_the_locks_are_installed_as_make_does_it() -> None:
    def installs(text: str) -> list[str]:
        return re.findall(r"(?:uv pip|\$\(UV\)) install [-q ]*--no-deps -r \S*?([\w-]+\.lock)", text)

    (step,) = (rest for rest in said("RUN", STAGES["environment"]) if "install" in rest)
    cases = re.split(r" ;; ", step.partition(" in ")[2])
    known = {case.split(")")[0].strip(): installs(case) for case in cases if "install" in case}
    assert known == {"cpu": ["cpu.lock"], "gpu": installs((ROOT / "Makefile").read_text())}
    assert known["gpu"] == ["requirements.lock", "requirements-gpu.lock"]
    assert step.count("--no-deps") == step.count("install")
    assert "exit 2" in step  # for any other flavour


def test_the_gpu_lock_changes_no_version_of_the_other_one() -> None:
    """So that both, one after the other, come to what the GPU lock says."""
    gpu = pins("requirements-gpu.lock")
    assert pins("requirements.lock").items() <= gpu.items()


def test_the_cpu_lock_is_the_part_of_the_other_one_that_needs_no_cuda() -> None:
    small = pins("docker/cpu.lock")
    assert small.items() <= pins("requirements.lock").items()
    assert not [name for name in small if re.search(r"nvidia|cuda|torch|triton|-cu\d+|merlin", name)]
    base = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert base <= small.keys()
    assert not {"pytest", "mypy", "ruff", "mkdocs"} & small.keys()


def test_the_extras_of_the_cpu_lock_are_those_without_torch() -> None:
    """What the Makefile compiles into it; the Dockerfile says what else is left out."""
    makefile = (ROOT / "Makefile").read_text().partition("-o docker/cpu.lock")[0]
    recipe = makefile[makefile.rindex("$(COMPILE)") :]
    given = re.findall(r"--extra (\w+)", recipe)
    extras = PROJECT["optional-dependencies"]
    needs_torch = {"merlin", "models", "encoders", "peers", "gpu"}  # lenskit and sentence-transformers ask for it
    # What no shipped config needs: a benchmark's metrics, a feature store that is fed from elsewhere, more rankers,
    # an app for people, who have a screen of their own.
    left_out = {"relbench", "feast", "automl", "app"}
    assert set(given) == set(extras) - needs_torch - left_out
    wanted = {Requirement(line).name for extra in given for line in extras[extra]}
    assert wanted <= pins("docker/cpu.lock").keys()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-gpu.lock", "docker/cpu.lock", "docker/tools.lock"])
def test_every_line_of_a_lock_is_one_version(lock: str) -> None:
    assert {specifier[:2] for specifier in pins(lock).values()} == {"=="}


def test_what_builds_the_image_is_locked() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    locked = pins("docker/tools.lock")
    for line in groups["image"]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(locked[wanted.name].removeprefix("=="))


def test_layers_that_cost_most_depend_on_the_locks_alone() -> None:
    for name in ("base", "tools", "environment"):
        copied = {source for rest in said("COPY", STAGES[name]) for source in rest.split()[:-1]}
        assert copied <= {"docker/cpu.lock", "docker/tools.lock", "requirements.lock", "requirements-gpu.lock"}
    heavy = IMAGE.index(Step("COPY", "--from=environment /opt/hmgpu /opt/hmgpu"))
    after = {step.verb for step in IMAGE[:heavy]}
    assert after <= {"FROM", "ARG", "RUN", "COPY"}
    assert not {"VERSION", "REVISION"} & {rest.partition("=")[0] for rest in said("ARG", IMAGE[:heavy])}


def test_what_the_wheel_holds_is_copied_before_it_is_built() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = {source for rest in said("COPY", STAGES["package"]) for source in rest.split()[:-1]}
    assert {*wheel["packages"], *wheel["force-include"], "pyproject.toml", *PROJECT["license-files"]} <= copied


def test_no_tool_of_the_build_is_in_the_image() -> None:
    for name in ("base", "image"):
        text = " ".join(step.rest for step in STAGES[name])
        assert not re.search(r"python3-venv|python3-pip|build-essential|gcc|git\b|-dev\b", text)
    assert "apt-get" not in " ".join(said("RUN"))
    copied = {rest.split()[1] for rest in said("COPY") if rest.startswith("--from=")}
    assert copied == {"/opt/python", "/opt/hmgpu", "/build/sbom.json"}


def test_a_mirror_and_its_certificate_do_not_get_into_the_image() -> None:
    for name in ("", "base", "image"):
        declared = {rest.partition("=")[0] for rest in said("ARG", STAGES[name])}
        assert declared <= {"BASE_IMAGE", "FLAVOUR", "UID", "VERSION", "REVISION"}
        assert "id=ca" not in " ".join(said("RUN", STAGES[name]))
    assert not any("SSL_CERT" in rest or "INDEX" in rest for stage in STAGES.values() for rest in said("ENV", stage))


def test_who_runs_it_is_not_root() -> None:
    (user,) = said("USER")
    assert user == "$UID"
    assert "UID=1000" in said("ARG")
    verbs = [step.verb for step in IMAGE]
    assert "RUN" not in verbs[verbs.index("USER") :]


def test_it_is_the_command() -> None:
    assert [json.loads(rest) for rest in said("ENTRYPOINT")] == [["hmgpu"]]
    (health,) = said("HEALTHCHECK")
    command = json.loads(health.partition(" CMD ")[2])
    assert command == ["hmgpu", "doctor"]
    assert CliRunner().invoke(app, [*command[1:], "--help"]).exit_code == 0


@pytest.mark.parametrize("name", ["base", "best", "demo"])
def test_the_places_that_configs_name_are_there(name: str) -> None:
    """In the image's working folder; what is to outlive a container is a volume."""
    config = load_config(ROOT / "configs" / f"{name}.yaml")
    (work,) = said("WORKDIR")
    (volumes,) = map(json.loads, said("VOLUME"))
    assert volumes == ["/data", "/runs"]
    made = next(rest for rest in said("RUN") if "install -d" in rest)
    writable = {part for part in made.split("install -d")[1].split() if part.startswith("/")}
    assert set(volumes) < writable
    for place in (config.data.root, config.runs):
        there = PurePosixPath(work) / place
        assert writable & {str(there), *map(str, there.parents)}
        assert (str(there) in volumes) == (name != "demo")
    assert f"configs {work.rstrip('/')}/configs" in said("COPY")


def test_labels_tell_what_it_is() -> None:
    labels = dict(part.split("=", 1) for part in shlex.split(" ".join(said("LABEL"))))
    prefix = "org.opencontainers.image."
    assert labels.pop(f"{prefix}description") == PROJECT["description"]
    assert labels == {
        f"{prefix}title": PROJECT["name"],
        f"{prefix}version": "${VERSION}",
        f"{prefix}revision": "${REVISION}",
        f"{prefix}licenses": PROJECT["license"],
        f"{prefix}base.name": "${BASE_IMAGE}",
    }


# --- what travels to the builder -------------------------------------------------------------------------------------


def sent(path: str) -> bool:
    """Whether .dockerignore lets a path through: the last line that speaks of it, or of a folder above it, decides."""
    through = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        above = [path, *map(str, PurePosixPath(path).parents)][:-1]
        if any(fnmatch.fnmatchcase(f"/{part}", "/" + pattern.replace("**/", "*")) for part in above):
            through = line.startswith("!")
    return through


def test_what_is_copied_is_sent() -> None:
    copied = {part for stage in STAGES.values() for rest in said("COPY", stage) for part in rest.split()[:-1]}
    for source in copied - {part for part in copied if part.startswith(("-", "/"))}:
        place = Path(hmgpu.__file__).parent if source == "hmgpu" else ROOT / source
        files = [place] if place.is_file() else [file for file in place.rglob("*") if file.suffix in (".py", ".yaml")]
        assert files
        assert [file for file in files if not sent(str(file.relative_to(place.parents[source.count("/")])))] == []


@pytest.mark.parametrize(
    "path", [".git/HEAD", ".venv/bin/python", "data/manifest.json", "raw/a.csv", "runs/a/b", "hmgpu/__pycache__/a.pyc"]
)
def test_nothing_else_is_sent(path: str) -> None:
    assert not sent(path)


# --- compose ---------------------------------------------------------------------------------------------------------


def services() -> dict[str, dict]:  # type: ignore[type-arg]
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]


def test_one_service_has_all_gpus_and_the_other_none() -> None:
    both = services()
    del both["hmgpu-serve"]
    assert set(both) == {"hmgpu", "hmgpu-cpu"}
    (device,) = both["hmgpu"].pop("deploy")["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
    flavours = [{name: both[service].pop(name) for name in ("image", "build")} for service in both]
    assert both["hmgpu"] == both["hmgpu-cpu"]
    full, small = flavours
    assert (full["image"], small["image"]) == ("hmgpu", "hmgpu-cpu")
    arguments = small["build"].pop("args")
    assert small["build"] == full["build"]
    assert {f"{name}={value}" for name, value in arguments.items()} <= set(built("--flavour", "cpu"))


def test_compose_builds_and_runs_the_image() -> None:
    service = services()["hmgpu"]
    build = service["build"]
    assert (DOCKER / build["context"]).resolve() == ROOT
    assert STAGES.keys() >= {build["target"]}
    assert (ROOT / build["dockerfile"]).is_file()
    verb, flag, config = service["command"]
    assert flag == "--config"
    assert (ROOT / config).is_file()
    assert CliRunner().invoke(app, [verb, "--help"]).exit_code == 0
    assert int(re.fullmatch(r"\$\{HMGPU_USER:-(\d+):\d+\}", service["user"])[1]) != 0


def test_compose_serves_what_it_may_only_read() -> None:
    service = services()["hmgpu-serve"]
    verb, *options = service["command"]
    assert CliRunner().invoke(app, [verb, "--help"]).exit_code == 0
    assert options == ["--host", "0.0.0.0"]
    assert service["ports"] == ["${HMGPU_SERVE_AT:-127.0.0.1:8000}:8000"]  # nobody else reaches it, unless asked for
    assert {mount["target"]: mount["read_only"] for mount in service["volumes"]} == {"/data": True, "/runs": True}


def test_compose_mounts_what_the_image_works_with() -> None:
    mounts = {mount["target"]: mount for mount in services()["hmgpu"]["volumes"]}
    assert list(mounts) == ["/raw", "/data", "/runs"]
    assert [place for place, mount in mounts.items() if mount.get("read_only")] == ["/raw"]
    for place, mount in mounts.items():
        assert mount["source"] == f"${{HMGPU_{place[1:].upper()}:-..{place}}}"
        assert mount["bind"] == {"create_host_path": False}


# --- scripts ---------------------------------------------------------------------------------------------------------


def built(*arguments: str, **environment: str) -> list[str]:
    """What build_image.sh hands to the builder."""
    given = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [SCRIPTS[0], *arguments],
        env=given | {"BUILDER": "printf %s\\n"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_build_is_told_version_and_revision() -> None:
    handed = built()
    assert handed[-1] == "."
    assert "docker/Dockerfile" in handed
    assert handed[handed.index("-t") + 1] == "hmgpu"
    assert f"VERSION={PROJECT['version']}" in handed
    assert any(re.fullmatch(r"REVISION=([0-9a-f]{40}(-dirty)?|unknown)", part) for part in handed)
    assert not any("ca" in part.split(",")[0].split("=") for part in handed)


@pytest.mark.parametrize("flavour", ["gpu", "cpu"])
def test_a_tag_and_options_go_to_the_builder(flavour: str) -> None:
    handed = built("--flavour", flavour, "other:1", "--build-arg", "BASE_IMAGE=mine")
    assert handed[handed.index("-t") + 1] == "other:1"
    assert f"FLAVOUR={flavour}" in handed
    assert [part for part in handed if part.startswith("BASE_IMAGE=")][
        -1
    ] == "BASE_IMAGE=mine"  # builders take the last


def test_each_flavour_has_a_name_and_the_small_one_a_base_without_cuda() -> None:
    full, small = built(), built("--flavour", "cpu")
    assert [handed[handed.index("-t") + 1] for handed in (full, small)] == ["hmgpu", "hmgpu-cpu"]
    assert "FLAVOUR=gpu" in full
    assert not [part for part in full if part.startswith("BASE_IMAGE=")]
    assert {"FLAVOUR=cpu", "BASE_IMAGE=debian:bookworm-slim"} <= set(small)
    with pytest.raises(subprocess.CalledProcessError) as refused:
        built("--flavour", "tpu")
    assert refused.value.returncode == 2


def test_a_mirror_and_its_certificate_go_to_the_builder_where_there_are_any() -> None:
    handed = built(SSL_CERT_FILE="/some/ca.crt", PIP_INDEX_URL="mirror", UV_DEFAULT_INDEX="mirror")
    assert "id=ca,src=/some/ca.crt" in handed
    arguments = {handed[i + 1].partition("=")[0] for i, part in enumerate(handed) if part == "--build-arg"}
    declared = {rest.partition("=")[0] for stage in STAGES.values() for rest in said("ARG", stage)}
    assert arguments <= declared
    assert {"PIP_INDEX_URL", "UV_DEFAULT_INDEX", "SSL_CERT_FILE", "PIP_CERT"} <= arguments
    assert "mirror" not in "".join(handed)  # by name alone: a command line is seen by all


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_in_order(script: Path) -> None:
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_a_check_that_is_not_known_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    environment = os.environ | {"WORK": str(tmp_path / "work")}
    for arguments in (["--tests", "some"], ["--flavours", "tpu"], ["--other"]):
        done = subprocess.run([SCRIPTS[1], *arguments], env=environment, capture_output=True, check=False)
        assert done.returncode == 2
        assert done.stderr
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("file", [*DOCKER.iterdir(), *SCRIPTS, ROOT / ".dockerignore"], ids=lambda file: file.name)
def test_no_registry_is_named(file: Path) -> None:
    assert not re.search(r"://|extra-index|trusted-host", file.read_text())

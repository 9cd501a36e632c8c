"""The machine's description is complete: its processor, even where Python has no name for it, and what is installed."""

from importlib import metadata

from hmgpu.core import machine


def test_versions_are_of_what_is_installed(monkeypatch):
    def version(package):
        if package == "torch":
            raise metadata.PackageNotFoundError
        return f"{package} 1"

    monkeypatch.setattr(metadata, "version", version)
    found = machine.versions.__wrapped__()
    assert found["polars"] == "polars 1"
    assert "torch" not in found


def test_the_machine_has_a_name_cores_and_memory():
    found = machine.machine()
    assert found["cpu"].strip()
    assert 1 <= found["cores"] <= found["threads"]
    assert 0 < found["memory_gib"] < 100_000


def test_without_nvidias_tool_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda _: None)
    assert machine.gpus() == "none (no nvidia-smi)"


def test_a_driver_that_does_not_answer_is_quoted(monkeypatch):
    class Answer:
        stdout, stderr = "", "couldn't communicate with the NVIDIA driver\n"

    monkeypatch.setattr(machine.shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(machine.subprocess, "run", lambda *args, **kwargs: Answer())
    assert machine.gpus() == "none (couldn't communicate with the NVIDIA driver)"

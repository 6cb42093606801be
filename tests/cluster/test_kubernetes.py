"""The profile for Kubernetes, as far as it goes without a cluster: Snakemake reads it and plans with its plugins."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

PLUGIN = "snakemake_executor_plugin_kubernetes"


@pytest.mark.skipif(importlib.util.find_spec(PLUGIN) is None, reason="needs pip install -e '.[kubernetes]'")
def test_a_study_is_planned_on_a_volume(cluster_project: Any, tmp_path: Path) -> None:
    project = cluster_project
    call = ["--workflow-profile", "profiles/kubernetes", "--default-storage-prefix", str(tmp_path / "volume")]
    with project.start("-n", *call, "--config", f"books={project.books}") as snakemake:
        output, _ = snakemake.communicate()
    assert snakemake.returncode == 0, output
    assert "train_model" in output

"""The settings of a cluster name rules and options that exist: Snakemake itself takes a misspelled rule in silence."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.cli import get_argument_parser

ROOT = Path(__file__).parents[2]
PROFILES = sorted(path.parent.name for path in (ROOT / "profiles").glob("*/profile.yaml"))
CLUSTERS = [name for name in PROFILES if name != "default"]
RULES = {
    rule
    for path in (ROOT / "workflow/rules").glob("*.smk")
    for rule in re.findall(r"^\s*rule (\w+):", path.read_text(encoding="utf-8"), re.MULTILINE)
}
PLUGINS = ("slurm-", "cluster-generic-", "kubernetes-")
"""Beginnings of the options that Snakemake's plugins add to its own."""


def read(profile: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "profiles" / profile / "profile.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_names_options_of_snakemake(profile: str) -> None:
    options = {option.removeprefix("--") for option in get_argument_parser()._option_string_actions}
    assert [key for key in read(profile) if key not in options and not key.startswith(PLUGINS)] == []


@pytest.mark.parametrize("profile", CLUSTERS)
def test_a_profile_names_rules_of_the_workflow(profile: str) -> None:
    settings = read(profile)
    grouped = [entry.split("=")[0] for entry in settings.get("groups", [])]
    named = {*settings.get("set-resources", {}), *settings.get("set-threads", {}), *grouped}
    assert named - RULES == set()
    assert (
        settings["set-threads"]["find_duplicates"] < settings["cores"]
    )  # else it takes all: more than a node may have
    assert "train_model" not in grouped  # a training is a job of its own: it alone has a GPU, and is resumed
    sized = {entry.split("=")[0] for entry in settings.get("group-components", [])}
    assert sized <= {entry.split("=")[1] for entry in settings.get("groups", [])}


@pytest.mark.parametrize("profile", CLUSTERS)
def test_each_cluster_tries_again_with_more_memory_and_goes_on_after_a_kill(profile: str) -> None:
    settings = read(profile)
    assert settings["retries"] == 2
    assert settings["rerun-incomplete"] is True
    for asked in (settings["default-resources"], *settings["set-resources"].values()):
        assert eval(asked["mem_mb"], {"attempt": 2}) == 2 * eval(asked["mem_mb"], {"attempt": 1})  # noqa: S307

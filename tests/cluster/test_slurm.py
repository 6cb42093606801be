"""The tiny study through a real SLURM, disturbed: it ends in the bytes of one that ran here without a disturbance."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

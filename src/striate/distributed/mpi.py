"""MPI: whether this process is one of several ranks, and the program that starts them."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from striate.errors import StriateError

SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS", "SLURM_STEP_NUM_TASKS")
INSTALL = "Install both with pip install 'striate[mpi]'; on a cluster, mpi4py alone, which uses the site's MPI."


def processes() -> int:
    """Return the number of processes of this MPI job according to the environment, 1 without MPI."""
    return max((int(os.environ[name]) for name in SIZES if os.environ.get(name, "").isdigit()), default=1)


def import_mpi() -> Any:
    """Return ``mpi4py.MPI``, which starts MPI in this process.

    Raises
    ------
    StriateError
        If mpi4py, or an MPI library that it can use, is missing.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise StriateError(
            f"mpi: several ranks need mpi4py and an MPI library; got {reason!r}. {INSTALL}"
        ) from None
    return MPI


def mpiexec() -> Path:
    """Return the program that starts ranks: the one in the Python environment, else the first on the path.

    Raises
    ------
    StriateError
        If there is none.
    """
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec") or shutil.which("mpirun")
    if found is None:
        raise StriateError(f"mpi: several ranks need mpiexec; got none on the path. {INSTALL}")
    return Path(found)

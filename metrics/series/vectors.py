"""numpy and pcodec. Importing this takes 110 to 200 ms and 17 MiB: it is done inside the functions that need it."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""Nothing here multiplies matrices, and OpenBLAS would start a thread for each processor on being imported."""

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
Column = Whole | Real

__all__ = ["ChunkConfig", "Column", "NDArray", "Real", "Whole", "np", "standalone"]

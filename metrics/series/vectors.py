"""numpy and pcodec. Importing this takes 110 to 200 ms and 17 MiB: it is done inside the functions that need it."""

import os
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""Nothing here multiplies matrices, and OpenBLAS would start a thread for each processor on being imported."""

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

Whole = NDArray[np.int64]

Column = NDArray[Any]
"""Numbers of either kind."""

__all__ = ["ChunkConfig", "Column", "NDArray", "Whole", "np", "standalone"]

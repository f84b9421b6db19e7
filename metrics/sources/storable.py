"""What others measured does not always obey our rules; then what does is kept, and the rest is spoken of."""

from collections.abc import Iterable

from metrics.sample import BadSamples, Sample, check
from metrics.sources.base import Noted


def storable(samples: Iterable[Sample], now: float) -> Noted:
    """Return those of `samples` that can be stored at `now` (Unix seconds), with a note if there are others."""
    kept, reasons = [], []
    for sample in samples:
        try:
            check([sample], now)
        except BadSamples as problem:
            reasons.append(f"{sample.metric[:100]}: {problem}")
        else:
            kept.append(sample)
    total = len(kept) + len(reasons)
    return Noted(kept, f"{len(reasons)} of {total} samples can't be stored, such as {reasons[0]}" if reasons else "")

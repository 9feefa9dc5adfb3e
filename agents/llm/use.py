"""What a training takes of its machine: memory at its most, and how many tokens a second it gets through."""

import sys

import torch


def taken(device: torch.device, tokens: int, seconds: float) -> dict[str, float]:
    """`peak_gb`, most memory so far in 10⁹ bytes, and `tokens_a_second`, said and learned from; what is known of it."""
    peak = {} if (held := _held(device)) is None else {"peak_gb": round(held / 1e9, 3)}
    return peak | ({"tokens_a_second": round(tokens / seconds, 1)} if seconds else {})


def _held(device: torch.device) -> int | None:
    """Bytes: by tensors on a GPU, by this process otherwise; None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

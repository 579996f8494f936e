"""How long to wait before the next try? Exponential backoff with full jitter, so that a venue's clients do not come back as one."""

SHORTEST_S, LONGEST_S = 1.0, 60.0
STABLE_S = 60.0  # a connection that lived so long was a good one: the next failure is the first again


def wait_s(failures: int, random: float, shortest_s: float = SHORTEST_S, longest_s: float = LONGEST_S) -> float:
    """Seconds to wait after `failures` failures in a row (1 or more); `random` is uniform in [0, 1).

    Uniform between the shortest wait and a ceiling that doubles with each failure up to the longest.
    """
    ceiling = min(longest_s, shortest_s * 2.0 ** min(failures, 16))
    return shortest_s + random * (ceiling - shortest_s)

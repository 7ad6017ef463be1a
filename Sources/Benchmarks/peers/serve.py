"""The peers' side of the benchmarks: a line of JSON asks, a line of JSON answers.

A request names a case, a number of threads and a span of seconds; the answer holds the times of calls that fill the
span, at least one. The first request prepares the case: of several ways to do the same (memory layouts), the fastest
in a short trial stays, and the answer says which. A request that doesn't measure only prepares.
"""

import ctypes
import gc
import json
import os
import sys
import time
import traceback


def timed(call):
    """Seconds of one call; a call that measures itself returns its own cost."""
    start = time.perf_counter()
    own = call()
    return own if isinstance(own, float) else time.perf_counter() - start


class Way:
    """One way to do a case. `trial` stands for `call` where that takes too long to choose by."""

    def __init__(self, name, call, trial=None, warmups=1, value=None):
        self.name, self.call, self.trial, self.warmups, self.value = name, call, trial or call, warmups, value

    def rehearse(self):
        """Seconds of the trial: the best of some calls, of fewer where one takes long."""
        for _ in range(self.warmups):
            self.trial()
        times = [timed(self.trial)]
        while sum(times) < 0.1 or len(times) < 3 and sum(times) < 2:
            times.append(timed(self.trial))
        return min(times)


def prepared(ways):
    """The fastest of several functions that make a way, and a remark; the others' memory is given back."""
    best, remarks = None, []
    for make in ways:
        way = make()
        seconds = way.rehearse()
        remarks.append(f"{way.name} {seconds * 1e3:.3g} ms")
        if best is None or seconds < best[0]:
            best = (seconds, way)
        del way
        gc.collect()
    way = best[1]
    forget_peak()
    return way, ", ".join(remarks) + f": {way.name}" if len(ways) > 1 else way.name


def forget_peak():
    """Gives freed memory back and lets the peak resident size start from what is left."""
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak():
    """The peak resident size in bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def serve(ways_of, set_threads):
    """Answers until the input ends.

    `ways_of` turns the description of a case into functions that make its ways.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print must not look like an answer
    known = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "forget" in request:
                known = {}
                gc.collect()
                reply = {}
            else:
                set_threads(request["threads"])
                key = json.dumps([request["case"], request["threads"]], sort_keys=True)
                if key not in known:
                    known[key] = prepared(ways_of(request["case"]))
                way, note = known[key]
                times = []
                if request["measure"]:
                    times.append(timed(way.call))
                    while sum(times) < request["seconds"]:
                        times.append(timed(way.call))
                reply = {"times": times, "note": note, "peak": peak(), "value": way.value}
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        try:
            replies.write(json.dumps(reply) + "\n")
            replies.flush()
        except BrokenPipeError:
            return

"""The server loop of the benchmarks' peers. Requests and replies are lines of JSON.

A request names a case, a number of threads and a duration in seconds; the reply has the times of calls that fill the
duration, at least one. The first request prepares the case: of several variants (memory layouts) the fastest in a short
trial is kept, and the reply says which. A request that doesn't measure only prepares.
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


class Variant:
    """One variant of a case. `trial` replaces `call` in the trial where `call` takes too long."""

    def __init__(self, name, call, trial=None, warmups=1, value=None):
        self.name, self.call, self.trial, self.warmups, self.value = name, call, trial or call, warmups, value

    def rehearse(self):
        """Seconds of the trial: the best of several calls, of fewer where one takes long."""
        for _ in range(self.warmups):
            self.trial()
        times = [timed(self.trial)]
        while sum(times) < 0.1 or len(times) < 3 and sum(times) < 2:
            times.append(timed(self.trial))
        return min(times)


def prepared(variants):
    """The fastest of the variants that some functions make, and a remark; the memory of the others is freed."""
    best, remarks = None, []
    for make in variants:
        variant = make()
        seconds = variant.rehearse()
        remarks.append(f"{variant.name} {seconds * 1e3:.3g} ms")
        if best is None or seconds < best[0]:
            best = (seconds, variant)
        del variant
        gc.collect()
    variant = best[1]
    forget_peak()
    return variant, ", ".join(remarks) + f": {variant.name}" if len(variants) > 1 else variant.name


def forget_peak():
    """Returns freed memory to the system and resets the peak resident size."""
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak():
    """The peak resident size in bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def serve(variants_of, set_threads):
    """Answers requests until the input ends.

    `variants_of` maps the description of a case to functions that make its variants.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of libraries must not look like a reply
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
                    known[key] = prepared(variants_of(request["case"]))
                variant, note = known[key]
                times = []
                if request["measure"]:
                    times.append(timed(variant.call))
                    while sum(times) < request["seconds"]:
                        times.append(timed(variant.call))
                reply = {"times": times, "note": note, "peak": peak(), "value": variant.value}
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        try:
            replies.write(json.dumps(reply) + "\n")
            replies.flush()
        except BrokenPipeError:
            return

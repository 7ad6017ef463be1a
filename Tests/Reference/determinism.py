#!/usr/bin/env python3
"""Computes the golden values of Tests/DeterminismTests independently, with Python's hashlib and integers.

Prints every value with the name that the tests use. Python 3.8 or later, standard library only.
"""
import hashlib
import json
import math
import struct

MASK32 = (1 << 32) - 1
MASK64 = (1 << 64) - 1


def philox4x32(counter, key):
    """Philox4x32-10 of Salmon et al. 2011."""
    c, k = list(counter), list(key)
    for r in range(10):
        if r:
            k = [(k[0] + 0x9E3779B9) & MASK32, (k[1] + 0xBB67AE85) & MASK32]
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK32, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK32]
    return c


class Stream:
    """Key and upper counter half: the first 16 bytes of SHA-256 of ["kind","seed","path"]."""

    def __init__(self, kind, seed, path):
        name = json.dumps([kind, str(seed), path], separators=(",", ":"), ensure_ascii=False)
        w = struct.unpack("<4I", hashlib.sha256(name.encode()).digest()[:16])
        self.key, self.high, self.index = w[:2], w[2:], 0

    def next(self):
        block = self.index >> 1
        w = philox4x32((block & MASK32, block >> 32) + tuple(self.high), self.key)
        half = (self.index & 1) * 2
        self.index += 1
        return w[half] | w[half + 1] << 32

    def uniform(self):
        return (self.next() >> 11) * 2.0**-53

    def below(self, n):
        threshold = (2**64 - n) % n
        while True:
            product = self.next() * n
            if product & MASK64 >= threshold:
                return product >> 64

    def permutation(self, n):
        order = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]
        return order


LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42fefa3800p-1"), float.fromhex("0x1.ef35793c76730p-45")


def exp(x):
    if x > 709.78:
        return math.inf
    if x < -745.2:
        return 0.0
    k = round(x * 1.4426950408889634)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    term = 1.0
    for n in range(13, 0, -1):
        term = 1 + r / n * term
    half = int(k / 2)
    return term * 2.0**half * 2.0 ** (k - half)


def reduced(x):
    """x = m 2^k with m in (0.707, 1.414]."""
    m, k = math.frexp(x)
    m, k = 2 * m, k - 1
    return (m * 0.5, k + 1) if m > 1.4142135623730951 else (m, k)


def log(x):
    m, k = reduced(x)
    s = (m - 1) / (m + 1)
    z = s * s
    total = 0.0
    for n in range(23, 1, -2):
        total = (total + 1 / n) * z
    head = 2 * s
    return k * LN2_HIGH + (head + (head * total + k * LN2_LOW))


def log2(x):
    m, k = reduced(x)
    return k + log(m) * 1.4426950408889634


def sincos(x):
    k = round(x * 0.6366197723675814)
    parts = [float.fromhex(t) for t in ("0x1.921fb54400000p+0", "0x1.0b4611a600000p-34", "0x1.3198a2e037073p-69")]
    r = ((x - k * parts[0]) - k * parts[1]) - k * parts[2]
    z = r * r
    s = c = 0.0
    for n in range(17, 2, -2):
        s = (1 + s) * (-z / (n * (n - 1)))
    for n in range(18, 1, -2):
        c = (1 + c) * (-z / (n * (n - 1)))
    s, c = r + r * s, 1 + c
    return [(s, c), (c, -s), (-s, -c), (-c, s)][k & 3]


def math_digest():
    """SHA-256 over the bits of six functions at a thousand points."""
    h = hashlib.sha256()
    for i in range(1000):
        x = i * 0.37 + 0.001
        h.update(struct.pack("<6d", exp(x / 4), log(x), log2(x), exp(0.9 * log(x)), *sincos(x)))
    return h.hexdigest()


def main():
    for counter, key in [
        ((0,) * 4, (0,) * 2),
        ((MASK32,) * 4, (MASK32,) * 2),
        ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)),
    ]:
        print("philox", " ".join(f"{x:08x}" for x in philox4x32(counter, key)))
    s = Stream("finetune-supernet", 2020, "epoch/3/order")
    print("next", " ".join(f"{s.next():016x}" for _ in range(5)))
    s = Stream("finetune-supernet", 2020, "epoch/3/order")
    print("uniform", " ".join(s.uniform().hex() for _ in range(3)))
    s = Stream("finetune-supernet", 2020, "epoch/3/order")
    print("below 10", [s.below(10) for _ in range(12)])
    print("permutation 12", Stream("finetune-supernet", 2020, "epoch/3/order").permutation(12))
    s = Stream("größe", 2**64 - 1, 'quote " and \\')
    print("escaped name", f"{s.next():016x}")
    for text in ["", "abc", "a" * 1_000_000]:
        print("sha256", hashlib.sha256(text.encode()).hexdigest())
    print("portable math", math_digest())
    canonical = '{"":null,"a":[1,1,0,1e+23,0.1,-7,true,false,[],{}],"b\\u0001":"\\"\\\\/é\\u000a"}'
    print("canonical", hashlib.sha256(canonical.encode()).hexdigest())


if __name__ == "__main__":
    main()

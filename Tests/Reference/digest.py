#!/usr/bin/env python3
"""Recomputes the logical digest of an artifact with h5py, numpy and hashlib only.

    digest.py FILE.h5 [...]              prints one digest per line
    digest.py --manifest FILE.h5         prints the canonical manifest, whose SHA-256 is the digest

Implements Sources/TensorFiles/FORMAT.md without sharing code with the product. Chunks are read raw; the LZ4 filter
(registered number 32004) and the byte shuffle are undone here, so no HDF5 plugin is needed.
"""
import hashlib
import json
import sys

import h5py
import numpy as np

PIECE = 1 << 20
TYPES = {"<f4": "float32", "<f8": "float64", "|b1": "bool"}
for bits in (8, 16, 32, 64):
    for kind, name in (("i", "int"), ("u", "uint")):
        TYPES[("|" if bits == 8 else "<") + kind + str(bits // 8)] = f"{name}{bits}"


def lz4_block(data, size):
    """Decodes one block of the LZ4 block format."""
    out, i = bytearray(), 0

    def extended(n):
        nonlocal i
        if n == 15:
            while True:
                byte = data[i]
                i += 1
                n += byte
                if byte != 255:
                    break
        return n

    while i < len(data):
        token = data[i]
        i += 1
        count = extended(token >> 4)
        out += data[i:i + count]
        i += count
        if i >= len(data):
            break
        distance = data[i] | data[i + 1] << 8
        i += 2
        count = extended(token & 15) + 4
        if not 0 < distance <= len(out):
            raise ValueError("LZ4: bad distance")
        start = len(out) - distance
        if distance >= count:
            out += out[start:start + count]
        else:
            pattern = bytes(out[start:])
            out += (pattern * (count // distance + 1))[:count]
    if len(out) != size:
        raise ValueError(f"LZ4: {len(out)} bytes, expected {size}")
    return bytes(out)


def lz4_chunk(data):
    """Undoes filter 32004: total size, block size, then size and data of each block; all sizes big endian."""
    total, block = int.from_bytes(data[:8], "big"), int.from_bytes(data[8:12], "big")
    out, at = [], 12
    done = 0
    while done < total:
        size = min(block, total - done)
        packed = int.from_bytes(data[at:at + 4], "big")
        body = data[at + 4:at + 4 + packed]
        out.append(body if packed == size else lz4_block(body, size))
        at += 4 + packed
        done += size
    return b"".join(out)


def unshuffle(data, element):
    count = len(data) // element
    whole = np.frombuffer(data[:count * element], np.uint8).reshape(element, count).T.tobytes()
    return whole + data[count * element:]


def filters(dataset):
    plist = dataset.id.get_create_plist()
    return [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]


def elements(dataset):
    """The elements of a data set, row-major, little endian."""
    if dataset.chunks is None or filters(dataset) != [2, 32004]:
        if dataset.shape is None or dataset.size == 0:
            return b""
        values = dataset[()]
        return np.asarray(values, np.asarray(values).dtype.newbyteorder("<")).tobytes()
    out = np.zeros(dataset.shape, dataset.dtype)
    for n in range(dataset.id.get_num_chunks()):
        info = dataset.id.get_chunk_info(n)
        _, raw = dataset.id.read_direct_chunk(info.chunk_offset)
        chunk = np.frombuffer(unshuffle(lz4_chunk(bytes(raw)), dataset.dtype.itemsize), dataset.dtype)
        chunk = chunk.reshape(dataset.chunks)
        place = tuple(slice(o, min(o + c, s)) for o, c, s in zip(info.chunk_offset, dataset.chunks, dataset.shape))
        out[place] = chunk[tuple(slice(0, p.stop - p.start) for p in place)]
    return out.tobytes()


def number(x):
    """Whole numbers in decimal, others as the shortest text that parses to the same binary64."""
    if x != x:
        x = np.asarray(x)
        bits = int(x.view(f"u{x.dtype.itemsize}"))
        usual = {4: 0x7fc00000, 8: 0x7ff8000000000000}[x.dtype.itemsize]
        return canonical("NaN" if bits == usual else f"NaN {bits:x}")
    x = float(x)
    if x in (float("inf"), float("-inf")):
        return canonical("+inf" if x > 0 else "-inf")
    return str(int(x)) if x == int(x) and -2**63 <= x < 2**63 else repr(x)


def canonical(value):
    """JSON without white space, members sorted by the UTF-8 bytes of their names."""
    if value is None:
        return "null"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return number(value)
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        out = []
        for c in value:
            out.append("\\" + c if c in '"\\' else f"\\u{ord(c):04x}" if ord(c) < 32 else c)
        return '"' + "".join(out) + '"'
    if isinstance(value, dict):
        names = sorted(value, key=lambda n: n.encode())
        return "{" + ",".join(canonical(n) + ":" + canonical(value[n]) for n in names) + "}"
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    if isinstance(value, h5py.Empty):
        return "[]"
    raise TypeError(f"no canonical form for {type(value)}")


def is_own(value):
    """Whether a value is stored as a native HDF5 type; others are stored as JSON in a string."""
    if isinstance(value, list):
        whole = [isinstance(v, int) and not isinstance(v, bool) for v in value]
        return bool(value) and (all(whole) or all(isinstance(v, float) for v in value))
    return isinstance(value, (bool, int, float)) or isinstance(value, str) and "\0" not in value


def unwrapped(name, value):
    """Name and value of an attribute NAME@json that the product would have written; None for others."""
    if not name.endswith("@json") or not isinstance(value, str) or name[:-5].endswith("@json") or name == "@json":
        return None
    try:
        parsed = json.loads(value)
        return None if is_own(parsed) or canonical(parsed) != value else (name[:-5], parsed)
    except ValueError:
        return None


def form(attribute, value):
    """The stored type and shape of an attribute that the product would have stored differently; None for others."""
    kind = attribute.dtype
    if kind == bool:
        name = "bool"
    elif h5py.check_string_dtype(kind) or kind.kind == "S":
        name = "string"
    else:
        name = TYPES[("|" if kind.itemsize == 1 else "<") + kind.kind + str(kind.itemsize)]
    if isinstance(value, h5py.Empty):
        return name + " null"
    shape = list(attribute.shape)
    if name in ("bool", "string"):
        own = not shape
    elif name in ("int64", "float64"):
        own = len(shape) < 2 and 0 not in shape and bool(np.all(np.isfinite(value)))
    else:
        own = False
    return None if own else f"{name} {shape}" if shape else name


def attributes(item):
    """The values of an object's attributes, and the forms of those that the product would have stored differently."""
    out, forms = {}, {}
    for name in item.attrs:
        value = item.attrs[name]
        if isinstance(value, bytes):
            value = value.decode()
        inner = unwrapped(name, value)
        if inner:
            out[inner[0]] = inner[1]
            continue
        out[name] = value
        stored = form(item.attrs.get_id(name), value)
        if stored:
            forms[name] = stored
    return out, forms


def manifest(path):
    tensors, attrs, forms, links, groups = [], {}, {}, {}, []

    def visit(name, item):
        found, stored = attributes(item)
        if found:
            attrs[name] = found
        if stored:
            forms[name] = stored
        if isinstance(item, h5py.Dataset):
            data = elements(item)
            whole = hashlib.sha256()
            for start in range(0, len(data), PIECE):
                whole.update(hashlib.sha256(data[start:start + PIECE]).digest())
            kind = item.dtype.newbyteorder("<").str
            tensors.append(
                {"digest": whole.hexdigest(), "name": name, "shape": list(item.shape), "type": TYPES[kind]})
        elif isinstance(item, h5py.Group):
            if name and not len(item):
                groups.append(name)
            for key in item:
                inner = f"{name}/{key}" if name else key
                link = item.get(key, getlink=True)
                if isinstance(link, h5py.HardLink):
                    visit(inner, item[key])
                elif isinstance(link, h5py.SoftLink):
                    links[inner] = link.path
                else:
                    raise ValueError(f"{inner}: a link to another file has no digest")

    with h5py.File(path, "r") as file:
        visit("", file)
    tensors.sort(key=lambda t: t["name"].encode())
    whole = {"attributes": attrs, "format": 1, "tensors": tensors}
    groups.sort(key=lambda n: n.encode())
    whole.update({k: v for k, v in (("forms", forms), ("links", links), ("groups", groups)) if v})
    return canonical(whole)


def main(arguments):
    show = arguments[:1] == ["--manifest"]
    for path in arguments[1:] if show else arguments:
        text = manifest(path)
        print(text if show else hashlib.sha256(text.encode()).hexdigest())


if __name__ == "__main__":
    main(sys.argv[1:])

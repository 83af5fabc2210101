#!/usr/bin/env python3
"""Packs public-domain bitmap fonts into kanji.bin, which package cardface embeds.

    apt-get download xfonts-shinonome xfonts-jisx0213 xfonts-intl-japanese
    for p in *.deb; do dpkg-deb -x "$p" root; done
    python3 makefont.py root/usr/share/fonts/X11/misc

The fonts and their terms are named in LICENSE. extra.txt has glyphs drawn for this project.

Format, all numbers big-endian: two bytes with the number of pages; for each page four bytes with the code point of its
first character (a multiple of 256) and four with the offset of its data in the file; then the data, each page a raw
DEFLATE stream (RFC 1951) of glyphs in ascending order. A glyph is the low byte of its code point, its width in pixels and its
12 rows from top to bottom, one byte each for 8 pixels of width. Characters are 12 pixels high, and 12 or 6 wide: those of
JIS X 0208 and ASCII as their designers drew them, the rest from fonts of 16 pixels, scaled here.
"""
import gzip, pathlib, struct, sys, zlib


def pcf(path):
    """Yields (encoding, width, rows) of a PCF font; rows are numbers with the leftmost pixel as highest bit."""
    data = gzip.open(path).read()
    assert data[:4] == b"\x01fcp"
    tables = {}
    for i in range(struct.unpack_from("<I", data, 4)[0]):
        kind, form, size, offset = struct.unpack_from("<4I", data, 8 + 16 * i)
        tables[kind] = (form, offset)

    def order(kind):
        form, offset = tables[kind]
        return (">" if form & 4 else "<"), form, offset + 4

    e, form, o = order(4)  # metrics
    metrics = []
    if form & 0x100:
        n = struct.unpack_from(e + "H", data, o)[0]
        for i in range(n):
            left, right, width, ascent, descent = (b - 0x80 for b in data[o + 2 + 5 * i:o + 7 + 5 * i])
            metrics.append((left, right, width, ascent, descent))
    else:
        n = struct.unpack_from(e + "I", data, o)[0]
        metrics = [struct.unpack_from(e + "5h", data, o + 4 + 12 * i) for i in range(n)]
    e, form, o = order(2)  # accelerators: the font's ascent and descent
    ascent, descent = struct.unpack_from(e + "2i", data, o + 8)
    e, form, o = order(8)  # bitmaps
    n = struct.unpack_from(e + "I", data, o)[0]
    offsets = struct.unpack_from(f"{e}{n}I", data, o + 4)
    bits = o + 4 + 4 * n + 16
    pad = 1 << (form & 3)
    big_bits, big_bytes, unit = form & 8, form & 4, 1 << ((form >> 4) & 3)
    e, form, o = order(32)  # encodings
    min2, max2, min1, max1, _ = struct.unpack_from(e + "5h", data, o)
    o += 10
    for b1 in range(min1, max1 + 1):
        for b2 in range(min2, max2 + 1):
            index = struct.unpack_from(e + "H", data, o)[0]
            o += 2
            if index == 0xFFFF:
                continue
            left, right, width, up, down = metrics[index]
            stride = ((right - left + 7) // 8 + pad - 1) // pad * pad
            rows = [0] * (ascent + descent)
            for y in range(up + down):
                raw = bytearray(data[bits + offsets[index] + y * stride:][:stride])
                if bool(big_bits) != bool(big_bytes) and unit > 1:
                    for k in range(0, stride, unit):
                        raw[k:k + unit] = raw[k:k + unit][::-1]
                if not big_bits:
                    raw = bytes(int(f"{b:08b}"[::-1], 2) for b in raw)
                row = int.from_bytes(raw, "big")
                shift = 8 * stride - width + left
                rows[ascent - up + y] = (row >> shift if shift >= 0 else row << -shift) & ((1 << width) - 1)
            yield b1 << 8 | b2, width, rows


def smaller(width, rows):
    """Scales a glyph from 16 to 12 pixels: a pixel is set when ink covers enough of the square of 4/3 that it stands for."""
    def ink(x, y):
        total = 0
        for v in range(4 * y // 3, -(-4 * (y + 1) // 3)):
            for u in range(4 * x // 3, -(-4 * (x + 1) // 3)):
                if rows[v] >> (width - 1 - u) & 1:
                    total += (min(3 * u + 3, 4 * x + 4) - max(3 * u, 4 * x)) * (min(3 * v + 3, 4 * y + 4) - max(3 * v, 4 * y))
        return total
    n = width * 3 // 4
    return n, [int("".join("1" if ink(x, y) >= 7 else "0" for x in range(n)), 2) for y in range(12)]


def euc(prefix, encoding, codec):
    raw = prefix + bytes([(encoding >> 8) | 0x80, (encoding & 0xFF) | 0x80])
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        return None
    return ord(text) if len(text) == 1 else None


def main(folder):
    glyphs = {}

    def put(code, width, rows):
        if code is not None and code not in glyphs:
            glyphs[code] = (width, rows)

    here = pathlib.Path(__file__).parent
    for block in (here / "extra.txt").read_text().strip().split("\n\n"):
        head, *rows = [line for line in block.split("\n") if not line.startswith("#")]
        assert len(rows) == 16 and all(len(row) == 16 for row in rows), head
        put(int(head[2:], 16), *smaller(16, [int(row.replace(".", "0").replace("@", "1"), 2) for row in rows]))
    for encoding, width, rows in pcf(f"{folder}/shnmk12.pcf.gz"):
        put(euc(b"", encoding, "euc_jp"), width, rows)
    for name, prefix, codec in (
        ("jiskan16-2004-1", b"", "euc_jis_2004"),
        ("jiskan16-2000-2", b"\x8f", "euc_jis_2004"),
        ("jksp16", b"\x8f", "euc_jp"),
    ):
        for encoding, width, rows in pcf(f"{folder}/{name}.pcf.gz"):
            put(euc(prefix, encoding, codec), *smaller(width, rows))
    for encoding, width, rows in pcf(f"{folder}/shnm6x12r.pcf.gz"):
        if 0x20 <= encoding <= 0x7E:
            put(encoding, width, rows)
    # The other spellings of the same characters, see JIS X 0208 and the encoding of the Web.
    for one, other in ((0x301C, 0xFF5E), (0x2212, 0xFF0D), (0x2016, 0x2225), (0x2015, 0x2014)):
        if one in glyphs:
            put(other, *glyphs[one])
        elif other in glyphs:
            put(one, *glyphs[other])
    put(0x3000, 12, [0] * 12)

    pages = {}
    for code in sorted(glyphs):
        width, rows = glyphs[code]
        assert len(rows) == 12 and width in (6, 12), (hex(code), width, len(rows))
        n = (width + 7) // 8
        body = bytes([code & 0xFF, width]) + b"".join((row << (8 * n - width)).to_bytes(n, "big") for row in rows)
        pages.setdefault(code & ~0xFF, []).append(body)
    index, data = b"", b""
    start = 2 + 8 * len(pages)
    for first, bodies in pages.items():
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        index += struct.pack(">II", first, start + len(data))
        data += deflate.compress(b"".join(bodies)) + deflate.flush()
    (here / "kanji.bin").write_bytes(struct.pack(">H", len(pages)) + index + data)
    print(len(glyphs), "glyphs,", len(pages), "pages,", start + len(data), "bytes")


main(sys.argv[1])

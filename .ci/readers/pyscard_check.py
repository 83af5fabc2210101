"""A second PC/SC stack in another language: pyscard against the software card in pcscd's virtual reader.

Usage: python3 pyscard_check.py READER-INDEX [--latency FILE]

Reads every application by AID, by EF and by short EF identifier, with short and extended lengths, checks status words and
that PINs open what they should and nothing else. Any difference is an assertion, that is, exit status 1.
"""

import statistics
import sys
import time

from smartcard.scard import SCARD_UNPOWER_CARD
from smartcard.System import readers
from smartcard.util import toHexString

DOMAIN = bytes.fromhex("A0000001510000")
JPKI = bytes.fromhex("D392F000260100000001")
SURFACE = bytes.fromhex("D3921000310001010402")
TEXT = bytes.fromhex("D3921000310001010408")
COMMON = bytes.fromhex("D3921000310001010100")
RESIDENT = bytes.fromhex("D3921000310001010401")


class Reader:
    def __init__(self, index):
        self.connection = readers()[index].createConnection()
        self.connection.connect(disposition=SCARD_UNPOWER_CARD)

    def send(self, command):
        data, sw1, sw2 = self.connection.transmit(list(command))
        return bytes(data), sw1 << 8 | sw2

    def ok(self, command):
        data, status = self.send(command)
        assert status == 0x9000, f"{toHexString(list(command[:5]))} answers {status:04X}"
        return data

    def refused(self, command, expected):
        data, status = self.send(command)
        assert status == expected and not data, f"{toHexString(list(command[:5]))} answers {status:04X}, not {expected:04X}"

    def select(self, aid):
        self.ok(bytes([0x00, 0xA4, 0x04, 0x0C, len(aid)]) + aid)

    def file(self, ef):
        self.ok(bytes([0x00, 0xA4, 0x02, 0x0C, 0x02]) + ef.to_bytes(2, "big"))

    def read(self, offset, length):
        return self.ok(bytes([0x00, 0xB0, offset >> 8, offset & 0xFF, length & 0xFF]))

    def read_extended(self, offset, length):
        return self.ok(bytes([0x00, 0xB0, offset >> 8, offset & 0xFF, 0x00]) + length.to_bytes(2, "big"))

    def verify(self, reference, value):
        self.ok(bytes([0x00, 0x20, 0x00, reference, len(value)]) + value)


def certificate(reader, ef):
    """One DER certificate the way OpenSC reads it: four bytes for the length, then blocks."""
    reader.file(ef)
    head = reader.read(0, 4)
    assert head[:2] == b"\x30\x82", "certificates begin with 30 82"
    total = 4 + int.from_bytes(head[2:], "big")
    content = head
    while len(content) < total:
        content += reader.read(len(content), min(256, total - len(content)))
    assert reader.read_extended(0, total) == content, "one extended READ gives the same bytes"
    return content


def check(reader):
    # Right after power-up: the issuer security domain, whose data objects are free.
    expiry = reader.ok(bytes.fromhex("00CA00F200"))
    assert len(expiry) == 8 and expiry.isdigit(), "GET DATA 00F2 is a date"
    reader.refused(bytes.fromhex("00CA00F800"), 0x6700)  # more than 256 bytes want an extended Le
    issuer = reader.ok(bytes.fromhex("00CA00F8000000"))
    assert len(issuer) == 575 and issuer[:2] == b"\x4d\x0a", "the certificate begins with its header list"
    reader.refused(bytes.fromhex("00A4040C0AFFFFFFFFFFFFFFFFFFFF"), 0x6A82)
    for aid in (SURFACE, TEXT, COMMON, RESIDENT, JPKI):
        reader.select(aid)

    # JPKI application.
    reader.select(JPKI)
    assert len({certificate(reader, ef) for ef in (0x0002, 0x000A, 0x000B)}) == 3
    reader.file(0x0006)
    token = reader.read(0, 0xA0)
    assert token.startswith(b"JPKIAPICCTOKEN2") and len(token) == 160
    reader.file(0x0001)
    reader.refused(bytes.fromhex("00B0000004"), 0x6982)
    for reference, tries in ((0x98, 3), (0x9B, 5)):
        reader.refused(bytes([0x00, 0x20, 0x00, reference]), 0x63C0 | tries)
    reader.refused(bytes.fromhex("802A009710") + bytes(16) + b"\x00", 0x6982)
    reader.verify(0x98, b"1234")
    assert len(reader.ok(bytes.fromhex("802A009720") + bytes(32) + b"\x00")) == 256
    reader.refused(bytes.fromhex("802A009A20") + bytes(32) + b"\x00", 0x6982)
    reader.verify(0x9B, b"ABC123")
    assert len(certificate(reader, 0x0001)) > 1000

    # Text application: the PIN opens the four attributes. To select the same application again keeps it verified, as on real
    # cards; to select another one, the issuer security domain here, forgets it.
    reader.select(TEXT)
    reader.file(0x0002)
    reader.refused(bytes.fromhex("00B0000000"), 0x6982)
    reader.verify(0x91, b"1234")
    reader.file(0x0002)
    assert reader.read(0, 256).startswith(b"\xff\x20")
    reader.select(TEXT)
    reader.file(0x0002)
    assert reader.read(0, 256).startswith(b"\xff\x20")
    reader.select(DOMAIN)
    reader.select(TEXT)
    reader.file(0x0002)
    reader.refused(bytes.fromhex("00B0000000"), 0x6982)

    # Common card application: record 1 by short EF identifier.
    reader.select(COMMON)
    assert reader.ok(bytes.fromhex("00B2010C00"))[:2] == b"\x01\x1c"

    # Surface application: basic information is free, the face is not.
    reader.select(SURFACE)
    reader.file(0x0003)
    assert reader.read(0, 256).startswith(b"\xff\x30")
    reader.file(0x0002)
    reader.refused(bytes.fromhex("00B0000000"), 0x6982)


def timed(action, repeats):
    samples = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples) * 1000


def latency(reader):
    """Medians in milliseconds; the reference is the cheapest exchange of the same stack, an instruction that the card does not know."""
    reader.select(JPKI)
    reader.file(0x000A)
    floor = timed(lambda: reader.send(bytes.fromhex("00FF0000")), 300)
    block = timed(lambda: reader.read(0, 256), 300)
    whole = timed(lambda: certificate(reader, 0x000A), 20)
    return (
        f"info pyscard: unknown instruction {floor:.3f} ms, READ BINARY of 256 bytes {block:.3f} ms ({block / floor:.2f} x), "
        f"certificate read twice {whole:.1f} ms; medians\n"
    )


def main():
    reader = Reader(int(sys.argv[1]))
    check(reader)
    if len(sys.argv) > 3 and sys.argv[2] == "--latency":
        text = latency(reader)
        sys.stdout.write(text)
        with open(sys.argv[3], "a", encoding="utf-8") as out:
            out.write(text)
    reader.connection.disconnect()
    print("pyscard: all checks passed")


main()

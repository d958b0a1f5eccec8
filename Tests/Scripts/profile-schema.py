#!/usr/bin/env python3
"""Validates every profile of a folder against its schema.json; exits 1 when one does not fit."""
import json
import pathlib
import sys

import jsonschema
import yaml

folder = pathlib.Path(sys.argv[1])
schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
bad = 0
files = sorted(folder.glob("*.yaml"))
for file in files:
    for error in validator.iter_errors(yaml.safe_load(file.read_text(encoding="utf-8"))):
        print(f"{file}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
        bad += 1
# The schema is strict: a key it does not know is refused.
broken = yaml.safe_load(files[0].read_text(encoding="utf-8")) | {"unknownKey": 1}
if validator.is_valid(broken):
    print("schema.json accepts an unknown key")
    bad += 1
print(f"{len(files)} profiles checked against schema.json, {bad} problems")
sys.exit(1 if bad else 0)

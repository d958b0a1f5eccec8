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
every_key = sorted((pathlib.Path(__file__).parent / "profiles").glob("*.yaml"))
files = sorted(folder.glob("*.yaml")) + every_key
for file in files:
    for error in validator.iter_errors(yaml.safe_load(file.read_text(encoding="utf-8"))):
        print(f"{file}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
        bad += 1
# The schema is strict: a key it does not know is refused, in every map.
def maps(value: object):
    """Every map inside a value, itself included."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from maps(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from maps(inner)


OPEN = {"only", "settings", "parameters", "expect", "fields", "with", "query"}  # maps whose keys the author chooses
for file in every_key or files[:1]:
    profile = yaml.safe_load(file.read_text(encoding="utf-8"))
    named = [inner for value in maps(profile) for key, inner in value.items() if key in OPEN and isinstance(inner, dict)]
    tests = list(maps(profile.get("tests", [])))
    for value in list(maps(profile)):
        if any(value is other for other in named + tests):
            continue
        value["unknownKey"] = 1
        if validator.is_valid(profile):
            print(f"{file}: schema.json accepts an unknown key in {sorted(value)}")
            bad += 1
        del value["unknownKey"]
print(f"{len(files)} profiles checked against schema.json, {bad} problems")
sys.exit(1 if bad else 0)

#!/usr/bin/env python3
"""Validates every contract with the official schema of AsyncAPI, and test vectors with jsonschema, which is not ours.

  contract-schema.py FOLDER                      the documents
  contract-schema.py CONTRACT.yaml VECTORS.json  jsonschema must find the same payloads valid as the vectors say
"""
import decimal
import json
import pathlib
import sys

import jsonschema
import yaml


def documents(folder: pathlib.Path) -> int:
    official = pathlib.Path(__file__).parent.parent / "AsyncAPI" / "asyncapi-3.0.0.json"
    validator = jsonschema.Draft7Validator(json.loads(official.read_text(encoding="utf-8")))
    bad = 0
    files = sorted(folder.glob("*/v*/asyncapi.yaml")) + sorted(folder.glob("*/v*/older/*.yaml"))
    for file in files:
        for error in validator.iter_errors(yaml.safe_load(file.read_text(encoding="utf-8"))):
            print(f"{file}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
            bad += 1
    # The official schema is strict where it counts: an action that does not exist is refused.
    broken = yaml.safe_load(files[0].read_text(encoding="utf-8"))
    next(iter(broken["operations"].values()))["action"] = "publish"
    if validator.is_valid(broken):
        print("the official schema accepts an unknown action")
        bad += 1
    print(f"{len(files)} contracts checked with the official schema of AsyncAPI 3.0.0, {bad} problems")
    return bad


def exact(value):
    """Floats as decimals, so that 21.53 is a multiple of 0.01."""
    if isinstance(value, float):
        return decimal.Decimal(repr(value))
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    return [exact(inner) for inner in value] if isinstance(value, list) else value


def vectors(contract: pathlib.Path, file: pathlib.Path) -> int:
    document = exact(yaml.safe_load(contract.read_text(encoding="utf-8")))
    bad = compared = 0
    for vector in json.loads(file.read_text(encoding="utf-8"))["vectors"]:
        message = document["components"]["messages"][vector["message"]]
        schema = {**message["payload"], "components": {"schemas": document["components"].get("schemas", {})}}
        if message.get("contentType") == "text/plain":
            payload = vector["payload"]
        else:
            try:
                payload = json.loads(vector["payload"], parse_float=decimal.Decimal)
            except ValueError:
                bad += vector["valid"]
                continue
        valid = jsonschema.Draft7Validator(schema).is_valid(payload)
        compared += 1
        # What only x-campus says (size, version) is beyond a schema.
        if valid != vector["valid"] and not (valid and vector.get("beyondSchema")):
            print(f"{contract}: {vector['name']}: jsonschema says {valid}, the vectors {vector['valid']}")
            bad += 1
    print(f"{contract}: {compared} vectors compared with jsonschema, {bad} differences")
    return bad


arguments = [pathlib.Path(text) for text in sys.argv[1:]]
sys.exit(1 if (documents(arguments[0]) if len(arguments) == 1 else vectors(*arguments)) else 0)

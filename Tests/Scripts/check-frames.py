#!/usr/bin/env python3
"""Reads the Modbus frames of all golden cases with pymodbus, which is not our code.

usage: check-frames.py PROFILE.yaml...

Prints each frame that pymodbus reads differently from what its place says, and exits 1 when there is one.
"""
import sys

import yaml
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

checked = 0
problems: list[str] = []


def decode(text: str, is_server: bool):
    data = bytes.fromhex(text)
    used, pdu = FramerRTU(DecodePDU(is_server)).handleFrame(data, 0, 0)
    if pdu is None or used != len(data):
        raise ValueError("no frame: wrong CRC or length")
    return pdu


def check(request_text: str, response_text: str) -> None:
    request = decode(request_text, True)
    response = decode(response_text, False)
    if request.dev_id != response.dev_id:
        raise ValueError(f"unit {response.dev_id} answers for {request.dev_id}")
    if response.isError():
        return
    if request.function_code != response.function_code:
        raise ValueError(f"function {response.function_code} answers {request.function_code}")
    if request.function_code in (5, 6, 15, 16):
        if request.address != response.address:
            raise ValueError(f"address {response.address} answers for {request.address}")
        return
    is_bits = request.function_code in (1, 2)
    count = len(response.bits if is_bits else response.registers)
    wanted = (request.count + 7) // 8 * 8 if is_bits else request.count
    if count != wanted:
        raise ValueError(f"{count} values for {wanted}")


for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        profile = yaml.safe_load(file)
    for case in profile.get("tests", []):
        for exchange in case.get("modbus", []):
            checked += 1
            try:
                check(exchange["request"], exchange["response"])
            except (ValueError, AttributeError) as error:
                problems.append(f"{path}: {case['name']}: {exchange['request']}: {error}")

print("\n".join(problems))
print(f"{checked} exchanges read, {len(problems)} wrong")
sys.exit(1 if problems or checked == 0 else 0)

#!/usr/bin/env python3
"""Makes random Modbus frames of every type and order, and says what they mean by decoders that are not our code.

usage: random-frames.py COUNT SEED

Frames are built and read by pymodbus. Values are by pymodbus where it knows the type (its convert_from_registers has no
byte order, no 8, 16-bit floating, 24-bit or BCD numbers, no slices), otherwise by Python's struct and int.from_bytes.
One line a frame:

    table address type byteOrder wordOrder from count length request response meaning

`from` and `count` are -1 without a slice; the meaning is `n:` and the sixteen digits of the value as binary64, `t:` and
the UTF-8 of a text in hexadecimal, or `-` for bits that are no value of the type.
"""
import random
import struct
import sys

from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu import bit_message, register_message

KNOWN = {
    "int16": "INT16", "uint16": "UINT16", "int32": "INT32", "uint32": "UINT32", "int64": "INT64", "uint64": "UINT64",
    "float32": "FLOAT32", "float64": "FLOAT64",
}
WIDTH = {
    "bool": 1, "int8": 1, "uint8": 1, "int16": 1, "uint16": 1, "float16": 1, "bcd16": 1, "int24": 2, "uint24": 2,
    "int32": 2, "uint32": 2, "float32": 2, "bcd32": 2, "int64": 4, "uint64": 4, "float64": 4, "bcd64": 4,
}
BITS = {"int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int24": 24, "uint24": 24, "int32": 32, "uint32": 32,
        "int64": 64, "uint64": 64}
FLOATS = {"float16": ">e", "float32": ">f", "float64": ">d"}
TYPES = sorted(WIDTH) + ["string", "hex"]
ORDERS = ["high-first", "low-first"]
framer = FramerRTU(DecodePDU(False))
count, seed = int(sys.argv[1]), int(sys.argv[2])
chance = random.Random(seed)
by_pymodbus = 0


def number(value: float) -> str:
    return "n:" + struct.pack(">d", value).hex()


def data_of(registers: list[int], byte_order: str, word_order: str) -> bytes:
    words = registers if word_order == "high-first" else registers[::-1]
    return b"".join(struct.pack(">H" if byte_order == "high-first" else "<H", word) for word in words)


def meaning(kind: str, registers: list[int], byte_order: str, word_order: str, start: int, length: int) -> str:
    global by_pymodbus
    data = data_of(registers, byte_order, word_order)
    if kind == "hex":
        return "t:" + data.hex().upper().encode().hex()
    if kind == "string":
        return "t:" + data.split(b"\0")[0].rstrip(b" \xff").hex()
    if kind in KNOWN and byte_order == "high-first" and start < 0:
        by_pymodbus += 1
        order = "big" if word_order == "high-first" else "little"
        found = ModbusClientMixin.convert_from_registers(
            registers, getattr(ModbusClientMixin.DATATYPE, KNOWN[kind]), word_order=order
        )
        return number(float(found))
    if kind in FLOATS:
        return number(struct.unpack(FLOATS[kind], data)[0])
    if kind.startswith("bcd"):
        digits = data.hex()
        return number(float(int(digits))) if digits.isdigit() else "-"
    whole = int.from_bytes(data, "big")
    if kind == "bool":
        return number(float((whole >> start & (1 << length) - 1 if start >= 0 else whole) != 0))
    width = BITS[kind]
    whole &= (1 << width) - 1
    if start >= 0:
        whole, width = whole >> start & (1 << length) - 1, length
    if kind.startswith("int") and whole >> width - 1:
        whole -= 1 << width
    return number(float(whole))


def word(kind: str) -> int:
    if kind.startswith("bcd") and chance.random() < 0.9:
        return int(str(chance.randrange(10_000)).zfill(4), 16)
    if kind == "string":
        return chance.randrange(0x20, 0x7F) << 8 | chance.choice([0, 0x20, 0x41, 0x7E, 0x39])
    # The corners are where orders and signs go wrong.
    return chance.choice([0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x00FF, 0xFF00, 0x7C00, 0x7F80]) if chance.random() < 0.2 \
        else chance.randrange(65_536)


def register_frame(kind: str) -> str:
    length = chance.randrange(1, 9) if kind in ("string", "hex") else 0
    width = length or WIDTH[kind]
    lead, trail = chance.randrange(4), chance.randrange(4)
    address = chance.randrange(0, 65_536 - width - lead - trail)
    registers = [word(kind) for _ in range(lead + width + trail)]
    byte_order, word_order = chance.choice(ORDERS), chance.choice(ORDERS)
    start, size = -1, -1
    top = 16 if kind == "bool" else BITS.get(kind, 0)
    if top and chance.random() < 0.4:
        start = chance.randrange(top)
        size = chance.randrange(1, top - start + 1)
    is_holding = chance.random() < 0.5
    ask = register_message.ReadHoldingRegistersRequest if is_holding else register_message.ReadInputRegistersRequest
    reply = register_message.ReadHoldingRegistersResponse if is_holding else register_message.ReadInputRegistersResponse
    unit = chance.randrange(1, 248)
    request = framer.buildFrame(ask(address=address, count=len(registers), dev_id=unit))
    response = framer.buildFrame(reply(registers=registers, dev_id=unit))
    used, read = framer.handleFrame(response, 0, 0)
    assert used == len(response) and read.dev_id == unit
    found = read.registers[lead:lead + width]
    told = meaning(kind, found, byte_order, word_order, start, size)
    return f"{'holding' if is_holding else 'input'} {address + lead} {kind} {byte_order} {word_order} {start} {size} " \
        f"{length} {request.hex()} {response.hex()} {told}"


def bit_frame() -> str:
    bits = [chance.random() < 0.5 for _ in range(chance.randrange(1, 60))]
    address = chance.randrange(0, 65_536 - len(bits))
    is_coil = chance.random() < 0.5
    ask = bit_message.ReadCoilsRequest if is_coil else bit_message.ReadDiscreteInputsRequest
    reply = bit_message.ReadCoilsResponse if is_coil else bit_message.ReadDiscreteInputsResponse
    request = framer.buildFrame(ask(address=address, count=len(bits), dev_id=1))
    response = framer.buildFrame(reply(bits=bits, dev_id=1))
    used, read = framer.handleFrame(response, 0, 0)
    assert used == len(response)
    place = chance.randrange(len(bits))
    return f"{'coil' if is_coil else 'discrete'} {address + place} bool high-first high-first -1 -1 0 " \
        f"{request.hex()} {response.hex()} {number(float(read.bits[place]))}"


for index in range(count):
    kind = TYPES[index % (len(TYPES) + 1)] if index % (len(TYPES) + 1) < len(TYPES) else ""
    print(register_frame(kind) if kind else bit_frame())
print(f"{count} frames, {by_pymodbus} of them decoded by pymodbus, the others by struct", file=sys.stderr)

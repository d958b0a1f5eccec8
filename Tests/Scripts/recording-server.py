#!/usr/bin/env python3
"""A Modbus TCP server by pymodbus that plays a recording: each read from register 0 is answered with the next row.

usage: recording-server.py RECORDING.csv PORT UNITS

The rows are dealt in consecutive slices to units 1 to UNITS; a unit stays on its last row. A field without a value is
the "no value" of its type: -32768, 65535 or NaN. Registers as in DeviceProfiles/uci-room-node-modbus.yaml.
"""
import asyncio
import csv
import struct
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

REGISTERS = 22


def hundredths(text: str) -> bytes:
    return struct.pack(">h", round(float(text) * 100) if text else -32768)


def whole(text: str) -> bytes:
    return struct.pack(">H", int(text) if text else 65535)


def registers(row: list[str], number: int) -> list[int]:
    values = row[2:]
    data = b"".join(hundredths(v) for v in values[0:4]) + b"".join(whole(v) for v in values[4:8])
    data += b"".join(hundredths(v) for v in values[8:12]) + whole(values[12])
    data += struct.pack(">d", float(values[13]) if values[13] else float("nan"))
    data += b"".join(whole(v) for v in values[14:17]) + struct.pack(">I", number)
    return list(struct.unpack(f">{REGISTERS}H", data))


class Tape:
    def __init__(self, rows: list[list[int]]):
        self.rows = rows
        self.next = 0

    async def action(self, function, start, address, count, current, set_values):
        if function == 3 and address == 0:
            row = self.rows[min(self.next, len(self.rows) - 1)]
            self.next += 1
            current[0 - start:REGISTERS - start] = row


async def main() -> None:
    path, port, units = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(path, newline="") as file:
        rows = [registers(row, number) for number, row in enumerate(list(csv.reader(file))[1:], start=1)]
    size = -(-len(rows) // units)
    devices = []
    for unit in range(units):
        tape = Tape(rows[unit * size:(unit + 1) * size])

        async def action(*arguments, tape=tape):
            return await tape.action(*arguments)

        devices.append(SimDevice(unit + 1, simdata=[
            SimData(0, values=[0] * REGISTERS, datatype=DataType.REGISTERS)], action=action))
    server = ModbusTcpServer(devices, address=("127.0.0.1", port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

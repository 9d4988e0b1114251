#!/usr/bin/env python3
"""Turns the reference vectors into seeds for the fuzz targets: make_seeds.py VECTORS FOLDER

FOLDER/xdr_fuzz   every StellarMessage of messages.jsonl and malformed.jsonl
FOLDER/link_fuzz  without keys, the frames of each handshake, as each side sends them: all in one input, and one by one;
                  and every well-formed message as a frame before authentication. With keys, every message as a frame
                  behind the handshake; and random commands.
FOLDER/*_fuzz     for the models, whose commands are bytes: some random ones, the same in every run
"""
import base64
import json
import pathlib
import random
import struct
import sys

# link_model.h: an even first byte, then the size of the pieces and the peer's bytes; an odd one, then commands: direction,
# a good HELLO, and for each frame 4, its size, its message, and 9 to deliver it.
RAW = b"\0"
KEYED = b"\1\0\0"

MODELS = ("link", "flood_gate", "tx_adverts", "tx_demands", "item_fetcher", "event_log", "flow_control")
MODEL_SEEDS = 32
MODEL_SEED_BYTES = 400


def main(vectors: pathlib.Path, folder: pathlib.Path) -> None:
    def write(target: str, name: str, data: bytes) -> None:
        place = folder / target
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)

    def messages(file: str) -> list[bytes]:
        lines = (vectors / file).read_text().splitlines()
        return [base64.b64decode(json.loads(line)["xdr"]) for line in lines]

    def keyed(name: str, xdr: bytes) -> None:
        if len(xdr) < 0x10000:
            write("link_fuzz", name, KEYED + b"\x04" + struct.pack(">H", len(xdr)) + xdr + b"\x09")

    well_formed = messages("messages.jsonl")
    for i, xdr in enumerate(well_formed):
        write("xdr_fuzz", f"message-{i}", xdr)
        body = struct.pack(">IQ", 0, 0) + xdr + bytes(32)
        keyed(f"keyed-message-{i}", xdr)
        write("link_fuzz", f"message-{i}", RAW + b"\xff" + struct.pack(">I", 0x80000000 | len(body)) + body)
    for i, xdr in enumerate(messages("malformed.jsonl")):
        write("xdr_fuzz", f"malformed-{i}", xdr)
        keyed(f"keyed-malformed-{i}", xdr)
    for i, handshake in enumerate(json.loads((vectors / "handshake.json").read_text())):
        for side in ("initiator", "responder"):
            frames = [bytes.fromhex(step["frame"]) for step in handshake["transcript"] if step["from"] == side]
            write("link_fuzz", f"handshake-{i}-{side}", RAW + b"\xff" + b"".join(frames))
            for k, frame in enumerate(frames):
                write("link_fuzz", f"handshake-{i}-{side}-{k}", RAW + b"\x10" + frame)
    for model in MODELS:
        chance = random.Random(model)
        for i in range(MODEL_SEEDS):
            write(f"{model}_fuzz", f"random-{i}", chance.randbytes(MODEL_SEED_BYTES))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: make_seeds.py VECTORS FOLDER")
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))

"""A SIP phone over UDP with aiortc as its media, for one call. `rtc_phone.py ADDRESS PORT HZ FILE.wav`: answers an INVITE, or dials when `dial URI`
is read from standard input; `hangup` ends the call. Prints a JSON object a line."""

import asyncio
import fractions
import json
import re
import secrets
import sys
import wave

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

RATE, FRAME = 48000, 960


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, hz):
        super().__init__()
        self.hz, self.sent, self.start = hz, 0, None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.start = self.start or loop.time()
        await asyncio.sleep(max(0, self.start + self.sent / RATE - loop.time()))
        samples = 8000 * np.sin(2 * np.pi * self.hz * (self.sent + np.arange(FRAME)) / RATE)
        frame = av.AudioFrame.from_ndarray(samples.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.sent, fractions.Fraction(1, RATE)
        self.sent += FRAME
        return frame


class Phone(asyncio.DatagramProtocol):
    def __init__(self, address, port, hz, file):
        self.address, self.port, self.hz, self.file = address, port, hz, file
        self.replies, self.transport, self.call, self.writer, self.done = {}, None, None, None, asyncio.Event()

    def connection_made(self, transport):
        self.transport = transport
        tell("ready")

    # Media

    def connection(self):
        made = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        made.addTrack(Tone(self.hz))
        made.on("track", lambda track: asyncio.ensure_future(self.record(track)))
        made.on("connectionstatechange", lambda: tell("connection", state=made.connectionState))
        return made

    async def record(self, track):
        self.writer = wave.open(self.file, "wb")
        self.writer.setnchannels(1)
        self.writer.setsampwidth(2)
        self.writer.setframerate(RATE)
        frames = 0
        try:
            while True:
                frame = await track.recv()
                samples = frame.to_ndarray().reshape(-1)
                self.writer.writeframes(samples[::len(frame.layout.channels)].astype("<i2").tobytes())
                frames += 1
                if frames == 50:
                    tell("heard")
        except MediaStreamError:
            pass

    async def figures(self):
        report = await self.call["media"].getStats()
        found = {entry.type: {name: value for name, value in vars(entry).items() if isinstance(value, (int, float, str))} for entry in report.values()}
        tell("figures", figures=found)

    # SIP

    def datagram_received(self, data, source):
        text = data.decode("utf-8", "replace")
        if text.strip():
            asyncio.ensure_future(self.take(text, source))

    @staticmethod
    def fields(text, name):
        return re.findall(rf"^{name}\s*:\s*(.*?)\r?$", text.partition("\r\n\r\n")[0], re.IGNORECASE | re.MULTILINE)

    def send(self, first, lines, body, target):
        head = [first, *lines] + (["Content-Type: application/sdp"] if body else []) + [f"Content-Length: {len(body.encode())}"]
        self.transport.sendto(("\r\n".join(head) + "\r\n\r\n" + body).encode(), target)

    async def take(self, text, source):
        first = text.split("\r\n", 1)[0]
        if first.startswith("SIP/2.0"):
            status = int(first.split()[1])
            waiting = self.replies.get(self.fields(text, "CSeq")[0])
            if waiting and status >= 200 and not waiting.done():
                waiting.set_result((status, text))
            return
        method = first.split()[0]
        if method == "INVITE" and not self.call:
            self.call = {"tag": secrets.token_hex(4), "media": self.connection(), "peer": source, "number": 0}
            self.reply(text, 180, "Ringing", source)
            await self.call["media"].setRemoteDescription(RTCSessionDescription(text.partition("\r\n\r\n")[2], "offer"))
            await self.call["media"].setLocalDescription(await self.call["media"].createAnswer())
            self.call.update(local=self.fields(text, "To")[0] + f";tag={self.call['tag']}", remote=self.fields(text, "From")[0],
                             id=self.fields(text, "Call-ID")[0], target=re.search(r"<([^>]+)>", self.fields(text, "Contact")[0])[1])
            self.call["answer"] = self.call["media"].localDescription.sdp
            self.reply(text, 200, "OK", source, self.call["answer"])
            tell("answered")
        elif method == "INVITE" and self.call.get("answer"):
            self.reply(text, 200, "OK", source, self.call["answer"])
        elif method == "BYE":
            self.reply(text, 200, "OK", source)
            await self.end("remote")
        elif method not in ("ACK", "INVITE"):
            self.reply(text, 501, "Not Implemented", source)

    def reply(self, request, status, reason, source, body=""):
        to = self.fields(request, "To")[0]
        lines = [f"Via: {via}" for via in self.fields(request, "Via")]
        lines += [f"From: {self.fields(request, 'From')[0]}", f"To: {to}" + ("" if "tag=" in to else f";tag={self.call['tag']}"),
                  f"Call-ID: {self.fields(request, 'Call-ID')[0]}", f"CSeq: {self.fields(request, 'CSeq')[0]}",
                  f"Contact: <sip:rtc@{self.address}:{self.port}>"]
        self.send(f"SIP/2.0 {status} {reason}", lines, body, source)

    def write(self, method, body=""):
        call = self.call
        lines = [f"Via: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport", "Max-Forwards: 70",
                 f"From: {call['local']}", f"To: {call['remote']}", f"Call-ID: {call['id']}", f"CSeq: {call['number']} {method}",
                 f"Contact: <sip:rtc@{self.address}:{self.port}>"]
        return lambda: self.send(f"{method} {call['target']} SIP/2.0", lines, body, call["peer"])

    async def request(self, method, body=""):
        self.call["number"] += 1
        write = self.write(method, body)
        waiting = self.replies[f"{self.call['number']} {method}"] = asyncio.get_running_loop().create_future()
        for _ in range(20):
            write()
            try:
                return await asyncio.wait_for(asyncio.shield(waiting), 0.5)
            except asyncio.TimeoutError:
                continue
        return 408, ""

    async def dial(self, uri):
        host, port = re.search(r"@([^:;>]+):(\d+)", uri).groups()
        self.call = {"media": self.connection(), "peer": (host, int(port)), "target": uri, "remote": f"<{uri}>", "number": 0,
                     "local": f"<sip:rtc@{self.address}>;tag={secrets.token_hex(4)}", "id": secrets.token_hex(10)}
        media = self.call["media"]
        await media.setLocalDescription(await media.createOffer())
        status, text = await self.request("INVITE", media.localDescription.sdp)
        if status == 200:
            self.call.update(remote=self.fields(text, "To")[0], target=re.search(r"<([^>]+)>", self.fields(text, "Contact")[0])[1])
            self.write("ACK")()
            await media.setRemoteDescription(RTCSessionDescription(text.partition("\r\n\r\n")[2], "answer"))
        tell("answered" if status == 200 else "refused", status=status)

    async def end(self, by):
        if self.done.is_set():
            return
        await self.figures()
        await self.call["media"].close()
        if self.writer:
            self.writer.close()
        tell("ended", by=by)
        self.done.set()


async def main():
    address, port, hz, file = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    loop = asyncio.get_running_loop()
    _, phone = await loop.create_datagram_endpoint(lambda: Phone(address, port, hz, file), local_addr=(address, port))
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def commands():
        while line := (await reader.readline()).decode().strip():
            if line.startswith("dial "):
                await phone.dial(line[5:])
            elif line == "hangup":
                await phone.request("BYE")
                await phone.end("local")

    working = asyncio.ensure_future(commands())
    await phone.done.wait()
    working.cancel()


asyncio.run(main())

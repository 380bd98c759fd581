"""Moving pictures: IVF files made and read, their frames decoded by FFmpeg (PyAV), their colours compared."""

import struct

import av
import numpy as np

# The bars of `peers/page/picture.js`.
BARS = [[200, 30, 30], [30, 200, 30], [30, 30, 200]]
# Another picture than the browser's own.
STRIPES = [[220, 200, 40], [40, 180, 200], [180, 40, 180]]


def make_ivf(path, bars, seconds=2, rate=20, size=(320, 240), key_every=20):
    """Bars of these colours with a white block that moves along the bottom."""
    width, height = size
    with av.open(str(path), "w", format="ivf") as container:
        stream = container.add_stream("libvpx", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 500_000
        stream.options = {"deadline": "realtime", "cpu-used": "8", "g": str(key_every), "lag-in-frames": "0", "auto-alt-ref": "0"}
        for count in range(seconds * rate):
            frame = np.zeros((height, width, 3), np.uint8)
            for index, colour in enumerate(bars):
                frame[:, index * width // 3:(index + 1) * width // 3] = colour
            at = count * 8 % (width - 40)
            frame[height - 40:, at:at + 40] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def read_ivf(path):
    """(timestamp, bytes) of each frame, by the format alone."""
    data = open(path, "rb").read()
    assert data[:4] == b"DKIF" and data[8:12] == b"VP80", data[:32]
    count, = struct.unpack_from("<I", data, 24)
    frames, at = [], struct.unpack_from("<H", data, 6)[0]
    while at < len(data):
        size, time = struct.unpack_from("<IQ", data, at)
        assert size and at + 12 + size <= len(data), f"the frame at byte {at} is cut off"
        frames.append((time, data[at + 12:at + 12 + size]))
        at += 12 + size
    assert count == len(frames), f"the header says {count} frames, there are {len(frames)}"
    return frames


def colours(image, columns=3, rows=1):
    """Mean [r, g, b] of the middle of each cell of an array of height × width × 3."""
    height, width = image.shape[0] / rows, image.shape[1] / columns
    found = []
    for row in range(rows):
        for column in range(columns):
            cell = image[int((row + 0.25) * height):int((row + 0.75) * height), int((column + 0.25) * width):int((column + 0.75) * width)]
            found.append([round(float(value)) for value in cell.reshape(-1, 3).mean(axis=0)])
    return found


def decoded(path):
    """Every frame of a file as RGB; FFmpeg complains about what cannot be decoded."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def near(found, wanted, tolerance=60):
    return all(abs(a - b) <= tolerance for cell, other in zip(found, wanted) for a, b in zip(cell, other))


def changes(images):
    """How many of the pictures differ from the one before them by more than noise."""
    return sum(float(np.abs(one.astype(int) - other.astype(int)).mean()) > 0.5 for one, other in zip(images, images[1:]))

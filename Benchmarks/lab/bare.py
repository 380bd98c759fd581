"""Codecs with nothing around them: libopus by ctypes."""

import ctypes
import ctypes.util
import math
import time

RATE, FRAME = 48000, 960
SET_BITRATE, SET_COMPLEXITY, SET_FEC, SET_LOSS, SET_SIGNAL = 4002, 4010, 4012, 4014, 4024
VOIP, VOICE = 2048, 3001


def opus_seconds_per_minute(seconds=10, complexity=5, bitrate=32000):
    """CPU seconds that one minute of encoding a tone and decoding it takes libopus with Sidetone's settings."""
    library = ctypes.CDLL(ctypes.util.find_library("opus"))
    code = ctypes.c_int()
    library.opus_encoder_create.restype = library.opus_decoder_create.restype = ctypes.c_void_p
    encoder = ctypes.c_void_p(library.opus_encoder_create(RATE, 1, VOIP, ctypes.byref(code)))
    decoder = ctypes.c_void_p(library.opus_decoder_create(RATE, 1, ctypes.byref(code)))
    for request, value in ((SET_SIGNAL, VOICE), (SET_BITRATE, bitrate), (SET_COMPLEXITY, complexity), (SET_FEC, 1), (SET_LOSS, 10)):
        assert library.opus_encoder_ctl(encoder, request, ctypes.c_int(value)) == 0
    count = seconds * RATE // FRAME
    frames = [(ctypes.c_int16 * FRAME)(*(round(8230 * math.sin(2 * math.pi * 440 * (at * FRAME + n) / RATE)) for n in range(FRAME)))
              for at in range(50)]
    payload, output = (ctypes.c_ubyte * 1275)(), (ctypes.c_int16 * 5760)()
    before = time.thread_time()
    for number in range(count):
        size = library.opus_encode(encoder, frames[number % 50], FRAME, payload, 1275)
        assert size > 0 and library.opus_decode(decoder, payload, size, output, 5760, 0) == FRAME
    used = time.thread_time() - before
    library.opus_encoder_destroy(encoder)
    library.opus_decoder_destroy(decoder)
    return used / seconds * 60

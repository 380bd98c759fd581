"""What was heard: WAV files read back, tones found, speech compared. Levels in dBFS, a full-scale sine is −3 dB."""

import struct
import wave

import numpy as np


def read_wav(path):
    """(rate, samples −1…1, first channel). Also reads a file whose sizes were not written yet."""
    data = open(path, "rb").read()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise AssertionError(f"{path}: not a WAV file ({len(data)} bytes)")
    at, form = 12, None
    while at + 8 <= len(data):
        tag, size = data[at:at + 4], struct.unpack("<I", data[at + 4:at + 8])[0]
        if tag == b"fmt ":
            form = struct.unpack("<HHIIHH", data[at + 8:at + 24])
        elif tag == b"data":
            body = data[at + 8:at + 8 + size] if 0 < size <= len(data) - at - 8 else data[at + 8:]
            samples = np.frombuffer(body[:len(body) // 2 * 2], dtype="<i2").astype(float) / 32768
            return form[2], samples[::form[1]]
        at += 8 + size + (size & 1)
    raise AssertionError(f"{path}: no data")


def write_wav(path, rate, samples, channels=1):
    pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(pcm, channels).tobytes())


def tone(hz, seconds, rate=48000, amplitude=0.25):
    return amplitude * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)


def level(samples):
    """RMS in dBFS."""
    return 20 * np.log10(max(1e-9, float(np.sqrt(np.mean(np.square(samples))))) ) if len(samples) else -180.0


def dominant(samples, rate):
    """(frequency in Hz, what it stands out by in dB) of the strongest line."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    strongest = int(np.argmax(spectrum))
    near = np.abs(frequencies - frequencies[strongest]) < 15
    return float(frequencies[strongest]), 10 * np.log10(max(1e-12, spectrum[near].sum()) / max(1e-12, spectrum[~near].sum()))


def resampled(samples, rate, wanted):
    """Band-limited, by cutting or padding the spectrum; the whole clip at once."""
    if rate == wanted:
        return np.asarray(samples, float)
    count = int(round(len(samples) * wanted / rate))
    spectrum = np.fft.rfft(samples)
    bins = count // 2 + 1
    spectrum = spectrum[:bins] if bins <= len(spectrum) else np.pad(spectrum, (0, bins - len(spectrum)))
    return np.fft.irfft(spectrum, count) * (count / len(samples))


def telephone_band(samples, rate):
    """300–3400 Hz. Below it Opus's speech mode turns the phase of the fundamental, which no ear minds and every correlation does."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    return np.fft.irfft(spectrum, len(samples))


def best_match(part, heard):
    """The largest normalised correlation of `part` anywhere in `heard`."""
    if len(heard) < len(part):
        return 0.0
    size = 1 << int(np.ceil(np.log2(len(heard) + len(part))))
    cross = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(part, size)), size)[:len(heard) - len(part) + 1]
    energy = np.concatenate(([0.0], np.cumsum(np.square(heard))))
    norm = np.sqrt(np.maximum(1e-12, (energy[len(part):] - energy[:-len(part)]) * np.sum(np.square(part))))
    return float(np.max(cross / norm))


def similarity(said, said_rate, heard, heard_rate, window=0.25, rate=8000):
    """Median over the loud windows of what was said of their best match in what was heard, 0…1; delay does not matter.
    Short windows and the median, because a jitter buffer that adapts cuts out or puts in a few milliseconds now and then."""
    a, b = (telephone_band(resampled(samples, own, rate), rate) for samples, own in ((said, said_rate), (heard, heard_rate)))
    size = int(window * rate)
    parts = [a[i:i + size] for i in range(0, len(a) - size + 1, size)]
    loud = [part for part in parts if level(part) > level(a) - 6]
    if not loud:
        raise AssertionError("nothing was said")
    return float(np.median([best_match(part, b) for part in loud]))


def assert_tone(path, hz, seconds=1.5, snr=15.0, least=-40.0):
    """The last `seconds` of the file are this tone, `snr` dB over everything else."""
    rate, samples = read_wav(path)
    assert len(samples) >= rate * seconds, f"{path}: only {len(samples) / rate:.2f} s were heard"
    end = samples[-int(rate * seconds):]
    found, ratio = dominant(end, rate)
    assert abs(found - hz) < 5 and ratio >= snr and level(end) > least, (
        f"{path}: {found:.1f} Hz at {level(end):.1f} dBFS, {ratio:.1f} dB over the rest; wanted {hz} Hz, {snr} dB")

"""SRTP and SRTCP of a captured call, decrypted with the key log: DTLS 1.2's exporter (RFC 5705, RFC 5764), SRTP's key derivation and both families of
ciphers (RFC 3711, RFC 7714). Written for the test alone, so that another program than the one under test reads what it sent."""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LABEL = b"EXTRACTOR-dtls_srtp"

# RFC 5764 §4.1.2, RFC 7714 §14.2: (name, bytes of key, bytes of salt, authenticated by GCM)
PROFILES = {1: ("AES_CM_128_HMAC_SHA1_80", 16, 14, False), 2: ("AES_CM_128_HMAC_SHA1_32", 16, 14, False),
            7: ("AEAD_AES_128_GCM", 16, 12, True), 8: ("AEAD_AES_256_GCM", 32, 12, True)}


def _prf(secret, seed, size, digest):
    """P_hash of RFC 5246 §5."""
    found, chain = b"", seed
    while len(found) < size:
        chain = hmac.digest(secret, chain, digest)
        found += hmac.digest(secret, chain + seed, digest)
    return found[:size]


def _keystream(key, block, data):
    return Cipher(algorithms.AES(key), modes.CTR(block)).encryptor().update(data)


class Keys:
    """Derived from a sender's master key and salt with three labels: of encryption, authentication and salt."""

    def __init__(self, profile, key, salt, labels):
        self.name, size, salt_size, self.aead = PROFILES[profile]
        self.key, self.authentication, self.salt = (self._derive(key, salt, label, length) for label, length in zip(labels, (size, 20, salt_size)))

    @staticmethod
    def _derive(key, salt, label, size):
        """RFC 3711 §4.3.1 with a key derivation rate of 0; a salt of 12 bytes stands before two of zero (RFC 7714 §11)."""
        start = bytearray(salt.ljust(14, b"\0") + b"\0\0")
        start[7] ^= label
        return _keystream(key, bytes(start), bytes(size))


class Direction(Keys):
    """The SRTCP keys of one sender."""

    def __init__(self, profile, key, salt):
        super().__init__(profile, key, salt, (3, 4, 5))

    def decrypt(self, packet):
        """The RTCP compound in clear; an AssertionError when the packet is not authentic."""
        return self._decrypt_gcm(packet) if self.aead else self._decrypt_cm(packet)

    def _decrypt_gcm(self, packet):
        """RFC 7714 §9: the index is the last word, and authenticated together with the header."""
        index = packet[-4:]
        assert index[0] & 0x80, "not encrypted"
        plain = packet[4:8]
        nonce = b"\0\0" + plain + b"\0\0" + struct.pack("!I", struct.unpack("!I", index)[0] & 0x7FFFFFFF)
        nonce = bytes(a ^ b for a, b in zip(nonce, self.salt))
        return packet[:8] + AESGCM(self.key).decrypt(nonce, packet[8:-4], packet[:8] + index)

    def _decrypt_cm(self, packet):
        """RFC 3711 §3.4, with the tag of 80 bits that SRTCP always has."""
        body, tag = packet[:-10], packet[-10:]
        assert hmac.compare_digest(hmac.digest(self.authentication, body, "sha1")[:10], tag), "the tag is wrong"
        index = struct.unpack("!I", body[-4:])[0]
        assert index >> 31, "not encrypted"
        counter = int.from_bytes(self.salt, "big") << 16
        counter ^= int.from_bytes(packet[4:8], "big") << 64
        counter ^= (index & 0x7FFFFFFF) << 16
        return packet[:8] + _keystream(self.key, counter.to_bytes(16, "big"), body[8:-4])


class MediaDirection(Keys):
    """The SRTP keys of one sender, and how often the sequence numbers of each of its sources have begun anew: packets are taken in order."""

    def __init__(self, profile, key, salt):
        super().__init__(profile, key, salt, (0, 1, 2))
        self.highest = {}

    def decrypt(self, packet):
        """The RTP packet in clear; an AssertionError or InvalidTag when it is not authentic."""
        sequence, ssrc = int.from_bytes(packet[2:4], "big"), packet[8:12]
        highest = self.highest.get(ssrc, sequence)
        index = highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
        assert index >= 0
        self.highest[ssrc] = max(highest, index)
        start = 12 + 4 * (packet[0] & 15)
        if packet[0] & 0x10:
            start += 4 + 4 * int.from_bytes(packet[start + 2:start + 4], "big")
        head = packet[:start]
        if self.aead:
            nonce = bytes(a ^ b for a, b in zip(b"\0\0" + ssrc + index.to_bytes(6, "big"), self.salt))
            return head + AESGCM(self.key).decrypt(nonce, packet[start:], head)
        size = 4 if self.name.endswith("_32") else 10
        body, tag = packet[:-size], packet[-size:]
        signed = body + (index >> 16).to_bytes(4, "big")
        assert hmac.compare_digest(hmac.digest(self.authentication, signed, "sha1")[:size], tag), "the tag is wrong"
        counter = int.from_bytes(self.salt, "big") << 16
        counter ^= int.from_bytes(ssrc, "big") << 64
        counter ^= index << 16
        return head + _keystream(self.key, counter.to_bytes(16, "big"), body[start:])


def _hellos(datagrams):
    """(client's address, its random), and (server's address, its random, cipher suite, SRTP profile), from the handshake in clear."""
    client = server = None
    for datagram in datagrams:
        data, at = datagram.payload, 0
        while at + 25 <= len(data) and data[at] == 22 and data[at + 3:at + 5] == b"\0\0":
            size = int.from_bytes(data[at + 11:at + 13], "big")
            record = data[at + 13:at + 13 + size]
            whole, offset = int.from_bytes(record[1:4], "big"), int.from_bytes(record[6:9], "big")
            if record[0] == 1 and offset == 0:
                client = (datagram.source, record[14:46])
            elif record[0] == 2 and offset == 0 and len(record) >= 12 + whole:
                server = (datagram.source, *_server_hello(record[12:]))
            at += 13 + size
    assert client and server, "no DTLS handshake in the capture"
    return client, server


def _server_hello(body):
    random, at = body[2:34], 35 + body[34]
    suite = int.from_bytes(body[at:at + 2], "big")
    at += 5
    while at + 4 <= len(body):
        kind, size = struct.unpack_from("!HH", body, at)
        if kind == 14:
            return random, suite, int.from_bytes(body[at + 6:at + 8], "big")
        at += 4 + size
    raise AssertionError("the ServerHello chooses no SRTP profile")


# The suites of RFC 5289 and RFC 7905 that a phone would take, by the hash of their PRF.
SHA384 = {0xC02C, 0xC030, 0xC024, 0xC028}


class Decryption:
    """The keys of the one association in `datagrams`. `profile` is the name of its SRTP profile."""

    def __init__(self, datagrams, key_log):
        (self.client, client_random), (self.server, server_random, suite, profile) = _hellos(datagrams)
        secrets = dict(line.split()[1:3] for line in key_log.splitlines() if line.startswith("CLIENT_RANDOM "))
        secret = secrets.get(client_random.hex()) or secrets.get(client_random.hex().upper())
        assert secret, f"the key log does not have this handshake: {key_log!r}"
        self.profile, key, salt, _ = PROFILES[profile]
        seed = LABEL + client_random + server_random
        material = _prf(bytes.fromhex(secret), seed, 2 * (key + salt), "sha384" if suite in SHA384 else "sha256")
        keys, salts = (material[:key], material[key:2 * key]), (material[2 * key:2 * key + salt], material[2 * key + salt:])
        self.of_client, self.of_server = (Direction(profile, *pair) for pair in zip(keys, salts))
        self.media_of_client, self.media_of_server = (MediaDirection(profile, *pair) for pair in zip(keys, salts))

    def media(self, datagrams):
        """(datagram, its RTP packet in clear) for each SRTP packet between the two, in the order of the capture; once."""
        directions = {(self.client, self.server): self.media_of_client, (self.server, self.client): self.media_of_server}
        for datagram in datagrams:
            direction = directions.get((datagram.source, datagram.target))
            if direction and datagram.is_rtp:
                yield datagram, direction.decrypt(datagram.payload)

    def reports(self, datagrams):
        """(datagram, its RTCP in clear) for each SRTCP packet between the two: the first bytes of anything else, DNS say, may look like one."""
        directions = {(self.client, self.server): self.of_client, (self.server, self.client): self.of_server}
        for datagram in datagrams:
            direction = directions.get((datagram.source, datagram.target))
            if direction and datagram.is_rtcp:
                yield datagram, direction.decrypt(datagram.payload)


def packets(compound):
    """(type, count or format, the whole packet) of each RTCP packet of a compound, by their length fields alone."""
    found, at = [], 0
    while at < len(compound):
        first, kind, words = struct.unpack_from("!BBH", compound, at)
        size = 4 * (words + 1)
        assert first >> 6 == 2 and at + size <= len(compound), f"not RTCP at byte {at}"
        found.append((kind, first & 31, compound[at:at + size]))
        at += size
    return found


def write_pcap(path, rows):
    """`rows` of (datagram, payload) as UDP over IPv4 (link type 228), for tshark."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 228))
        for datagram, payload in rows:
            addresses = b"".join(bytes(map(int, end[0].split("."))) for end in (datagram.source, datagram.target))
            udp = struct.pack("!HHHH", datagram.source[1], datagram.target[1], 8 + len(payload), 0) + payload
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
            seconds = int(datagram.time)
            file.write(struct.pack("<IIII", seconds, int((datagram.time - seconds) * 1e6), len(head + udp), len(head + udp)) + head + udp)

"use strict";
// MD5 (RFC 1321) as hexadecimal digits: digest authentication needs it and crypto.subtle has none.
function md5(text) {
  const bytes = [...new TextEncoder().encode(text)];
  const bits = bytes.length * 8;
  bytes.push(0x80);
  while (bytes.length % 64 !== 56) bytes.push(0);
  for (let i = 0; i < 8; i++) bytes.push(Math.floor(bits / 2 ** (8 * i)) & 255);
  const turns = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
  const mix = [(b, c, d) => (b & c) | (~b & d), (b, c, d) => (d & b) | (~d & c), (b, c, d) => b ^ c ^ d, (b, c, d) => c ^ (b | ~d)];
  const pick = [i => i, i => 5 * i + 1, i => 3 * i + 5, i => 7 * i];
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let start = 0; start < bytes.length; start += 64) {
    const word = i => new DataView(new Uint8Array(bytes.slice(start + 4 * i, start + 4 * i + 4)).buffer).getInt32(0, true);
    let [a, b, c, d] = state;
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const sum = (a + mix[round](b, c, d) + Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1))) + word(pick[round](i) % 16)) | 0;
      const turn = turns[round][i % 4];
      [a, d, c, b] = [d, c, b, (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0];
    }
    [a, b, c, d].forEach((value, i) => { state[i] = (state[i] + value) | 0; });
  }
  return state.map(value => [0, 8, 16, 24].map(by => ((value >>> by) & 255).toString(16).padStart(2, "0")).join("")).join("");
}

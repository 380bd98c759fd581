"use strict";
// The browser's half of video: what it sends (its fake camera, or a drawn pattern), and what can be seen of what it gets.

// Three bars and a white block that moves along the bottom, so that a still picture is known from a moving one.
const BARS = ["rgb(200,30,30)", "rgb(30,200,30)", "rgb(30,30,200)"];

class Pattern {
  constructor(width = 320, height = 240) {
    this.canvas = Object.assign(document.createElement("canvas"), { width, height });
    this.context = this.canvas.getContext("2d");
    this.count = 0;
    this.draw();
    this.timer = setInterval(() => this.draw(), 50);
    this.stream = this.canvas.captureStream(20);
  }

  draw() {
    const { width, height } = this.canvas;
    BARS.forEach((colour, index) => {
      this.context.fillStyle = colour;
      this.context.fillRect(Math.floor(index * width / 3), 0, Math.ceil(width / 3), height);
    });
    this.context.fillStyle = "white";
    this.context.fillRect((this.count++ * 8) % width, height - 40, 40, 40);
  }

  stop() { clearInterval(this.timer); }
}

// Coarse noise, another each time: as much to send as the browser dares.
class Noise extends Pattern {
  constructor() { super(640, 480); }

  draw() {
    const [width, height] = [160, 120];
    this.pictures ??= Array.from({ length: 8 }, () => {
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const pixels = new ImageData(Uint8ClampedArray.from({ length: width * height * 4 }, () => Math.random() * 256).map((v, i) => i % 4 === 3 ? 255 : v), width);
      canvas.getContext("2d").putImageData(pixels, 0, 0);
      return canvas;
    });
    this.context.drawImage(this.pictures[this.count++ % this.pictures.length], 0, 0, this.canvas.width, this.canvas.height);
  }
}

// Mean colours [r, g, b] of a grid of cells of what a video element shows now; null before its first picture.
function colours(video, columns, rows) {
  if (!video.videoWidth) return null;
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0);
  const found = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      // The middle of the cell: borders are soft.
      const [w, h] = [canvas.width / columns, canvas.height / rows];
      const { data } = context.getImageData(column * w + w / 4, row * h + h / 4, Math.max(1, w / 2), Math.max(1, h / 2));
      const sum = [0, 0, 0];
      for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += data[i + c];
      found.push(sum.map(value => Math.round(value / (data.length / 4))));
    }
  }
  return found;
}

class Picture {
  // `source`: "camera" is the browser's fake device, "pattern" the bars, "noise" what needs many bits; null sends nothing.
  constructor(source) {
    this.source = source;
    this.screen = document.getElementById("screen");
    this.mirror = document.getElementById("mirror");
    this.seen = [];
  }

  async open(connection) {
    if (!this.source) return;
    if (this.source === "pattern") this.pattern = new Pattern();
    if (this.source === "noise") this.pattern = new Noise();
    this.stream = this.pattern ? this.pattern.stream
      : await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240, frameRate: 20 } });
    this.mirror.srcObject = this.stream;
    for (const track of this.stream.getVideoTracks()) connection.addTrack(track, this.stream);
    // What the browser sees of itself, to be held against what somebody recorded.
    this.timer = setInterval(() => {
      const now = colours(this.mirror, 3, 1);
      if (now) this.seen.push(now);
    }, 100);
  }

  show(track) { this.screen.srcObject = new MediaStream([track]); }
  colours(columns = 3, rows = 1) { return colours(this.screen, columns, rows); }

  // Only VP8 and what repairs it, whatever the browser would choose.
  prefer(connection) {
    for (const transceiver of connection.getTransceivers()) {
      if (transceiver.receiver.track.kind !== "video" || !transceiver.setCodecPreferences) continue;
      const known = RTCRtpReceiver.getCapabilities("video").codecs;
      transceiver.setCodecPreferences(known.filter(codec => /VP8|rtx/i.test(codec.mimeType)));
    }
  }

  close() {
    clearInterval(this.timer);
    if (this.pattern) this.pattern.stop();
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
  }
}

"use strict";
// The browser's half of the media: one RTCPeerConnection with the fake microphone, and what can be measured on it.
class Media {
  constructor(configuration, video = null) {
    this.picture = video ? new Picture(video === "watch" ? null : video) : null;
    this.firstMedia = this.firstRoundTrip = null;
    this.kept = null;
    this.connection = new RTCPeerConnection(configuration);
    this.connection.ontrack = event => {
      if (event.track.kind === "video") {
        if (this.picture) this.picture.show(event.track);
        return;
      }
      const stream = new MediaStream([event.track]);
      document.getElementById("speaker").srcObject = stream;
      this.analyse(stream);
    };
    // Told each candidate, and null after the last.
    this.onCandidate = () => {};
    this.connection.onicecandidate = event => this.onCandidate(event.candidate && event.candidate.candidate ? event.candidate : null);
    this.watch = setInterval(() => this.look(), 200);
  }

  async openMicrophone() {
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
    for (const track of this.stream.getTracks()) this.connection.addTrack(track, this.stream);
    if (this.picture) await this.picture.open(this.connection);
  }

  // All candidates are in the description, unless they trickle.
  async gathered() {
    const connection = this.connection;
    if (this.trickles) return connection.localDescription.sdp;
    if (connection.iceGatheringState !== "complete") {
      await new Promise(done => {
        connection.addEventListener("icegatheringstatechange", () => { if (connection.iceGatheringState === "complete") done(); });
      });
    }
    return connection.localDescription.sdp;
  }

  async offer() {
    if (this.picture) {
      if (!this.picture.source && !this.connection.getTransceivers().some(item => item.receiver.track.kind === "video")) {
        this.connection.addTransceiver("video", { direction: "recvonly" });
      }
      this.picture.prefer(this.connection);
    }
    await this.connection.setLocalDescription(await this.connection.createOffer());
    return this.gathered();
  }

  async answer(sdp) {
    await this.connection.setRemoteDescription({ type: "offer", sdp });
    await this.connection.setLocalDescription(await this.connection.createAnswer());
    return this.gathered();
  }

  accept(sdp) {
    return this.connection.setRemoteDescription({ type: "answer", sdp });
  }

  // Figures

  async figures() {
    const found = [];
    (await this.connection.getStats()).forEach(entry => found.push(entry));
    return { time: Date.now(), state: this.connection.connectionState, entries: found };
  }

  // When the first packet came in, and when the first round-trip time was there.
  async look() {
    if (this.connection.connectionState === "closed") return;
    const { time, entries } = await this.figures();
    const has = (type, field) => entries.some(entry => entry.type === type && entry.kind === "audio" && entry[field]);
    if (!this.firstMedia && has("inbound-rtp", "packetsReceived")) this.firstMedia = time;
    if (!this.firstRoundTrip && has("remote-inbound-rtp", "roundTripTime")) this.firstRoundTrip = time;
  }

  analyse(stream) {
    this.context = new AudioContext();
    this.analyser = new AnalyserNode(this.context, { fftSize: 16384, smoothingTimeConstant: 0 });
    this.context.createMediaStreamSource(stream).connect(this.analyser);
    this.context.resume();
  }

  // The strongest line of what is heard now: its frequency in Hz, and its share of all the energy, 0…1.
  sound() {
    if (!this.analyser || this.context.state !== "running") return { frequency: 0, share: 0, context: this.context && this.context.state };
    const levels = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(levels);
    const energy = levels.map(level => 10 ** (level / 10));
    let strongest = 1;
    for (let i = 1; i < energy.length; i++) if (energy[i] > energy[strongest]) strongest = i;
    const sum = (from, to) => energy.slice(Math.max(0, from), to).reduce((total, value) => total + value, 0);
    return {
      frequency: strongest * this.context.sampleRate / this.analyser.fftSize,
      share: sum(strongest - 5, strongest + 6) / Math.max(1e-20, sum(0, energy.length)),
      level: levels[strongest],
    };
  }

  // Keeps the last figures: a closed connection has none.
  async close() {
    clearInterval(this.watch);
    this.kept = this.kept || await this.figures();
    if (this.picture) this.picture.close();
    if (this.context) this.context.close();
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    this.connection.close();
  }
}

"use strict";
// The page of click to call: a SIP user agent over WebSocket (RFC 7118) that can do one thing, one call to the phone that served the page.

const letters = count => [...crypto.getRandomValues(new Uint8Array(count))].map(byte => (byte % 36).toString(36)).join("");
const byId = id => document.getElementById(id);

// One SIP message as it came.
class Message {
  constructor(text) {
    const end = text.indexOf("\r\n\r\n");
    const [first, ...lines] = (end < 0 ? text : text.slice(0, end)).split("\r\n");
    this.body = end < 0 ? "" : text.slice(end + 4);
    this.fields = new Map();
    for (const line of lines) {
      const colon = line.indexOf(":");
      if (colon < 1) continue;
      const name = line.slice(0, colon).trim().toLowerCase();
      this.fields.set(name, [...(this.fields.get(name) || []), line.slice(colon + 1).trim()]);
    }
    const status = /^SIP\/2\.0 (\d{3}) ?(.*)/.exec(first);
    this.status = status ? Number(status[1]) : 0;
    this.reason = status ? status[2] : "";
    [this.number, this.method] = this.field("cseq").split(/\s+/);
    if (!status) this.method = first.split(" ")[0];
  }

  all(name) { return this.fields.get(name) || []; }
  field(name) { return this.all(name)[0] || ""; }
  get branch() { return (/;\s*branch=([^;,\s]+)/.exec(this.field("via")) || [])[1]; }
  get contact() { return (/<([^>]+)>/.exec(this.field("contact")) || [])[1] || this.field("contact").split(";")[0]; }
}

// The signalling of one call. `on` is told: ringing, answered(sdp), offered(sdp) → answer, candidates(body), ended(words, failed).
class Signalling {
  constructor(on) {
    this.on = on;
    this.host = `${letters(16)}.invalid`;
    this.target = this.uri = `sip:phone@${location.hostname}`;
    this.callId = letters(24);
    this.from = `"Browser" <sip:guest@${this.host}>;tag=${letters(12)}`;
    this.to = `<${this.uri}>`;
    this.number = 0;
    this.waiting = new Map();
    this.state = "idle";
  }

  open() {
    return new Promise((done, failed) => {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      this.socket = new WebSocket(`${scheme}://${location.host}${location.pathname}/sip`, "sip");
      this.socket.binaryType = "arraybuffer";
      this.socket.onopen = () => {
        this.alive = setInterval(() => this.send("\r\n\r\n"), 30000);
        done();
      };
      this.socket.onclose = () => {
        clearInterval(this.alive);
        failed(new Error("closed"));
        this.lost();
      };
      this.socket.onmessage = event => {
        const text = typeof event.data === "string" ? event.data : new TextDecoder().decode(event.data);
        if (text.trim()) this.receive(new Message(text)).catch(problem => console.error(problem));
      };
    });
  }

  send(text) { if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text); }

  write(first, fields, body = "", type = "application/sdp") {
    const lines = [first, ...fields];
    if (body) lines.push(`Content-Type: ${type}`);
    lines.push(`Content-Length: ${new TextEncoder().encode(body).length}`, "", body);
    this.send(lines.join("\r\n"));
  }

  fields(method, number, branch, to = this.to) {
    return [`Via: SIP/2.0/${location.protocol === "https:" ? "WSS" : "WS"} ${this.host};branch=${branch}`, "Max-Forwards: 70",
      `From: ${this.from}`, `To: ${to}`, `Call-ID: ${this.callId}`, `CSeq: ${number} ${method}`,
      `Contact: <sip:guest@${this.host};transport=ws>`, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO",
      "Supported: trickle-ice", "Recv-Info: trickle-ice"];
  }

  // The final response; `provisional` is told the others.
  request(method, body = "", provisional = () => {}) {
    const branch = `z9hG4bK${letters(16)}`;
    const number = ++this.number;
    return new Promise(done => {
      this.waiting.set(branch, { done, provisional });
      this.write(`${method} ${this.target} SIP/2.0`, this.fields(method, number, branch), body);
      if (method === "INVITE") this.invite = { branch, number, uri: this.target };
    });
  }

  // Whether the phone is free: asked before there is a call, by a dialog of its own.
  async ask() {
    const callId = this.callId;
    this.callId = letters(24);
    const asked = this.request("OPTIONS");
    this.callId = callId;
    return (await asked).status;
  }

  // A call is meant, and its description is being made: it may be hung up already.
  prepare() { if (this.state === "idle") this.state = "preparing"; }

  async dial(sdp) {
    // Hung up meanwhile, or the connection was lost.
    if (this.state !== "preparing") return;
    this.state = "calling";
    const response = await this.request("INVITE", sdp, early => {
      if (early.status === 100 || this.state !== "calling") return;
      this.on.ringing();
    });
    if (response.status >= 300) {
      // The ACK of a refusal belongs to the INVITE's transaction (RFC 3261 §17.1.1.3).
      this.write(`ACK ${this.invite.uri} SIP/2.0`, this.fields("ACK", this.invite.number, this.invite.branch, response.field("to")));
      return this.end(refusal(response), response.status !== 487);
    }
    this.to = response.field("to");
    this.target = response.contact || this.target;
    this.acknowledge = () => this.write(`ACK ${this.target} SIP/2.0`, this.fields("ACK", this.invite.number, `z9hG4bK${letters(16)}`));
    this.acknowledge();
    // Hung up while the answer was on its way.
    if (this.state !== "calling") return this.bye();
    this.state = "up";
    await this.on.answered(response.body);
  }

  async hangUp() {
    if (this.state === "up") {
      this.state = "ending";
      await this.bye();
      this.end("You hung up");
    } else if (this.state === "calling") {
      this.state = "ending";
      this.write(`CANCEL ${this.invite.uri} SIP/2.0`, this.fields("CANCEL", this.invite.number, this.invite.branch));
      this.end("You hung up");
    } else if (this.state === "preparing") {
      this.end("You hung up");
    }
  }

  // Waits for the answer a little: the connection must not be closed before the phone has read it.
  bye() { return Promise.race([this.request("BYE"), new Promise(done => setTimeout(done, 2000))]); }

  end(words, failed = false) {
    if (this.state === "over") return;
    this.state = "over";
    this.on.ended(words, failed);
    setTimeout(() => this.socket.close(), 500);
  }

  lost() {
    for (const { done } of this.waiting.values()) done(new Message("SIP/2.0 503 Connection lost\r\n\r\n"));
    this.waiting.clear();
    if (this.state === "idle") this.on.gone();
    this.end("The connection to the phone was lost", true);
  }

  reply(request, status, reason, body = "") {
    const to = request.field("to");
    this.write(`SIP/2.0 ${status} ${reason}`, [...request.all("via").map(via => `Via: ${via}`), `From: ${request.field("from")}`, `To: ${to}`,
      `Call-ID: ${request.field("call-id")}`, `CSeq: ${request.field("cseq")}`, `Contact: <sip:guest@${this.host};transport=ws>`], body);
  }

  async receive(message) {
    if (message.status) return this.receiveResponse(message);
    if (message.method === "ACK") return undefined;
    if (message.field("call-id") !== this.callId || this.state === "over") return this.reply(message, 481, "Call/Transaction Does Not Exist");
    if (message.field("contact") && (message.method === "INVITE" || message.method === "UPDATE")) this.target = message.contact;
    switch (message.method) {
      case "BYE":
        this.reply(message, 200, "OK");
        return this.end("The other side hung up");
      case "INVITE":
      case "UPDATE":
        try {
          return this.reply(message, 200, "OK", message.body || message.method === "INVITE" ? await this.on.offered(message.body) : "");
        } catch (problem) {
          console.error(problem);
          return this.reply(message, 488, "Not Acceptable Here");
        }
      case "INFO":
        if (message.field("info-package") === "trickle-ice") await this.on.candidates(message.body);
        return this.reply(message, 200, "OK");
      case "OPTIONS": return this.reply(message, 200, "OK");
      default: return this.reply(message, 501, "Not Implemented");
    }
  }

  receiveResponse(response) {
    const waiting = this.waiting.get(response.branch);
    if (!waiting) {
      if (response.method === "INVITE" && response.status < 300 && this.acknowledge) this.acknowledge();
      return;
    }
    // The branch of a CANCEL is that of its INVITE.
    if (response.method === "CANCEL") return;
    if (response.status < 200) return waiting.provisional(response);
    this.waiting.delete(response.branch);
    waiting.done(response);
  }
}

function refusal(response) {
  switch (response.status) {
    case 403: return "This link no longer works: ask for a new one";
    case 408: case 480: return "Nobody answered";
    case 486: case 600: return "The phone is busy";
    case 487: return "The call was cancelled";
    case 488: case 606: return "The phone and this browser have no kind of sound in common";
    case 603: return "The call was declined";
    case 503: return "The connection to the phone was lost";
    default: return `The call failed (${response.status} ${response.reason})`;
  }
}

// Microphone, camera and the one RTCPeerConnection.
class Media {
  constructor(on) {
    this.on = on;
    this.connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.connection.ontrack = event => this.show(event.track);
    this.connection.onconnectionstatechange = () => {
      if (this.connection.connectionState === "connected") on.connected();
      if (this.connection.connectionState === "failed") on.failed();
    };
  }

  // Without a camera, or without leave to use it, sound alone will do. Throws when there is no microphone.
  async openDevices(wantsCamera) {
    const audio = { echoCancellation: true, noiseSuppression: true };
    const video = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30, max: 30 } };
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio, video: wantsCamera && video });
    } catch (problem) {
      if (!wantsCamera) throw problem;
      this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    }
    for (const track of this.stream.getTracks()) this.connection.addTrack(track, this.stream);
    const camera = this.stream.getVideoTracks()[0];
    // A picture can come even when none goes.
    if (!camera) this.connection.addTransceiver("video", { direction: "recvonly" });
    for (const transceiver of this.connection.getTransceivers()) this.prefer(transceiver);
    return camera;
  }

  // What the phone has: Opus and VP8, with what belongs to them.
  prefer(transceiver) {
    const kind = transceiver.receiver.track.kind;
    const wanted = kind === "audio" ? ["opus", "telephone-event"] : ["vp8", "rtx"];
    const known = RTCRtpReceiver.getCapabilities(kind);
    const codecs = known ? known.codecs.filter(codec => wanted.includes(codec.mimeType.split("/")[1].toLowerCase())) : [];
    if (codecs.length) transceiver.setCodecPreferences(codecs);
  }

  // With the candidates that are known within a second: the phone's own lead the checks anyway.
  async offer() {
    await this.connection.setLocalDescription(await this.connection.createOffer());
    return this.gathered();
  }

  async answer(sdp) {
    await this.connection.setRemoteDescription({ type: "offer", sdp });
    await this.connection.setLocalDescription(await this.connection.createAnswer());
    return this.gathered();
  }

  async gathered() {
    await new Promise(done => {
      const look = () => { if (this.connection.iceGatheringState === "complete") done(); };
      this.connection.addEventListener("icegatheringstatechange", look);
      setTimeout(done, 1000);
      look();
    });
    return this.connection.localDescription.sdp;
  }

  accept(sdp) { return this.connection.setRemoteDescription({ type: "answer", sdp }); }

  async addCandidates(fragment) {
    const mid = (/^a=mid:(\S+)/m.exec(fragment) || [])[1] || "0";
    for (const found of fragment.matchAll(/^a=(candidate:[^\r\n]*)/gm)) {
      await this.connection.addIceCandidate({ candidate: found[1], sdpMid: mid }).catch(problem => console.warn(problem));
    }
  }

  show(track) {
    const element = track.kind === "audio" ? byId("speaker") : byId("remote");
    element.srcObject = new MediaStream([track]);
    if (track.kind !== "video") return;
    const visible = isVisible => { byId("no-picture").hidden = isVisible; };
    element.onresize = element.onplaying = () => visible(element.videoWidth > 0);
    track.onmute = () => visible(false);
    track.onunmute = () => visible(element.videoWidth > 0);
  }

  setEnabled(kind, isEnabled) {
    for (const track of this.stream ? this.stream.getTracks() : []) if (track.kind === kind) track.enabled = isEnabled;
  }

  close() {
    for (const track of this.stream ? this.stream.getTracks() : []) track.stop();
    this.connection.close();
  }
}

// What a person is told when there is no microphone.
function deviceProblem(problem) {
  switch (problem && problem.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "The microphone was refused, so there can be no call. Allow it for this page (the symbol beside the address), then press Call again.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "No microphone was found. Plug one in, then press Call again.";
    case "NotReadableError":
    case "AbortError":
      return "The microphone cannot be used: another program may have it. Close that, then press Call again.";
    default:
      return `The microphone cannot be used (${(problem && problem.name) || problem}).`;
  }
}

// The page itself.
class Page {
  constructor() {
    this.phase = "";
    byId("call").onclick = () => this.call();
    byId("hang-up").onclick = () => this.signalling.hangUp();
    byId("mute").onclick = () => this.toggle(byId("mute"), "audio", "Mute", "Unmute");
    byId("camera").onclick = () => this.toggle(byId("camera"), "video", "Camera off", "Camera on");
    addEventListener("pagehide", () => { if (this.signalling) this.signalling.hangUp(); });
  }

  set(phase, words, { problem = "", failed = false } = {}) {
    this.phase = phase;
    document.body.dataset.phase = failed ? "failed" : phase;
    byId("state").textContent = words;
    byId("problem").textContent = problem;
    byId("problem").hidden = !problem;
    const inCall = ["calling", "ringing", "connected"].includes(phase);
    byId("call").hidden = inCall || phase === "over";
    byId("call").disabled = phase !== "ready";
    byId("with-camera").hidden = !["ready", "start"].includes(phase);
    byId("hang-up").hidden = !inCall;
    byId("mute").hidden = !inCall;
    byId("camera").hidden = !inCall || !this.camera;
    byId("hint").hidden = inCall || phase === "over";
    byId("stage").hidden = !inCall;
    if (phase === "over") byId("title").textContent = failed ? "The call did not work" : "The call is over";
    else if (inCall) byId("title").textContent = "Your call";
  }

  async start() {
    this.set("start", "Connecting…");
    if (!window.isSecureContext || !navigator.mediaDevices || !window.RTCPeerConnection) {
      return this.set("over", "This browser cannot call", { failed: true, problem: window.isSecureContext
        ? "It has no WebRTC." : "A browser gives the microphone only to pages that came over HTTPS, or from this very machine." });
    }
    this.signalling = new Signalling({
      ringing: () => { if (this.phase === "calling") this.set("ringing", "Ringing…"); },
      answered: sdp => this.media.accept(sdp),
      offered: sdp => sdp ? this.media.answer(sdp) : this.media.offer(),
      candidates: body => this.media && this.media.addCandidates(body),
      ended: (words, failed) => this.ended(words, failed),
      gone: () => {},
    });
    try {
      await this.signalling.open();
      const status = await this.signalling.ask();
      if (this.phase !== "start") return undefined;
      this.set("ready", status === 486 ? "The phone is busy: you may try all the same" : "Ready to call");
    } catch (problem) {
      this.ended("This link cannot be used now", true,
        "It was used, is in use in another window, or has expired; or the phone is switched off. Load the page again, or ask for a new link.");
    }
    return undefined;
  }

  async call() {
    this.set("asking", "Waiting for your microphone…");
    this.media = new Media({
      connected: () => this.connected(),
      failed: () => { this.failure = "No way for sound was found between this browser and the phone"; this.signalling.hangUp(); },
    });
    try {
      this.camera = await this.media.openDevices(byId("use-camera").checked);
    } catch (problem) {
      this.media.close();
      if (this.phase === "asking") this.set("ready", "Not called yet", { problem: deviceProblem(problem), failed: true });
      return;
    }
    if (this.phase !== "asking") return this.media.close();
    byId("local").srcObject = this.camera ? this.media.stream : null;
    byId("local").hidden = !this.camera;
    this.set("calling", "Calling…");
    this.signalling.prepare();
    const sdp = await this.media.offer().catch(problem => this.signalling.end(`The call could not be prepared (${problem.name})`, true));
    await this.signalling.dial(sdp);
  }

  connected() {
    if (!["calling", "ringing"].includes(this.phase)) return;
    this.set("connected", "Connected");
    const began = performance.now();
    const show = () => {
      const seconds = Math.floor((performance.now() - began) / 1000);
      byId("timer").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    };
    show();
    byId("timer").hidden = false;
    this.clock = setInterval(show, 1000);
  }

  ended(words, failed, problem = "") {
    clearInterval(this.clock);
    if (this.media) this.media.close();
    this.set("over", this.failure || words, { failed: failed || Boolean(this.failure), problem });
  }

  toggle(button, kind, off, on) {
    const isPressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isPressed));
    button.textContent = isPressed ? on : off;
    this.media.setEnabled(kind, !isPressed);
    if (kind === "video") byId("local").hidden = isPressed;
  }
}

const page = new Page();
page.start();

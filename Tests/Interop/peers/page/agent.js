"use strict";
// A SIP user agent over WebSocket (RFC 7118) as small as a test needs: one account, one call at a time, digest by MD5.
const letters = count => [...crypto.getRandomValues(new Uint8Array(count))].map(byte => (byte % 36).toString(36)).join("");
const COMPACT = { v: "via", f: "from", t: "to", i: "call-id", m: "contact", l: "content-length", c: "content-type", k: "supported" };

class Message {
  constructor(text) {
    const end = text.indexOf("\r\n\r\n");
    const [first, ...lines] = text.slice(0, end).split("\r\n");
    this.body = text.slice(end + 4);
    this.fields = {};
    for (const line of lines) {
      const colon = line.indexOf(":");
      const given = line.slice(0, colon).trim().toLowerCase();
      const name = COMPACT[given] || given;
      (this.fields[name] = this.fields[name] || []).push(line.slice(colon + 1).trim());
    }
    const status = /^SIP\/2\.0 (\d{3})/.exec(first);
    this.status = status ? Number(status[1]) : 0;
    [this.method, this.uri] = status ? [this.one("cseq").split(/\s+/)[1], ""] : first.split(" ");
  }

  one(name) { return (this.fields[name] || [""])[0]; }
  all(name) { return (this.fields[name] || []).flatMap(value => value.split(/,\s*(?=<)/)); }
  get branch() { return (/branch=([^;,\s]+)/.exec(this.one("via")) || [])[1]; }
  get hasToTag() { return /;\s*tag=/.test(this.one("to")); }
  get target() { const found = /<([^>]+)>/.exec(this.one("contact")); return found ? found[1] : this.one("contact").split(";")[0]; }
}

// RFC 8840: it can trickle, and takes INFO requests for it.
const TRICKLE = ["Supported: trickle-ice", "Recv-Info: trickle-ice"];

class Agent {
  constructor({ server, user, domain, password, ice, trickle, video }) {
    Object.assign(this, { server, user, domain, password, ice, trickle, video });
    this.host = `${letters(12)}.invalid`;
    this.contact = `<sip:${user}@${this.host};transport=ws>`;
    this.pending = new Map();
    this.trace = [];
    this.call = null;
    this.answers = true;
    // A test may change the descriptions on their way out and in: what another kind of peer would have written.
    this.rewriteOut = sdp => sdp;
    this.rewriteIn = sdp => sdp;
  }

  note(text) { this.trace.push(`${new Date().toISOString().slice(11, 23)} ${text}`); }

  open() {
    return new Promise((done, failed) => {
      this.socket = new WebSocket(this.server, "sip");
      this.socket.binaryType = "arraybuffer";
      this.socket.onopen = () => done(true);
      this.socket.onerror = () => failed(new Error(`no WebSocket to ${this.server}`));
      this.socket.onclose = event => this.note(`closed ${event.code}`);
      this.socket.onmessage = event => this.receive(typeof event.data === "string" ? event.data : new TextDecoder().decode(event.data))
        .catch(problem => this.note(`problem: ${problem.stack || problem}`));
    });
  }

  send(text) {
    this.note(`sends\n${text}`);
    this.socket.send(text);
  }

  // Requests

  // `fields` of a request with another body than a description name its type.
  write(method, uri, fields, body, branch) {
    const lines = [`${method} ${uri} SIP/2.0`, `Via: SIP/2.0/WS ${this.host};branch=${branch}`, "Max-Forwards: 70", ...fields];
    if (this.trickle && method === "INVITE") lines.push(...TRICKLE);
    if (body && !fields.some(field => field.startsWith("Content-Type:"))) lines.push("Content-Type: application/sdp");
    lines.push(`Content-Length: ${new TextEncoder().encode(body).length}`, "", body);
    this.send(lines.join("\r\n"));
  }

  // The final response. `provisional` is told the others.
  request(method, uri, fields, body = "", provisional = () => {}) {
    const branch = `z9hG4bK${letters(12)}`;
    this.write(method, uri, fields, body, branch);
    return new Promise(done => this.pending.set(branch, { method, done, provisional }));
  }

  // As `request`, and once more with credentials when they are asked for. `fields` is given the number of the try.
  async authenticated(method, uri, fields, body, provisional) {
    const first = await this.request(method, uri, fields(0), body, provisional);
    if (first.status !== 401 && first.status !== 407) return first;
    if (method === "INVITE") this.acknowledgeFailure(first, uri, fields(0));
    return this.request(method, uri, [...fields(1), this.credentials(method, uri, first)], body, provisional);
  }

  credentials(method, uri, challenge) {
    const proxy = challenge.status === 407;
    const value = challenge.one(proxy ? "proxy-authenticate" : "www-authenticate");
    const parameter = name => (new RegExp(`[\\s,]${name}="?([^",]*)`, "i").exec(value) || [])[1];
    const [realm, nonce, qop] = ["realm", "nonce", "qop"].map(parameter);
    const [secret, action] = [md5(`${this.user}:${realm}:${this.password}`), md5(`${method}:${uri}`)];
    const [count, client] = ["00000001", letters(8)];
    const response = qop ? md5(`${secret}:${nonce}:${count}:${client}:auth:${action}`) : md5(`${secret}:${nonce}:${action}`);
    const more = qop ? `, qop=auth, nc=${count}, cnonce="${client}"` : "";
    return `${proxy ? "Proxy-" : ""}Authorization: Digest username="${this.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
      `response="${response}", algorithm=MD5${more}`;
  }

  async register(expires = 120) {
    const own = `<sip:${this.user}@${this.domain}>`;
    this.registration = this.registration || { id: letters(16), number: 0, tag: letters(8) };
    const fields = () => [`From: ${own};tag=${this.registration.tag}`, `To: ${own}`, `Call-ID: ${this.registration.id}`,
      `CSeq: ${++this.registration.number} REGISTER`, `Contact: ${this.contact};expires=${expires}`];
    return (await this.authenticated("REGISTER", `sip:${this.domain}`, fields)).status;
  }

  // Calls

  async newMedia() {
    const media = new Media(this.ice, this.video);
    media.trickles = this.trickle;
    await media.openMicrophone();
    return media;
  }

  dialogFields(method, call, number) {
    return [...call.route.map(route => `Route: ${route}`), `From: ${call.local}`, `To: ${call.remote}`, `Call-ID: ${call.id}`,
      `CSeq: ${number} ${method}`];
  }

  acknowledgeFailure(response, uri, fields) {
    const kept = fields.filter(field => /^(From|Call-ID|Route):/.test(field));
    this.write("ACK", uri, [...kept, `To: ${response.one("to")}`, `CSeq: ${parseInt(response.one("cseq"), 10)} ACK`], "", response.branch);
  }

  async dial(uri) {
    const call = this.call = { id: letters(20), state: "calling", number: 0, route: [], remote: `<${uri}>`,
      local: `<sip:${this.user}@${this.domain}>;tag=${letters(8)}`, media: await this.newMedia() };
    this.startTrickle(call);
    const offer = this.rewriteOut(await call.media.offer());
    const fields = tries => {
      call.number = tries + 1;
      return [...this.dialogFields("INVITE", call, call.number), `Contact: ${this.contact}`];
    };
    const response = await this.authenticated("INVITE", uri, fields, offer, early => {
      if (early.status === 100) return;
      call.state = "ringing";
      if (!early.hasToTag || call.target) return;
      Object.assign(call, { remote: early.one("to"), target: early.target, route: early.all("record-route").reverse() });
      this.sendCandidates(call);
    });
    call.status = response.status;
    if (response.status >= 300) {
      this.acknowledgeFailure(response, uri, this.dialogFields("INVITE", call, call.number));
      call.state = "ended";
      return response.status;
    }
    Object.assign(call, { remote: response.one("to"), target: response.target, route: response.all("record-route").reverse() });
    call.acknowledge = () => this.write("ACK", call.target, this.dialogFields("ACK", call, call.number), "", `z9hG4bK${letters(12)}`);
    call.acknowledge();
    await call.media.accept(this.rewriteIn(response.body));
    call.state = "answered";
    this.sendCandidates(call);
    return response.status;
  }

  // Trickle ICE (RFC 8840): candidates go by INFO as soon as there is a dialog, all that are known in each.

  startTrickle(call) {
    if (!this.trickle) return;
    call.candidates = [];
    call.media.onCandidate = candidate => {
      call.candidates.push(candidate);
      this.sendCandidates(call);
    };
  }

  async sendCandidates(call) {
    if (!call.candidates || !call.target || call.informing || call.informed === call.candidates.length) return;
    call.informing = true;
    call.informed = call.candidates.length;
    const value = name => new RegExp(`a=${name}:\\S+`).exec(call.media.connection.localDescription.sdp)[0];
    const lines = [value("ice-ufrag"), value("ice-pwd"), "m=audio 9 RTP/AVP 0", value("mid"),
      ...call.candidates.map(candidate => candidate ? `a=${candidate.candidate}` : "a=end-of-candidates"), ""];
    const status = await this.inform("trickle-ice", "application/trickle-ice-sdpfrag", lines.join("\r\n"));
    this.note(`candidates: ${status}`);
    call.informing = false;
    await this.sendCandidates(call);
  }

  // An INFO request (RFC 6086); its status.
  async inform(name, type, body) {
    const call = this.call;
    const fields = [...this.dialogFields("INFO", call, ++call.number), `Contact: ${this.contact}`, `Info-Package: ${name}`,
      "Content-Disposition: Info-Package", `Content-Type: ${type}`];
    return (await this.request("INFO", call.target, fields, body)).status;
  }

  async takeCandidates(call, request) {
    const mid = (/a=mid:(\S+)/.exec(request.body) || [])[1];
    for (const found of request.body.matchAll(/^a=(candidate:.*?)\r?$/gm)) {
      await call.media.connection.addIceCandidate({ candidate: found[1], sdpMid: mid || "0" });
    }
  }

  // A new offer in the call: the same again, or with new credentials of ICE.
  async offerAnew(restart) {
    const call = this.call;
    if (restart) call.media.connection.restartIce();
    const offer = this.rewriteOut(await call.media.offer());
    const fields = [...this.dialogFields("INVITE", call, ++call.number), `Contact: ${this.contact}`];
    const response = await this.request("INVITE", call.target, fields, offer);
    const number = call.number;
    call.acknowledge = () => this.write("ACK", call.target, this.dialogFields("ACK", call, number), "", `z9hG4bK${letters(12)}`);
    if (response.status >= 300) {
      this.acknowledgeFailure(response, call.target, this.dialogFields("INVITE", call, number));
    } else {
      call.acknowledge();
      await call.media.accept(this.rewriteIn(response.body));
    }
    return response.status;
  }

  // An UPDATE (RFC 3311) with this description; its answer stays unused.
  async update(sdp) {
    const call = this.call;
    const fields = [...this.dialogFields("UPDATE", call, ++call.number), `Contact: ${this.contact}`];
    const response = await this.request("UPDATE", call.target, fields, sdp);
    return { status: response.status, body: response.body };
  }

  async hangUp() {
    const call = this.call;
    await call.media.look();
    const response = await this.request("BYE", call.target, this.dialogFields("BYE", call, ++call.number));
    await this.ended("local");
    return response.status;
  }

  async ended(by) {
    if (this.call.state === "ended") return;
    Object.assign(this.call, { state: "ended", endedBy: by });
    await this.call.media.close();
  }

  // What comes in

  reply(request, status, reason, { body = "", tag = "" } = {}) {
    const lines = [`SIP/2.0 ${status} ${reason}`, ...request.fields.via.map(via => `Via: ${via}`),
      ...request.all("record-route").map(route => `Record-Route: ${route}`), `From: ${request.one("from")}`,
      `To: ${request.one("to")}${tag && !request.hasToTag ? `;tag=${tag}` : ""}`, `Call-ID: ${request.one("call-id")}`,
      `CSeq: ${request.one("cseq")}`, `Contact: ${this.contact}`, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO"];
    if (this.trickle && request.method === "INVITE") lines.push(...TRICKLE);
    if (body) lines.push("Content-Type: application/sdp");
    lines.push(`Content-Length: ${new TextEncoder().encode(body).length}`, "", body);
    this.send(lines.join("\r\n"));
  }

  async receive(text) {
    if (!text.trim()) {
      if (text.length > 2) this.socket.send("\r\n");
      return;
    }
    this.note(`gets\n${text}`);
    const message = new Message(text);
    return message.status ? this.receiveResponse(message) : this.receiveRequest(message);
  }

  receiveResponse(response) {
    const waiting = this.pending.get(response.branch);
    if (!waiting) {
      const repeated = response.method === "INVITE" && response.status < 300 && this.call && this.call.id === response.one("call-id");
      if (repeated && this.call.acknowledge) this.call.acknowledge();
    } else if (response.status < 200) {
      waiting.provisional(response);
    } else {
      this.pending.delete(response.branch);
      waiting.done(response);
    }
  }

  async receiveRequest(request) {
    const call = this.call && this.call.id === request.one("call-id") ? this.call : null;
    if (request.method === "ACK") {
      if (!call || call.state !== "answering") return;
      call.state = "answered";
      this.sendCandidates(call);
    } else if (request.method === "OPTIONS") {
      this.reply(request, 200, "OK");
    } else if (!request.hasToTag && request.method === "INVITE") {
      await this.incoming(request);
    } else if (!call) {
      this.reply(request, 481, "Call/Transaction Does Not Exist");
    } else if (request.method === "BYE") {
      this.reply(request, 200, "OK");
      await this.ended("remote");
    } else if (request.method === "CANCEL") {
      this.reply(request, 200, "OK");
      if (call.state === "ringing") {
        this.reply(call.invite, 487, "Request Terminated", { tag: call.tag });
        await this.ended("remote");
      }
    } else if (request.method === "INVITE" || request.method === "UPDATE") {
      if (request.one("contact")) call.target = request.target;
      call.changes = (call.changes || 0) + 1;
      this.reply(request, 200, "OK", { body: request.body ? this.rewriteOut(await call.media.answer(this.rewriteIn(request.body))) : "" });
    } else if (request.method === "INFO" && this.trickle && request.one("info-package") === "trickle-ice") {
      await this.takeCandidates(call, request);
      this.reply(request, 200, "OK");
    } else {
      this.reply(request, 501, "Not Implemented");
    }
  }

  async incoming(request) {
    if (this.call && this.call.state !== "ended") {
      this.reply(request, 486, "Busy Here", { tag: letters(8) });
      return;
    }
    const tag = letters(8);
    const call = this.call = { id: request.one("call-id"), state: "ringing", number: 0, tag, invite: request, target: request.target,
      local: `${request.one("to")};tag=${tag}`, remote: request.one("from"), route: request.all("record-route") };
    this.reply(request, 180, "Ringing", { tag });
    if (!this.answers) return;
    call.media = await this.newMedia();
    this.startTrickle(call);
    const body = this.rewriteOut(await call.media.answer(this.rewriteIn(request.body)));
    if (call.state !== "ringing") return;
    call.state = "answering";
    this.reply(request, 200, "OK", { body, tag });
  }
}

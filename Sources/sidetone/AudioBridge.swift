import Audio
import AudioIO
import Engine
import Interface
import Synchronization

/// Between the phone's wishes and the audio engine. Used on the loop's thread; the lock only makes that claim unnecessary.
final class AudioBridge: Sendable {
    private let engine: AudioEngine
    private struct State {
        var ports: [CallID: AudioStreamPort] = [:]
        /// A call may have the focus before it has a stream.
        var focused: CallID?
        /// Whose audio a call sends, where it is another call's. Either may have its stream later, or anew.
        var joins: [CallID: CallID] = [:]
        var devices: [AudioDeviceDescription] = []
    }
    private let state = Mutex(State())

    init(_ engine: AudioEngine) { self.engine = engine }

    /// - Parameter tell: carries what a person should know back to the phone.
    func perform(_ request: AudioRequest, tell: (PhoneInput) -> Void) {
        switch request {
        case .attach(let call, let port):
            let isFocused = state.withLock { state in
                state.ports[call] = port
                return state.focused == call
            }
            engine.attach(port, callLabel: call.description)
            if isFocused { engine.focus(port) }
            joinStreams { $0 == call || $1 == call }
        case .detach(let call):
            let port = state.withLock { state in
                state.joins[call] = nil
                return state.ports.removeValue(forKey: call)
            }
            if let port { engine.detach(port) }
        case .join(let call, let other):
            state.withLock { $0.joins[call] = other }
            if other != nil {
                joinStreams { one, _ in one == call }
            } else if let port = state.withLock({ $0.ports[call] }) {
                engine.join(port, to: nil)
            }
        case .focus(let call):
            let port = state.withLock { state in
                state.focused = call
                return call.flatMap { state.ports[$0] }
            }
            engine.focus(port)
        case .tone(let tone): engine.localTone(tone.flatMap { AudioIO.LocalTone(rawValue: $0.rawValue) })
        case .selectInput(let text): select(tell) { try engine.setInput(AudioDeviceSpec(text, direction: .input)) }
        case .selectOutput(let text): select(tell) { try engine.setOutput(AudioDeviceSpec(text, direction: .output)) }
        }
    }

    /// Joins those streams of the chosen joined calls that are there.
    private func joinStreams(where isChosen: (CallID, CallID) -> Bool) {
        let pairs = state.withLock { state in
            state.joins.filter { isChosen($0.key, $0.value) }.compactMap { one, other in
                state.ports[one].flatMap { port in state.ports[other].map { (port, $0) } }
            }
        }
        for (port, peer) in pairs { engine.join(port, to: peer) }
    }

    private func select(_ tell: (PhoneInput) -> Void, _ body: () throws -> Void) {
        do { try body() } catch { tell(.warning(code: "audio-device", message: "\(error)")) }
        tell(.audio(snapshot))
    }

    /// What can be chosen; listing costs too much for the loop.
    func setDevices(_ devices: [AudioDeviceDescription]) { state.withLock { $0.devices = devices } }

    /// What is in use and what can be chosen.
    var snapshot: AudioSnapshot {
        var out = AudioSnapshot()
        out.input = engine.input.description
        out.output = engine.output.description
        let devices = state.withLock { $0.devices }
        out.inputs = ["alsa"] + devices.filter(\.isInput).map(\.specification) + ["tone:440", "null"]
        out.outputs = ["alsa"] + devices.filter(\.isOutput).map(\.specification) + ["null"]
        return out
    }
}

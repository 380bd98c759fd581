import Audio
import AudioIO
import Engine
import Interface
import Synchronization

/// Between the phone's wishes and the audio engine. Used on the loop's thread; the lock only makes that claim unnecessary.
final class AudioBridge: Sendable {
    private let engine: AudioEngine
    private let ports = Mutex<[CallID: AudioStreamPort]>([:])

    init(_ engine: AudioEngine) { self.engine = engine }

    /// - Parameter tell: carries what a person should know back to the phone.
    func perform(_ request: AudioRequest, tell: (PhoneInput) -> Void) {
        switch request {
        case .attach(let call, let port):
            ports.withLock { $0[call] = port }
            engine.attach(port, callLabel: call.description)
        case .detach(let call):
            if let port = ports.withLock({ $0.removeValue(forKey: call) }) { engine.detach(port) }
        case .focus(let call):
            engine.focus(call.flatMap { id in ports.withLock { $0[id] } })
        case .tone(let tone): engine.localTone(tone.flatMap { AudioIO.LocalTone(rawValue: $0.rawValue) })
        case .selectInput(let text): select(tell) { try engine.setInput(AudioDeviceSpec(text, direction: .input)) }
        case .selectOutput(let text): select(tell) { try engine.setOutput(AudioDeviceSpec(text, direction: .output)) }
        }
    }

    private func select(_ tell: (PhoneInput) -> Void, _ body: () throws -> Void) {
        do { try body() } catch { tell(.warning(code: "audio-device", message: "\(error)")) }
        tell(.audio(snapshot))
    }

    /// What is in use and what can be chosen.
    var snapshot: AudioSnapshot {
        var out = AudioSnapshot()
        out.input = engine.input.description
        out.output = engine.output.description
        let devices = AudioDevices.list()
        out.inputs = ["alsa"] + devices.filter(\.isInput).map(\.specification) + ["tone:440", "null"]
        out.outputs = ["alsa"] + devices.filter(\.isOutput).map(\.specification) + ["null"]
        return out
    }
}

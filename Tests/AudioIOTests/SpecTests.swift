import AudioIO
import Testing

@Suite struct AudioDeviceSpecTests {
    @Test(arguments: [
        ("alsa", AudioDeviceSpec.alsa(name: nil)), ("alsa:plughw:1,0", .alsa(name: "plughw:1,0")), ("file:a b.wav", .file(path: "a b.wav")),
        ("tone:440", .tone(hertz: 440)), ("tone:425.5", .tone(hertz: 425.5)), ("null", .null),
    ])
    func inputs(text: String, spec: AudioDeviceSpec) throws {
        #expect(try AudioDeviceSpec(text, direction: .input) == spec)
        #expect(spec.description == text)
    }

    @Test(arguments: ["", "alsa:", "file:", "file", "tone", "tone:", "tone:x", "tone:0", "tone:nan", "tone:30000", "null:1", "pulse", "ALSA"])
    func badInputs(text: String) {
        #expect(throws: AudioDeviceError.self) { try AudioDeviceSpec(text, direction: .input) }
    }

    @Test func aToneIsNoOutput() {
        do {
            _ = try AudioDeviceSpec("tone:440", direction: .output)
            Issue.record("accepted")
        } catch {
            #expect(error.message == "--audio-out: a tone cannot be an output")
        }
    }
}

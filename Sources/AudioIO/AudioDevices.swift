import CALSA
import Core
import Glibc

/// One ALSA PCM that can be named after `alsa:`.
public struct AudioDeviceDescription: Sendable, Equatable {
    /// As `--audio-in` and `--audio-out` take it: "alsa:NAME".
    public var specification: String
    /// One line for a person; may be empty.
    public var text: String
    public var isInput: Bool
    public var isOutput: Bool

    public init(specification: String, text: String, isInput: Bool, isOutput: Bool) {
        self.specification = specification
        self.text = text
        self.isInput = isInput
        self.isOutput = isOutput
    }
}

public enum AudioDevices {
    /// What ALSA's configuration and cards offer. Text goes through the sanitiser.
    public static func list() -> [AudioDeviceDescription] {
        calsa_silence()
        var hints: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        guard snd_device_name_hint(-1, "pcm", &hints) >= 0, let hints else { return [] }
        defer { snd_device_name_free_hint(hints) }
        var devices: [AudioDeviceDescription] = []
        var i = 0
        while let hint = hints[i], devices.count < 1000 {
            i += 1
            guard let name = value(hint, "NAME"), !name.isEmpty, name != "null" else { continue }
            let lines = (value(hint, "DESC") ?? "").split(separator: "\n").map { Sanitiser.text($0) }
            let direction = value(hint, "IOID")
            devices.append(
                AudioDeviceDescription(
                    specification: "alsa:\(Sanitiser.text(name))", text: lines.joined(separator: ", "), isInput: direction != "Output",
                    isOutput: direction != "Input"))
        }
        return devices
    }

    /// Nil when the PCM opens at 48 kHz, else why not, in one line. Opens and closes it.
    public static func probe(name: String?, direction: AudioDeviceSpec.Direction) -> AudioDeviceError? {
        do throws(AudioDeviceError) {
            _ = try ALSAStream(name: name, direction: direction == .input ? .capture : .playback)
            return nil
        } catch {
            return error
        }
    }

    /// The linked library's version, e.g. "1.2.8".
    public static var alsaVersion: String { snd_asoundlib_version().map { String(cString: $0) } ?? "" }

    private static func value(_ hint: UnsafeMutableRawPointer, _ key: String) -> String? {
        guard let text = snd_device_name_get_hint(hint, key) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }
}

import ArgumentParser
import AudioIO

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "devices")

    func run() throws {
        var rows = [("alsa", "in, out", "the system's default device")]
        for device in AudioDevices.list() {
            let use = device.isInput && device.isOutput ? "in, out" : device.isInput ? "in" : "out"
            rows.append((device.specification, use, device.text))
        }
        rows.append(("null", "in, out", "silence; thrown away"))
        rows.append(("tone:HZ", "in", "a sine, e.g. tone:440"))
        rows.append(("file:PATH.wav", "in, out", "a WAV file"))
        let width = min(40, rows.map(\.0.count).max() ?? 0)
        for (name, use, text) in rows {
            let padding = String(repeating: " ", count: max(0, width - name.count))
            let column = use + String(repeating: " ", count: max(0, 7 - use.count))
            Output.line(1, "\(name)\(padding)  \(column)  \(text)")
        }
    }
}

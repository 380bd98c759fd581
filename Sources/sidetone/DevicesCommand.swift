import ArgumentParser
import AudioIO

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists audio devices by the names that --audio-in and --audio-out take.",
        discussion: """
            Examples:
              sidetone devices
              sidetone call echo --audio-in alsa:default --audio-out alsa:default
            """)

    func run() throws {
        let devices = AudioDevices.list()
        if devices.isEmpty { Output.line(2, "no ALSA device is configured; null, file:PATH.wav and tone:HZ work without one") }
        for device in devices {
            let use = device.isInput && device.isOutput ? "in, out" : device.isInput ? "in" : "out"
            Output.line(1, "\(device.specification)  (\(use))" + (device.text.isEmpty ? "" : "  \(device.text)"))
        }
    }
}

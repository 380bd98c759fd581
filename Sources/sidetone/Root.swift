import ArgumentParser
import AudioIO
import Codecs
import Secure

struct Root: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sidetone", version: versionText,
        subcommands: [PhoneCommand.self, CallCommand.self, AnswerCommand.self, BridgeCommand.self, ServeCommand.self, DevicesCommand.self],
        defaultSubcommand: PhoneCommand.self)

    static let version = "0.1.0"
    /// Those of the contract.
    static let commands = ["call", "answer", "bridge", "serve", "devices"]

    static var versionText: String {
        """
        sidetone \(version)
        \(LibraryVersion.openSSL)
        \(SRTPContext.libraryVersion)
        \(Codecs.opusVersion)
        libvpx \(Codecs.vpxVersion)
        ALSA \(AudioDevices.alsaVersion)
        """
    }
}

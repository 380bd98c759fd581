import ArgumentParser
import AudioIO
import Codecs
import Secure

struct Root: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sidetone",
        abstract: "A SIP and WebRTC softphone for the terminal.",
        discussion: """
            Without a command it opens the full-screen phone: type a SIP address, or "echo", and press Enter.

            Examples:
              sidetone
              sidetone call sip:bob@192.0.2.7 --for 10
              sidetone answer --auto-answer --echo --json
            """,
        version: versionText,
        subcommands: [PhoneCommand.self, CallCommand.self, AnswerCommand.self, DevicesCommand.self],
        defaultSubcommand: PhoneCommand.self)

    static let version = "0.1.0"

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

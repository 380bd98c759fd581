/// `--help`: fits a screen and ends with examples.
enum Help {
    static func text(command: String?) -> String {
        switch command {
        case "call":
            page(
                "sidetone call URI [options]",
                [
                    "Places one call without a screen; the exit code tells the outcome.",
                    "URI: a SIP address, or \"echo\" for the built-in echo endpoint.",
                ],
                OptionTable.call,
                [
                    "sidetone call echo --for 5 --json",
                    "sidetone call sip:bob@192.0.2.7 --audio-in tone:700 --audio-out file:out.wav",
                    "sidetone call sip:bob@example.org --account sip:alice@example.org --dtmf 12#",
                ])
        case "answer":
            page(
                "sidetone answer [options]", ["Waits for calls without a screen; without --auto-answer they only ring."], OptionTable.answer,
                [
                    "sidetone answer --auto-answer --echo",
                    "sidetone answer --listen udp:192.0.2.1:5060 --auto-answer --once --json",
                    "sidetone answer --account sip:bob@example.org --password-file bob.txt",
                ])
        case "bridge":
            page(
                "sidetone bridge URI URI [options]",
                [
                    "Calls the first, then the second, and joins them: audio is transcoded only",
                    "when the codecs differ, VP8 passes through. A leg that ends ends the other.",
                ],
                OptionTable.bridge,
                [
                    "sidetone bridge sip:bob@192.0.2.7 sip:carol@example.org",
                    "sidetone bridge echo sip:bob@192.0.2.7 --for 60 --json",
                ])
        case "serve":
            page(
                "sidetone serve [options]",
                ["Click to call: prints a link, good for one call from a browser to this phone."], OptionTable.serve,
                [
                    "sidetone serve --web 0.0.0.0:8443",
                    "sidetone serve --account sip:me@example.org --to sip:desk@example.org",
                    "sidetone serve --auto-answer --echo --once --json",
                ])
        case "devices":
            """
            Usage: sidetone devices
            Lists audio devices by the names that --audio-in and --audio-out take.

            Examples:
              sidetone devices
              sidetone call echo --audio-in alsa:default --audio-out alsa:default
            """
        default:
            page(
                "sidetone [options]\n       sidetone call|answer|bridge|serve|devices …     (each has its own --help)",
                [
                    "A SIP and WebRTC softphone. Without a command it opens the full-screen phone:",
                    "type a SIP address, or \"echo\", and press Enter. F1 shows the keys.", "",
                    "  call URI       one call without a screen; the exit code tells the outcome",
                    "  answer         waits for calls without a screen",
                    "  bridge A B     joins two calls",
                    "  serve          a link by which a browser calls this phone",
                    "  devices        lists audio devices",
                    "  --version      versions of Sidetone and of its libraries",
                ], [],
                [
                    "sidetone", "sidetone --no-config --audio-in tone:440 --audio-out null",
                    "sidetone call sip:bob@192.0.2.7 --for 10", "sidetone answer --auto-answer --echo --json",
                ])
        }
    }

    private static func page(_ usage: String, _ about: [String], _ own: [OptionTable.Row], _ examples: [String]) -> String {
        var lines = ["Usage: \(usage)"] + about + [""]
        lines += own.map(line)
        lines.append("Shared options; all but the first line may stand in the configuration file:")
        lines += OptionTable.shared.map(line)
        lines += ["", "Examples:"] + examples.map { "  \($0)" }
        return lines.joined(separator: "\n")
    }

    private static let column = 36

    private static func line(_ row: OptionTable.Row) -> String {
        let left = "  " + row.options.map(\.usage).joined(separator: ", ")
        return left + String(repeating: " ", count: max(2, column - left.count)) + row.text
    }
}

// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors in CI only (`SIDETONE_STRICT=1`, set by .ci/run).
let strict = Context.environment["SIDETONE_STRICT"] == "1"
let settings: [SwiftSetting] =
    [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")]
    + (strict ? [.treatAllWarnings(as: .error)] : [])

func pure(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOWebSocket", package: "swift-nio"),
]

// `SIDETONE_TESTS=RuntimeTests,CoreTests` leaves the other test targets out: a build for a sanitizer does not pay for what it does not run.
let wanted = Context.environment["SIDETONE_TESTS"].map { Set($0.split(separator: ",").map(String.init)) }

let package = Package(
    name: "sidetone",
    products: [.executable(name: "sidetone", targets: ["sidetone"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // One system library each; a header of inline wrappers for what Swift cannot import.
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSRTP", pkgConfig: "libsrtp2", providers: [.apt(["libsrtp2-dev"])]),
        .systemLibrary(name: "COpus", pkgConfig: "opus", providers: [.apt(["libopus-dev"])]),
        .systemLibrary(name: "CVPX", pkgConfig: "vpx", providers: [.apt(["libvpx-dev"])]),
        .systemLibrary(name: "CALSA", pkgConfig: "alsa", providers: [.apt(["libasound2-dev"])]),
        .systemLibrary(name: "CNcurses", providers: [.apt(["libncurses-dev"])]),
        .systemLibrary(name: "CQRencode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .target(name: "CPlatform"),

        // Pure: no socket, clock, thread, global, print or random source of its own.
        pure("Core", []),
        pure("Digest", ["Core", "COpenSSL"]),
        pure("SIP", ["Core", "Digest"]),
        pure("SDP", ["Core"]),
        pure("ICE", ["Core", "Digest"]),
        pure("RTP", ["Core"]),
        pure("Secure", ["Core", "Digest", "COpenSSL", "CSRTP"]),
        pure("Codecs", ["Core", "COpus", "CVPX"]),
        pure("Audio", ["Core", "RTP", "Codecs"]),
        pure("Interface", ["Core"]),
        pure("Barcode", ["CQRencode"]),
        pure("Engine", ["Core", "Digest", "SIP", "SDP", "ICE", "RTP", "Secure", "Codecs", "Audio", "Interface"]),
        pure("Screen", ["Core", "Interface", "Barcode"]),
        pure("Control", ["Core", "Interface"]),

        // World: thin shells that tell the pure parts facts and the time.
        // The page of click to call is part of the program.
        .target(
            name: "Runtime", dependencies: ["Digest", "Engine", "RTP", "Secure", "Control", "CAres", "CPlatform"] + nio,
            resources: ["html", "css", "js"].map { .embedInCode("../../Resources/web/page.\($0)") }, swiftSettings: settings),
        .target(name: "AudioIO", dependencies: ["Core", "Audio", "CALSA", "CPlatform"], swiftSettings: settings),
        .target(
            name: "Terminal", dependencies: ["Core", "Codecs", "Interface", "Screen", "CNcurses", "CPlatform"], swiftSettings: settings),
        .executableTarget(
            name: "sidetone",
            dependencies: [
                "Runtime", "AudioIO", "Terminal", "Control", "Screen", "Engine", "Barcode", "Interface", "Audio", "SIP", "ICE", "RTP", "Secure",
                "Codecs",
                "Core",
                "CPlatform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),

        // Tests' own parts.
        .target(name: "CVirtualTime"),
        .target(name: "Simulator", dependencies: ["Engine", "RTP"], swiftSettings: settings),
        .executableTarget(
            name: "Benchmarks",
            dependencies: ["Core", "SIP", "SDP", "ICE", "Secure", "Codecs", "Audio", "Screen", "TestPicture", "COpus", "CSRTP", "CVPX"],
            swiftSettings: settings),

        .target(name: "TestSignal", path: "Tests/TestSignal", swiftSettings: settings),
        .target(
            name: "TestPicture", dependencies: ["Core", "Codecs", "CVPX"], path: "Tests/TestPicture", exclude: ["Fixtures"], swiftSettings: settings),
        tests("CoreTests", ["Core"]),
        tests("DigestTests", ["Core", "Digest"]),
        tests("SIPTests", ["Core", "Digest", "SIP"], exclude: ["Fixtures"]),
        tests("SDPTests", ["Core", "SDP"], exclude: ["Fixtures"]),
        tests("ICETests", ["Core", "Digest", "ICE"]),
        tests("RTPTests", ["Core", "RTP"]),
        tests("SecureTests", ["Core", "Digest", "Secure", "CVirtualTime"], exclude: ["Fixtures"]),
        tests("CodecsTests", ["Core", "Codecs", "TestSignal", "TestPicture"]),
        tests("AudioTests", ["Core", "Codecs", "Audio", "TestSignal"]),
        tests("AudioIOTests", ["Core", "Codecs", "Audio", "AudioIO", "CPlatform", "TestSignal"]),
        tests("InterfaceTests", ["Core", "Interface"]),
        tests("BarcodeTests", ["Barcode"]),
        tests("ScreenTests", ["Core", "Codecs", "Interface", "Screen", "TestPicture"], exclude: ["Golden"]),
        tests("TerminalTests", ["Core", "Codecs", "Interface", "Screen", "Terminal", "TestPicture", "CPlatform"]),
        tests("ControlTests", ["Core", "Interface", "Control"]),
        tests(
            "EngineTests",
            ["Core", "Digest", "SIP", "SDP", "ICE", "RTP", "Secure", "Codecs", "Audio", "Interface", "Engine", "Simulator", "CVirtualTime"]),
        tests(
            "SimulatorTests",
            ["Core", "Digest", "SIP", "SDP", "ICE", "RTP", "Secure", "Codecs", "Audio", "Interface", "Engine", "Simulator", "CVirtualTime"]),
        tests(
            "RuntimeTests",
            [
                "Core", "Digest", "Engine", "Interface", "Runtime", "SIP", "Secure", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]),
        tests("SidetoneTests", ["sidetone", "Runtime", "AudioIO", "Engine", "Interface", "Control", "SIP", "ICE", "Secure", "Core"]),
        tests("ArchitectureTests", []),
    ],
    swiftLanguageModes: [.v6]
)
if let wanted { package.targets.removeAll { $0.type == .test && !wanted.contains($0.name) } }

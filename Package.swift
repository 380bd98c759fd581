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
]

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
        pure("Engine", ["Core", "Digest", "SIP", "SDP", "ICE", "RTP", "Secure", "Codecs", "Audio", "Interface"]),
        pure("Screen", ["Core", "Interface"]),
        pure("Control", ["Core", "Interface"]),

        // World: thin shells that tell the pure parts facts and the time.
        .target(name: "Runtime", dependencies: ["Engine", "Secure", "Control", "CAres", "CPlatform"] + nio, swiftSettings: settings),
        .target(name: "AudioIO", dependencies: ["Core", "Audio", "CALSA", "CPlatform"], swiftSettings: settings),
        .target(name: "Terminal", dependencies: ["Screen", "CNcurses", "CPlatform"], swiftSettings: settings),
        .executableTarget(
            name: "sidetone",
            dependencies: [
                "Runtime", "AudioIO", "Terminal", "Control", "Screen", "Engine", "Interface", "Audio", "SIP", "Secure", "Codecs", "Core", "CPlatform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),

        // Tests' own parts.
        .target(name: "CVirtualTime"),
        .target(name: "Simulator", dependencies: ["Engine"], swiftSettings: settings),
        .executableTarget(
            name: "Benchmarks", dependencies: ["Core", "SIP", "SDP", "ICE", "Secure", "Codecs", "Audio", "COpus", "CSRTP"], swiftSettings: settings),

        .target(name: "TestSignal", path: "Tests/TestSignal", swiftSettings: settings),
        tests("CoreTests", ["Core"]),
        tests("DigestTests", ["Core", "Digest"]),
        tests("SIPTests", ["Core", "Digest", "SIP"], exclude: ["Fixtures"]),
        tests("SDPTests", ["Core", "SDP"], exclude: ["Fixtures"]),
        tests("ICETests", ["Core", "Digest", "ICE"]),
        tests("RTPTests", ["Core", "RTP"]),
        tests("SecureTests", ["Core", "Digest", "Secure", "CVirtualTime"]),
        tests("CodecsTests", ["Core", "Codecs", "TestSignal"]),
        tests("AudioTests", ["Core", "Codecs", "Audio", "TestSignal"]),
        tests("AudioIOTests", ["Core", "Codecs", "Audio", "AudioIO", "CPlatform", "TestSignal"]),
        tests("InterfaceTests", ["Core", "Interface"]),
        tests("ScreenTests", ["Core", "Interface", "Screen"], exclude: ["Golden"]),
        tests("TerminalTests", ["Interface", "Screen", "Terminal"]),
        tests("ControlTests", ["Core", "Interface", "Control"]),
        tests(
            "EngineTests",
            ["Core", "Digest", "SIP", "SDP", "ICE", "RTP", "Secure", "Codecs", "Audio", "Interface", "Engine", "Simulator", "CVirtualTime"]),
        tests(
            "SimulatorTests",
            ["Core", "Digest", "SIP", "SDP", "ICE", "RTP", "Secure", "Codecs", "Audio", "Interface", "Engine", "Simulator", "CVirtualTime"]),
        tests("RuntimeTests", ["Core", "Engine", "Interface", "Runtime", "SIP", "Secure"]),
        tests("SidetoneTests", ["sidetone", "Runtime", "AudioIO", "Engine", "Interface", "Control", "SIP", "Core"]),
        tests("ArchitectureTests", []),
    ],
    swiftLanguageModes: [.v6]
)

import Core
import Interface
import TestPicture
import Testing

@testable import Screen

@Suite struct VideoTests {
    private func press(_ model: inout Model, _ keys: Key...) -> [Effect] { keys.flatMap { update(&model, .key($0)) } }

    private func open(_ snapshot: Snapshot = Samples.video(), columns: Int = 80, rows: Int = 24) -> Model {
        var model = Model(columns: columns, rows: rows)
        _ = update(&model, .snapshot(snapshot))
        #expect(press(&model, .character("v")) == [.command(.viewVideo(CallID(1), true))])
        return model
    }

    private func show(_ model: inout Model, call: Int = 1, _ picture: VideoPicture = Pictures.colourBars(64, 48)) {
        #expect(update(&model, .picture(CallPicture(call: CallID(call), picture: picture))).isEmpty)
    }

    @Test func theKeyOpensAndCloses() {
        var model = open()
        #expect(model.panel == .video)
        #expect(press(&model, .character("v")) == [.command(.viewVideo(CallID(1), false))])
        #expect(model.panel == .call(scroll: 0))
        #expect(press(&model, .control("v")) == [.command(.viewVideo(CallID(1), true))])
        #expect(press(&model, .escape) == [.command(.viewVideo(CallID(1), false))])
    }

    @Test func withoutVideoTheKeySaysSo() {
        var model = Model()
        _ = update(&model, .snapshot(Samples.connected()))
        #expect(press(&model, .character("v")) == [.bell])
        #expect(render(model).text.contains("v (show the picture, or hide it) is not possible now"))
        #expect(!KeyMap.bar(model).contains { $0.label == "video" })
    }

    /// The keys of a call go on working, and so does the dial line.
    @Test func theCallsKeysStay() {
        var model = open()
        #expect(press(&model, .character("m")) == [.command(.setMuted(CallID(1), true))])
        #expect(press(&model, .character("5")) == [.command(.sendDTMF(CallID(1), digits: "5"))])
        _ = press(&model, .tab, .character("v"))
        #expect(model.dialLine.characters == ["v"])
        #expect(model.panel == .video)
        #expect(press(&model, .character("x"), .tab, .character("x")) == [.command(.hangUp(CallID(1)))])
    }

    @Test func onlyTheWatchedCallsPictureCounts() {
        var model = open()
        show(&model, call: 2)
        #expect(model.picture == nil)
        #expect(render(model).text.contains("waiting for a key frame"))
        show(&model)
        #expect(model.picture?.width == 64)
        let text = render(model).text
        #expect(text.contains("▀▀▀▀▀▀▀▀"))
        #expect(text.contains("64×48"))
        #expect(!text.contains("waiting for a key frame"))
        _ = press(&model, .escape)
        #expect(model.picture == nil)
        show(&model)
        #expect(model.picture == nil)
    }

    /// From the counters of two snapshots a second apart.
    @Test func rateAndSizeStandInOneLine() {
        var model = open()
        show(&model, Pictures.flat(640, 480, y: 100))
        var later = Samples.video()
        later.time = WallTime(milliseconds: later.time.milliseconds + 1000)
        later.calls[0].streams[1].inbound.bytesReceived += 52_500
        later.calls[0].streams[1].inbound.video?.framesReceived += 15
        _ = update(&model, .snapshot(Samples.video()))
        _ = update(&model, .snapshot(later))
        #expect(render(model).text.contains("640×480 · 15/s · 420 kbit/s  "))
        later.calls[0].streams[1].inbound.packetsLost = 7
        _ = update(&model, .snapshot(later))
        _ = update(&model, .resize(columns: 120, rows: 40))
        #expect(render(model).text.contains("420 kbit/s · lost 7"))
        #expect(render(model).text.contains("■ DTLS-SRTP verified"))
    }

    @Test func theWordSaysWhyThereIsNoPicture() {
        var snapshot = Samples.video()
        snapshot.calls[0].streams[1].direction = "sendonly"
        #expect(render(open(snapshot)).text.contains("the peer sends no picture"))
        snapshot.calls[0].state = .held
        snapshot.calls[0].heldBy = .local
        #expect(render(open(snapshot)).text.contains("no picture while the call is held"))
    }

    @Test func aCallThatLosesItsVideoClosesTheView() {
        var model = open()
        show(&model)
        #expect(update(&model, .snapshot(Samples.connected())) == [.command(.viewVideo(CallID(1), false))])
        #expect(model.panel == .call(scroll: 0))
        #expect(model.picture == nil)
        #expect(render(model).text.contains("The picture is over"))
    }

    /// Nothing is asked of a call that is gone.
    @Test func theEndOfTheCallClosesTheView() {
        var model = open()
        #expect(update(&model, .snapshot(Samples.idle())).isEmpty)
        #expect(model.panel == .call(scroll: 0))
        #expect(model.watched == nil)
    }

    @Test func theViewFollowsTheChosenCall() {
        var snapshot = Samples.video()
        var second = snapshot.calls[0]
        second.id = CallID(2)
        snapshot.calls.append(second)
        var model = open(snapshot)
        show(&model)
        let effects = press(&model, .down)
        #expect(effects == [.command(.focus(CallID(2))), .command(.viewVideo(CallID(1), false)), .command(.viewVideo(CallID(2), true))])
        #expect(model.picture == nil)
    }

    @Test func otherPanelsCloseTheView() {
        var model = open()
        #expect(press(&model, .character("t")) == [.command(.viewVideo(CallID(1), false))])
    }

    /// A small terminal shows none, so none is decoded; a larger one asks again.
    @Test func aSmallTerminalHasNoPictureAndSaysSo() {
        var model = open()
        show(&model)
        #expect(update(&model, .resize(columns: 59, rows: 24)) == [.command(.viewVideo(CallID(1), false))])
        #expect(render(model).text.contains("a picture needs 60 × 16 characters"))
        #expect(update(&model, .resize(columns: 60, rows: 16)) == [.command(.viewVideo(CallID(1), true))])
        show(&model)
        #expect(render(model).text.contains("▀▀▀"))
    }

    @Test func ratesFollowTheCounters() {
        var rates = VideoRates()
        func sample(_ milliseconds: Int64, _ frames: Int, _ bytes: Int) {
            var inbound = InboundStatistics()
            inbound.video = InboundVideoStatistics()
            inbound.video?.framesReceived = frames
            inbound.bytesReceived = bytes
            rates.take(inbound, at: WallTime(milliseconds: milliseconds))
        }
        sample(0, 10, 1000)
        sample(900, 30, 5000)
        #expect(rates.framesPerSecond == nil)
        sample(2000, 40, 26_000)
        #expect(rates.framesPerSecond == 15)
        #expect(rates.bitsPerSecond == 100_000)
        // The clock was set back, and the stream began anew: the last figures stay until there are new ones.
        sample(-5000, 50, 30_000)
        sample(-4000, 60, 30_000)
        #expect(rates.framesPerSecond == 10)
        sample(-3000, 1, 10)
        #expect(rates.framesPerSecond == 10)
        sample(.max, Int.max, Int.max)
        sample(.min, 0, 0)
        sample(.max, Int.max, Int.max)
        #expect(Format.frameRate(rates.framesPerSecond) == "10/s" || Format.frameRate(rates.framesPerSecond) == "0/s")
    }
}

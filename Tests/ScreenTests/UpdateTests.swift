import Interface
import Testing

@testable import Screen

@Suite struct UpdateTests {
    private func model(_ snapshot: Snapshot) -> Model {
        var model = Model()
        _ = update(&model, .snapshot(snapshot))
        return model
    }

    @discardableResult
    private func type(_ text: String, into model: inout Model) -> [Effect] { text.flatMap { update(&model, .key(.character($0))) } }

    @Test func typingAnAddressAndEnterDials() {
        var model = model(Samples.idle())
        type("sip:bob@192.0.2.7", into: &model)
        #expect(update(&model, .key(.enter)) == [.command(.dial(uri: "sip:bob@192.0.2.7"))])
        #expect(model.dialLine.isEmpty)
    }

    @Test func enterOnAnEmptyLineOnlyExplains() {
        var model = model(Samples.idle())
        #expect(update(&model, .key(.enter)).isEmpty)
        #expect(render(model).text.contains("Type an address first"))
    }

    @Test func pastedTextIsTextEvenWhileACallHasTheFocus() {
        var model = model(Samples.connected())
        #expect(model.focus == .calls)
        #expect(update(&model, .paste("  sip:xhm@example.com \nx")).isEmpty)
        #expect(model.dialLine.text == "sip:xhm@example.com")
        #expect(model.focus == .dialLine)
    }

    struct KeyCase: Sendable {
        var key: Key
        var effects: [Effect]
        init(_ key: Key, _ effects: [Effect]) {
            self.key = key
            self.effects = effects
        }
    }

    @Test(arguments: [
        KeyCase(.character("5"), [.command(.sendDTMF(CallID(1), digits: "5"))]),
        KeyCase(.character("#"), [.command(.sendDTMF(CallID(1), digits: "#"))]),
        KeyCase(.character("A"), [.command(.sendDTMF(CallID(1), digits: "A"))]),
        KeyCase(.character("x"), [.command(.hangUp(CallID(1)))]),
        KeyCase(.function(4), [.command(.hangUp(CallID(1)))]),
        KeyCase(.character("h"), [.command(.setHeld(CallID(1), true))]),
        KeyCase(.character("m"), [.command(.setMuted(CallID(1), true))]),
        KeyCase(.character("a"), [.bell]),
        KeyCase(.function(2), [.bell]),
        KeyCase(.control("l"), [.redraw]),
        KeyCase(.character("z"), [.bell]),
        KeyCase(.character(":"), []),
    ]) func keysInACall(_ test: KeyCase) {
        var model = model(Samples.connected())
        #expect(update(&model, .key(test.key)) == test.effects)
    }

    @Test(arguments: [
        KeyCase(.character("a"), [.command(.answer(CallID(1)))]),
        KeyCase(.function(2), [.command(.answer(CallID(1)))]),
        KeyCase(.character("d"), [.command(.decline(CallID(1)))]),
        KeyCase(.function(3), [.command(.decline(CallID(1)))]),
        KeyCase(.character("s"), [.command(.silence(CallID(1)))]),
        KeyCase(.function(9), [.command(.silence(CallID(1)))]),
        KeyCase(.character("5"), [.bell]),
    ]) func keysWhileItRings(_ test: KeyCase) {
        var model = model(Samples.incoming())
        #expect(update(&model, .key(test.key)) == test.effects)
    }

    @Test func anIncomingCallRingsOnceAndLeavesATypedLineAlone() {
        var model = model(Samples.idle())
        type("ali", into: &model)
        #expect(update(&model, .snapshot(Samples.incoming())) == [.bell])
        #expect(update(&model, .snapshot(Samples.incoming())).isEmpty)
        #expect(model.focus == .dialLine)
        #expect(type("ads", into: &model).isEmpty)
        #expect(model.dialLine.text == "aliads")
        #expect(render(model).text.contains("F2 answer"))
        #expect(update(&model, .key(.function(2))) == [.command(.answer(CallID(1)))])
    }

    @Test func theFocusFollowsTheCalls() {
        var model = model(Samples.idle())
        #expect(model.focus == .dialLine)
        _ = update(&model, .snapshot(Samples.connected()))
        #expect(model.focus == .calls)
        _ = update(&model, .key(.tab))
        #expect(model.focus == .dialLine)
        #expect(type("5", into: &model).isEmpty)
        _ = update(&model, .key(.escape))
        _ = update(&model, .key(.escape))
        #expect(model.focus == .calls)
        _ = update(&model, .snapshot(Samples.idle()))
        #expect(model.focus == .dialLine)
    }

    /// The next address can be typed at once: the picture of the call that was just dialled may come between any two keys.
    @Test(arguments: 0...6) func aCallThatBeginsDoesNotTakeTheLineThatWasAskedFor(keysBeforeTheCall: Int) {
        var model = model(Samples.idle())
        type("echo", into: &model)
        _ = update(&model, .key(.enter))
        var effects: [Effect] = []
        for (count, key) in (":alice".map(Key.character) + [.enter]).enumerated() {
            if count == keysBeforeTheCall { _ = update(&model, .snapshot(Samples.connected())) }
            effects += update(&model, .key(key))
        }
        #expect(effects == [.command(.dial(uri: "alice"))])
        #expect(model.focus == .calls)
    }

    @Test func theLineThatWasLeftIsNotKept() {
        var model = model(Samples.idle())
        #expect(type(":", into: &model).isEmpty)
        _ = update(&model, .key(.escape))
        _ = update(&model, .snapshot(Samples.connected()))
        #expect(model.focus == .calls)
    }

    @Test func arrowsChooseACallAndTellThePhone() {
        var model = model(Samples.several())
        #expect(model.selectedCall?.id == CallID(1))
        #expect(update(&model, .key(.down)) == [.command(.focus(CallID(2)))])
        #expect(update(&model, .key(.character("h"))) == [.command(.setHeld(CallID(2), false))])
        #expect(update(&model, .key(.up)) == [.command(.focus(CallID(1)))])
        #expect(update(&model, .key(.up)) == [.command(.focus(CallID(3)))])
        // The phone's own choice wins when it changes.
        var snapshot = Samples.several()
        snapshot.focused = CallID(2)
        _ = update(&model, .snapshot(snapshot))
        #expect(model.selectedCall?.id == CallID(2))
    }

    @Test func theBannerAnswersTheCallThatRings() {
        var model = model(Samples.several())
        #expect(update(&model, .key(.character("a"))) == [.command(.answer(CallID(3)))])
        #expect(update(&model, .key(.character("x"))) == [.command(.hangUp(CallID(3)))])
    }

    @Test func recallAndRedial() {
        var model = model(Samples.withHistory())
        type("one", into: &model)
        _ = update(&model, .key(.enter))
        type("draft", into: &model)
        _ = update(&model, .key(.up))
        #expect(model.dialLine.text == "one")
        _ = update(&model, .key(.up))
        #expect(model.dialLine.text == "sip:user0@example.com")
        _ = update(&model, .key(.down))
        _ = update(&model, .key(.down))
        #expect(model.dialLine.text == "draft")
        #expect(update(&model, .key(.control("r"))) == [.command(.dial(uri: "one"))])
    }

    @Test func editing() {
        var model = model(Samples.idle())
        type("sip:bob@example.com", into: &model)
        let steps: [(Key, String)] = [
            (.control("w"), "sip:bob@example."), (.backspace, "sip:bob@example"), (.home, "sip:bob@example"), (.delete, "ip:bob@example"),
            (.character("S"), "Sip:bob@example"), (.end, "Sip:bob@example"), (.left, "Sip:bob@example"), (.control("k"), "Sip:bob@exampl"),
            (.left, "Sip:bob@exampl"), (.control("u"), "l"), (.control("c"), ""),
        ]
        for (key, expected) in steps {
            _ = update(&model, .key(key))
            #expect(model.dialLine.text == expected)
        }
    }

    @Test func historyDialsTheSelectedEntry() {
        var model = model(Samples.withHistory())
        _ = update(&model, .key(.function(8)))
        _ = update(&model, .key(.down))
        #expect(update(&model, .key(.enter)) == [.command(.dial(uri: "sip:user1@example.com"))])
    }

    @Test func devicesAreChosen() {
        var model = model(Samples.idle())
        _ = update(&model, .key(.function(7)))
        _ = update(&model, .key(.end))
        #expect(update(&model, .key(.enter)) == [.command(.selectAudioInput("null"))])
        _ = update(&model, .key(.tab))
        _ = update(&model, .key(.down))
        #expect(update(&model, .key(.enter)) == [.command(.selectAudioOutput("null"))])
        _ = update(&model, .key(.escape))
        #expect(model.panel == .call(scroll: 0))
    }

    @Test func theQuestionGoesWithTheLastCall() {
        var model = model(Samples.connected())
        #expect(update(&model, .key(.function(10))).isEmpty && model.prompt == .quitQuestion)
        _ = update(&model, .snapshot(Samples.idle()))
        #expect(model.prompt == .none)
        #expect(update(&model, .key(.function(10))) == [.quit])
    }

    @Test func quitAsksOnlyWhileCallsAreUp() {
        var idle = model(Samples.idle())
        #expect(update(&idle, .key(.function(10))) == [.quit])
        #expect(update(&idle, .key(.control("c"))) == [.quitNow])

        var busy = model(Samples.connected())
        #expect(update(&busy, .key(.character("q"))).isEmpty)
        #expect(update(&busy, .key(.character("x"))) == [.bell])
        #expect(update(&busy, .key(.character("n"))).isEmpty)
        #expect(update(&busy, .key(.character("q"))).isEmpty)
        #expect(update(&busy, .key(.character("y"))) == [.quit])
        #expect(update(&busy, .key(.character("5"))).isEmpty)
    }

    @Test func controlCEmptiesTheLineFirst() {
        var model = model(Samples.idle())
        type("abc", into: &model)
        #expect(update(&model, .key(.control("c"))).isEmpty)
        #expect(update(&model, .key(.control("c"))) == [.quit])
    }

    @Test func securityIsSaidInWords() {
        var snapshot = Samples.connected()
        #expect(render(model(snapshot)).text.contains("DTLS-SRTP verified"))
        snapshot.calls[0].transports[0].remoteFingerprint?.verified = false
        #expect(render(model(snapshot)).text.contains("DTLS-SRTP, not verified"))
        snapshot.calls[0].security = SecurityMode.none
        #expect(render(model(snapshot)).text.contains("not encrypted"))
        #expect(render(model(Samples.sdes())).text.contains("SDES – keys in clear"))
        #expect(render(model(Samples.sdes())).text.contains("downgraded"))
    }

    /// Without rtcp-mux one unverified transport is enough to take the word away.
    @Test func everyTransportHasToBeVerified() {
        var snapshot = Samples.noMux()
        snapshot.calls[0].transports[1].dtlsState = "connecting"
        snapshot.calls[0].transports[1].remoteFingerprint = nil
        #expect(render(model(snapshot)).text.contains("not verified yet"))
    }
}

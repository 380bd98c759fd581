import Core
import Interface
import Testing
import Simulator
@testable import Engine
@Test func zdebug() {
    let world = ForkedPhonesTests.World(seed: 1, profile: LinkProfile(delay: .milliseconds(10), jitter: .milliseconds(20)), lag: .zero, policy: .dtls)
    world.simulation.isTracing = true
    world.alice.command(.dial(uri: world.proxy.uri))
    world.simulation.run(for: .seconds(4))
    for l in world.simulation.journal where !l.contains(" rtp ") || !l.contains("192") { print(l.prefix(230)) }
    print(world.bob.result as Any)
    print(world.carol.result as Any)
}

import Core
import Interface
import Screen
import Synchronization
import TestPicture
import Testing

@testable import Terminal

@Suite struct VideoQueueTests {
    private let call = CallID(1)

    @Test func framesWaitInOrderFromAKeyFrameOn() {
        let queue = VideoQueue()
        #expect(queue.add([1], isKeyFrame: true, of: call) == .ignored)
        queue.watch(call)
        #expect(queue.add([2], isKeyFrame: false, of: call) == .ignored)
        #expect(queue.add([3], isKeyFrame: true, of: CallID(2)) == .ignored)
        #expect(queue.takeBatch() == nil)
        #expect(queue.add([4], isKeyFrame: true, of: call) == .added)
        #expect(queue.add([5], isKeyFrame: false, of: call) == .added)
        #expect(queue.takeBatch()?.frames == [[4], [5]])
        #expect(queue.takeBatch() == nil)
        #expect(queue.add([6], isKeyFrame: false, of: call) == .added)
        #expect(queue.takeBatch()?.frames == [[6]])
    }

    @Test func aKeyFrameMakesWhatWaitsNeedless() {
        let queue = VideoQueue()
        queue.watch(call)
        _ = queue.add([1], isKeyFrame: true, of: call)
        _ = queue.add([2], isKeyFrame: false, of: call)
        _ = queue.add([3], isKeyFrame: true, of: call)
        #expect(queue.takeBatch()?.frames == [[3]])
    }

    /// Too many frames or bytes: all go, one is told, and nothing is taken before the next key frame.
    @Test func anOverflowDropsTheChain() {
        for size in [1, VideoView.byteLimit / 4 + 1] {
            let queue = VideoQueue()
            queue.watch(call)
            let frame = [UInt8](repeating: 0, count: size)
            #expect(queue.add(frame, isKeyFrame: true, of: call) == .added)
            var told = 0
            for _ in 0..<200 where queue.add(frame, isKeyFrame: false, of: call) == .overflowed { told += 1 }
            #expect(told == 1)
            #expect(queue.takeBatch() == nil)
            #expect(queue.add([9], isKeyFrame: true, of: call) == .added)
            #expect(queue.takeBatch()?.frames == [[9]])
        }
    }

    @Test func aFailureAsksOnceAndNotWhenAKeyFrameHasCome() throws {
        let queue = VideoQueue()
        queue.watch(call)
        _ = queue.add([1], isKeyFrame: true, of: call)
        let first = try #require(queue.takeBatch())
        #expect(queue.failed(first))
        #expect(!queue.failed(first))
        #expect(queue.add([2], isKeyFrame: false, of: call) == .ignored)
        _ = queue.add([3], isKeyFrame: true, of: call)
        #expect(!queue.failed(first))
        #expect(queue.takeBatch()?.frames == [[3]])
        _ = queue.add([4], isKeyFrame: false, of: call)
        let old = try #require(queue.takeBatch())
        queue.watch(CallID(2))
        _ = queue.add([5], isKeyFrame: true, of: CallID(2))
        #expect(!queue.failed(old))
        #expect(queue.takeBatch()?.call == CallID(2))
    }
}

@Suite struct VideoViewTests {
    /// What a view tells, to be waited for.
    private final class Told: Sendable {
        let pictures: AsyncStream<CallPicture>
        let requests: AsyncStream<CallID>
        let view: VideoView

        init() {
            let (pictures, picture) = AsyncStream.makeStream(of: CallPicture.self)
            let (requests, request) = AsyncStream.makeStream(of: CallID.self)
            self.pictures = pictures
            self.requests = requests
            view = VideoView(show: { picture.yield($0) }, needKeyFrame: { request.yield($0) })
        }
    }

    @Test(.timeLimit(.minutes(1))) func framesBecomePictures() async throws {
        let told = Told()
        let frames = try Fixtures.walk()
        told.view.watch(CallID(1))
        var pictures = told.pictures.makeAsyncIterator()
        for (index, frame) in frames.enumerated() {
            told.view.take(CallID(1), frame, isKeyFrame: index % 4 == 0)
            let shown = try #require(await pictures.next())
            #expect(shown.call == CallID(1))
            #expect(shown.picture.width == 160)
        }
    }

    /// All at once: the newest picture comes, and it is the right one, for every frame before it was decoded.
    @Test(.timeLimit(.minutes(1))) func theNewestPictureIsRight() async throws {
        let frames = Array(try Fixtures.walk()[4...])
        let slow = Told()
        slow.view.watch(CallID(1))
        var pictures = slow.pictures.makeAsyncIterator()
        var newest: VideoPicture?
        for (index, frame) in frames.enumerated() {
            slow.view.take(CallID(1), frame, isKeyFrame: index == 0)
            newest = await pictures.next()?.picture
        }
        let quick = Told()
        quick.view.watch(CallID(1))
        for (index, frame) in frames.enumerated() { quick.view.take(CallID(1), frame, isKeyFrame: index == 0) }
        var count = 0
        for await shown in quick.pictures {
            count += 1
            if shown.picture == newest { break }
            try #require(count < frames.count)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aTornFrameAsksForAKeyFrame() async throws {
        let told = Told()
        let frames = try Fixtures.walk()
        told.view.watch(CallID(7))
        var torn = frames[0]
        torn.removeLast(torn.count - 12)
        told.view.take(CallID(7), torn, isKeyFrame: true)
        var requests = told.requests.makeAsyncIterator()
        #expect(await requests.next() == CallID(7))
        // Frames that lean on the torn one show nothing; the next key frame does.
        told.view.take(CallID(7), frames[1], isKeyFrame: false)
        told.view.take(CallID(7), frames[4], isKeyFrame: true)
        var pictures = told.pictures.makeAsyncIterator()
        #expect(await pictures.next()?.picture.height == 120)
    }
}

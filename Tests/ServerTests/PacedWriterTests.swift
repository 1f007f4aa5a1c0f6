import Glibc
import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Large answers")
struct PacedWriterTests {
    /// A connection that takes what it is given when its event loop comes to it.
    private final class Connection: Sendable {
        struct State {
            var pieces: [Int] = []
            var taken = 0
            /// The most pieces that waited to be taken.
            var waiting = 0
            var isFinished = false
        }

        let state = Mutex(State())
        let eventLoop: any EventLoop

        init(_ eventLoop: any EventLoop) {
            self.eventLoop = eventLoop
        }
    }

    private struct Writer: ResponseBodyWriter {
        let connection: Connection

        mutating func write(_ buffer: ByteBuffer) async throws {
            connection.state.withLock { state in
                state.pieces.append(buffer.readableBytes)
                state.waiting = max(state.waiting, state.pieces.count - state.taken)
            }
            connection.eventLoop.execute { [connection] in connection.state.withLock { $0.taken += 1 } }
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
            connection.state.withLock { $0.isFinished = true }
        }
    }

    @Test("a large body goes out in pieces, the next one when the last has been taken")
    func pieces() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let connection = Connection(group.next())
        // Somebody else's work, which a writer that does not wait would use to run ahead.
        for _ in 0..<20 { connection.eventLoop.execute { usleep(5_000) } }
        let size = 10 * PacedWriter.pieceBytes + 1
        let body = ResponseBody(contentsOf: [
            ByteBuffer(repeating: 1, count: size), ByteBuffer(string: "end"),
        ])
        #expect(body.isLarge && !ResponseBody(byteBuffer: ByteBuffer(string: "small")).isLarge)
        let gate = AdmissionGate(limit: 1)
        do {
            let place = try #require(gate.place())
            try await body.paced(on: connection.eventLoop, in: place).write(Writer(connection: connection))
        }
        let state = connection.state.withLock { $0 }
        #expect(state.pieces == [Int](repeating: PacedWriter.pieceBytes, count: 10) + [1, 3])
        #expect(state.waiting == 1 && state.isFinished)
        #expect(gate.enter(), "the place was given back")
        try await group.shutdownGracefully()
    }
}

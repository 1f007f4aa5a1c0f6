import HTTPTypes
import HummingbirdCore
import NIOCore

/// Hands on a large body in pieces, the next one when the connection has taken in the last.
///
/// A connection says that it has enough only after it has looked at what it was given. A writer that does not wait for
/// that is many pieces ahead by then, and so the whole of a release can lie in memory for each peer that does not read.
struct PacedWriter: ResponseBodyWriter {
    /// Bytes in a piece: as much as a connection takes in before it says that it has enough.
    static let pieceBytes = 64 << 10

    private var base: any ResponseBodyWriter
    private let eventLoop: any EventLoop

    init(_ base: consuming any ResponseBodyWriter, on eventLoop: any EventLoop) {
        self.base = base
        self.eventLoop = eventLoop
    }

    mutating func write(_ buffer: ByteBuffer) async throws {
        var rest = buffer
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytes)),
            piece.readableBytes > 0
        {
            try await base.write(piece)
            try await eventLoop.submit {}.get()
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await base.finish(trailingHeaders)
    }
}

extension ResponseBody {
    /// Whether it is to be paced, and counted for as long as it is being sent.
    var isLarge: Bool { contentLength.map { $0 > PacedWriter.pieceBytes } ?? true }

    /// The same body, paced; the place is given back when it has been sent, or never will be.
    func paced(on eventLoop: any EventLoop, in place: AdmissionGate.Place) -> ResponseBody {
        ResponseBody(contentLength: contentLength) { writer in
            defer { withExtendedLifetime(place) {} }
            try await self.write(PacedWriter(writer, on: eventLoop))
        }
    }
}

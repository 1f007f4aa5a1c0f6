import HTTPTypes
import HummingbirdCore
import NIOCore
import PDFleet

extension ReleaseFile {
    /// The whole file as an answer, read piece by piece while the peer takes it.
    func response(type: String, name: String) -> Response {
        let body = ResponseBody(contentLength: size) { writer in
            var offset = 0
            while offset < self.size {
                let piece = try self.read(at: offset, count: min(PacedWriter.pieceBytes, self.size - offset))
                // The length is promised: a file that shrank must not look like a whole one.
                guard !piece.isEmpty else { throw StateError("a release became shorter while it was read") }
                try await writer.write(ByteBuffer(bytes: piece))
                offset += piece.count
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: type, .contentDisposition: "attachment; filename=\(name)",
                .contentLength: "\(size)",
            ], body: body)
    }
}

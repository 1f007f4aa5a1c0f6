import NIOCore
import PDFleet
import PDProtocol
import Synchronization

/// The newest release's message as a JSON string, ready to be sent. All hosts ask for the same one, so it is read once
/// and its bytes are shared by all answers that carry it.
final class ReleaseMessages: Sendable {
    struct Message: Sendable {
        let number: Int64
        let quoted: ByteBuffer
    }

    private let shelf: ReleaseShelf
    private let last = Mutex<(Message, of: ReleaseFile.Version)?>(nil)

    init(_ shelf: ReleaseShelf) {
        self.shelf = shelf
    }

    /// The newest release's message, where it is newer than `old`.
    func newest(after old: Int64) throws(StateError) -> Message? {
        guard let (number, file) = try shelf.newestMessage(after: old) else { return nil }
        if let (message, version) = last.withLock({ $0 }), message.number == number, version == file.version {
            return message
        }
        let text = try file.read(at: 0, count: file.size)
        guard let quoted = V1.UpdateAnswer.quoted(message: text) else {
            throw StateError("release \(number): \(number).tar.asc is not an ASCII-armored message")
        }
        let message = Message(number: number, quoted: ByteBuffer(bytes: quoted))
        last.withLock { $0 = (message, file.version) }
        return message
    }
}

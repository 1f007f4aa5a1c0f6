import CCurl

/// An answer that comes in, within bounds.
///
/// It is filled on the thread that libcurl works on, and read after that has ended.
final class HTTPAnswer: @unchecked Sendable {
    /// The most that the lines before a body may have, in bytes, those of interim answers (1xx) included.
    static let headLimit = 1 << 16

    /// The most bytes of a body after a status of 2xx, and after another one.
    private let limits: (good: Int, other: Int)
    private var headSize = 0
    /// The status, once the lines before the body have ended; that of an interim answer is none.
    private(set) var status: Int?
    /// What came of the body.
    private(set) var body: [UInt8] = []
    /// What was too large, where that is why it ended.
    private(set) var excess: String?

    init(limit: Int, otherLimit: Int) {
        limits = (limit, otherLimit)
    }

    /// A line before the body. False where that is enough.
    func takeHead(_ line: UnsafeRawBufferPointer, _ code: Int) -> Bool {
        headSize += line.count
        guard headSize <= Self.headLimit else {
            excess = "the head of its answer has more than \(Self.headLimit) bytes"
            return false
        }
        if line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n"), code >= 200 { status = code }
        return true
    }

    /// A part of the body. False where that is enough.
    func takeBody(_ part: UnsafeRawBufferPointer) -> Bool {
        let limit = (200...299).contains(status ?? 0) ? limits.good : limits.other
        guard body.count + part.count <= limit else {
            excess = "its answer has more than \(limit) bytes"
            return false
        }
        body.append(contentsOf: part)
        return true
    }
}

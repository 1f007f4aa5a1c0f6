import PDDocument
import PDFiles

/// What an agent did last, in `status.json`.
struct AgentHistory: Equatable {
    /// When it last put a report into the spool, in milliseconds since 1970-01-01 UTC.
    var collectedAt: Int64?
    /// When the server last took a report.
    var deliveredAt: Int64?
    /// What went wrong last, and when; nothing after a run that went well.
    var error: String?
    var errorAt: Int64?
    /// The numbers of reports in the spool that the server refused.
    var refused: Set<Int> = []
    /// What was wrong with the clock; told with the next report.
    var clock: String?

    init() {}

    /// Reads the file. A missing or damaged one is an empty history: it is there to be looked at only.
    init(file: String) {
        guard let bytes = try? Files.read(file),
            let document = try? Document(json: bytes, timestamps: .atSuffix)
        else { return }
        collectedAt = document["collected_at"]?.milliseconds
        deliveredAt = document["delivered_at"]?.milliseconds
        error = document["error"]?.string
        errorAt = document["error_at"]?.milliseconds
        refused = Set(document["refused"]?.array?.compactMap(\.integer) ?? [])
        clock = document["clock"]?.string
    }

    func write(to file: String) throws(FileError) {
        try Files.writeAtomically(Array(document.json().utf8), to: file)
    }

    var document: Document {
        var writer = DocumentWriter()
        if let collectedAt { writer.append("collected_at", .date(milliseconds: collectedAt)) }
        if let deliveredAt { writer.append("delivered_at", .date(milliseconds: deliveredAt)) }
        writer.append("error", ifPresent: error)
        if let errorAt { writer.append("error_at", .date(milliseconds: errorAt)) }
        if !refused.isEmpty { writer.append("refused", .array(refused.sorted().map(Value.int))) }
        writer.append("clock", ifPresent: clock)
        return writer.finish()
    }
}

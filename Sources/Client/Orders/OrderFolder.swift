import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

/// What an agent remembers of orders: `orders` in its state.
///
/// ```
/// ID.json           what became of it
/// ID.order          what was signed, and the signature over it
/// ID.order.sig
/// ID.run            a command's program, while it runs
/// forgotten.json    when the last of those expired of which there is no record any more
/// files-N/          what patches put over the files of release N
/// ```
///
/// An order that was carried out is remembered until it expires. From then on, one that expires no later than what was
/// forgotten is refused, whatever the clock says: nobody can have an order carried out again.
struct OrderFolder {
    /// What became of an order.
    struct Record: Equatable {
        /// The release that was in use when it came; 0 where there was none.
        var base: Int
        /// When it was first accepted, in seconds since 1970-01-01 UTC.
        var accepted: Int64
        /// From when on nobody would obey it any more.
        var expires: Int64
        /// How often a command was started.
        var attempts = 0
        /// What its last run ended with; nothing where none has ended.
        var returncode: Int?
        /// Why its last run did not work, where that was not for its program to say.
        var reason: String?
        /// Whether it did not work.
        var hasFailed = false
        /// Whether there is nothing more to do.
        var isDone = false
    }

    let path: String
    let directory: OpenDirectory

    /// Opens the folder, making it where it is not there.
    init(_ path: String) throws(FileError) {
        try Files.makePrivateDirectory(path)
        self.path = path
        directory = try OpenDirectory(path)
    }

    // MARK: - Records

    /// What became of an order; nothing where it is new.
    ///
    /// - Throws: also where the record cannot be read: forgetting it would have the order carried out twice.
    func record(_ id: String) throws(OrderError) -> Record? {
        let file = "\(path)/\(id).json"
        do {
            let document = try Document(json: Files.read(file, limit: 1 << 16, links: .refuse))
            guard let base = document["base"]?.integer, let accepted = document["accepted"]?.integer,
                let expires = document["expires"]?.integer, let attempts = document["attempts"]?.integer,
                let isDone = document["done"]?.bool
            else { throw OrderError.damagedRecord(file) }
            return Record(
                base: base, accepted: Int64(accepted), expires: Int64(expires), attempts: attempts,
                returncode: document["returncode"]?.integer, reason: document["reason"]?.string,
                hasFailed: document["failed"]?.bool ?? false, isDone: isDone)
        } catch let error as FileError where error.isAbsence {
            return nil
        } catch { throw .damagedRecord(file) }
    }

    func write(_ record: Record, _ id: String) throws(FileError) {
        let document: Document = [
            "base": .int(record.base), "accepted": .int(Int(record.accepted)),
            "expires": .int(Int(record.expires)), "attempts": .int(record.attempts),
            "returncode": record.returncode.map(Value.int) ?? .null,
            "reason": record.reason.map(Value.string) ?? .null, "failed": .bool(record.hasFailed),
            "done": .bool(record.isDone),
        ]
        try Files.writeAtomically(Array(document.json().utf8), to: "\(path)/\(id).json")
    }

    private static let mark = "forgotten.json"

    /// When the last of those expired that were forgotten, in seconds since 1970-01-01 UTC.
    ///
    /// - Throws: where that cannot be read: nobody knows then which orders are new.
    func forgotten() throws(OrderError) -> Int64 {
        do {
            let document = try Document(
                json: Files.read("\(path)/\(Self.mark)", limit: 1 << 16, links: .refuse))
            guard let expires = document["expires"]?.integer else {
                throw OrderError.damagedMark("\(path)/\(Self.mark)")
            }
            return Int64(expires)
        } catch let error as FileError where error.isAbsence {
            return .min
        } catch { throw .damagedMark("\(path)/\(Self.mark)") }
    }

    /// All orders of which there is a record.
    func ids() throws(FileError) -> [String] {
        try directory.names().filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
            .filter(OrderStatement.isID)
    }

    func keep(_ statement: SignedStatement, _ id: String) throws(FileError) {
        try Files.writeAtomically(statement.bytes, to: "\(path)/\(id).order")
        try Files.writeAtomically(statement.signature, to: "\(path)/\(id).order.sig")
    }

    func statement(_ id: String) throws(FileError) -> SignedStatement {
        SignedStatement(
            bytes: try Files.read("\(path)/\(id).order", limit: OrderStatement.sizeLimit, links: .refuse),
            signature: try Files.read("\(path)/\(id).order.sig", limit: 1 << 18, links: .refuse))
    }

    /// Forgets what nobody would obey any more, and what lay over other releases.
    ///
    /// - Parameter now: seconds since 1970-01-01 UTC.
    func clean(current: Int, now: Int64) throws {
        var expired: [(id: String, expires: Int64)] = []
        for id in try ids() {
            // A damaged one stays: its order, and no other, is refused with the reason whenever it is offered.
            guard let record = try? record(id), now >= record.expires,
                record.base != current || !record.isDone
            else {
                continue
            }
            expired.append((id, record.expires))
        }
        if let last = expired.map(\.expires).max() {
            do {
                // Before the records go: a clock that ran ahead, and is set right, must make no order new.
                if try last > forgotten() {
                    let document: Document = ["expires": .int(Int(last))]
                    try Files.writeAtomically(Array(document.json().utf8), to: "\(path)/\(Self.mark)")
                }
            } catch is OrderError {
                // All orders are refused for it, with the reason, until a person has mended it.
                expired = []
            }
        }
        for (id, _) in expired {
            // The record last: an order without one is new.
            for name in ["\(id).run", "\(id).order.sig", "\(id).order", "\(id).json"] {
                try directory.remove(name)
            }
        }
        for name in try directory.names() {
            if name.hasSuffix(Files.temporarySuffix) || name.hasPrefix("files-") && name != "files-\(current)"
            {
                try directory.remove(name)
            }
        }
        try directory.synchronize()
    }

    // MARK: - What patches put there

    /// The files that patches put over a release, or took away (mode 0), by path: the last order decides.
    func overlay(
        over current: Int, _ keys: TrustedKeys
    ) throws -> [RelativePath: SignedFile] {
        var files: [RelativePath: SignedFile] = [:]
        for order in try patches(over: current, keys) {
            for file in order.files { files[file.path] = file }
        }
        return files
    }

    /// The patches that lie over a release, in the order in which they were written.
    private func patches(over current: Int, _ keys: TrustedKeys) throws -> [OrderStatement] {
        var orders: [OrderStatement] = []
        for id in try ids() {
            // Where nobody knows what became of an order, its files are nobody's.
            guard let record = try? record(id), record.isDone, record.base == current else { continue }
            let order: OrderStatement
            do {
                order = try statement(id).order(
                    patches: keys.verifier(.patches), commands: keys.verifier(.commands),
                    at: OpenPGP.Timestamp(record.accepted))
            } catch {
                // Of a key that is trusted no longer, or changed or lost since: its files are nobody's, too, and are
                // told of as such.
                continue
            }
            guard order.id == id else { continue }
            if order.kind == .files { orders.append(order) }
        }
        return orders.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
    }

    /// Throws where a patch would undo a later one, or cannot lie beside the files of those that lie over the release.
    func check(_ patch: OrderStatement, over current: Int, _ keys: TrustedKeys) throws {
        var paths = Set(patch.files.map(\.path))
        let earlier = try patches(over: current, keys)
        for order in earlier where (order.created, order.id) > (patch.created, patch.id) {
            if let file = order.files.first(where: { paths.contains($0.path) }) {
                throw OrderError.olderThan(order.id, file.path)
            }
        }
        var beside = PathSet()
        for path in patch.files.map(\.path) { try beside.insert(file: path) }
        // The last order decides about a path.
        for file in earlier.reversed().flatMap(\.files)
        where paths.insert(file.path).inserted && file.mode != 0 {
            do throws(PathCollision) {
                try beside.insert(file: file.path)
            } catch { throw OrderError.collision(error) }
        }
    }
}

/// Why an order is not carried out. It stays where it is, and is told of.
enum OrderError: Error, CustomStringConvertible {
    /// It is not signed as it must be, or what is signed is no order.
    case statement(SignedStatement.Failure)
    /// It is another order than the one by whose number it came.
    case otherID
    /// It is for another fleet.
    case otherFleet
    /// It does not name this machine.
    case otherHost
    /// Nobody should obey it any more, or not yet.
    case outdated
    /// A file is missing, or not as it was signed.
    case content(RelativePath)
    /// What is remembered of it cannot be read.
    case damagedRecord(String)
    /// It expires no later than one of which there is no record any more: it may have been carried out.
    case forgotten
    /// Nobody knows which orders were carried out and forgotten.
    case damagedMark(String)
    /// A patch that was written later decided about a path already.
    case olderThan(String, RelativePath)
    /// A file of it cannot lie beside one of an earlier patch.
    case collision(PathCollision)

    /// One line for people.
    var description: String {
        switch self {
        case .statement(let failure): "\(failure)"
        case .otherID: "it came under another number than it was signed with"
        case .otherFleet: "it is for another fleet"
        case .otherHost: "it is not for this machine"
        case .outdated: "it has expired, or is dated in the future"
        case .content(let path): "\(path) is missing, or not as it was signed"
        case .damagedRecord(let file):
            "\(file) is damaged, so that nobody knows what became of it: it is not carried out"
        case .forgotten:
            "it may have been carried out before: an order that expires later is forgotten already"
        case .damagedMark(let file):
            "\(file) is damaged, so that nobody knows which orders were carried out: remove it to obey new ones"
        case .olderThan(let id, let path): "the later order \(id) decided about \(path) already"
        case .collision(let collision): "together with an earlier patch, \(collision)"
        }
    }
}

import Glibc
import HummingbirdCore
import Synchronization

/// The connections that all ports of a server have together. With one more than the system allows files to be open,
/// accepting would stop in silence.
final class ConnectionPool: Sendable {
    /// What the rest of the process is left: the database, logs, keys, releases that are being read.
    private static let reserve = 256
    /// What a port may have when the others have taken all: enough that one of its own always ends, after which it looks
    /// again.
    static let portShare = 64

    /// How many there may be, those that are told to come again among them.
    let limit: Int
    private let count = Mutex(0)
    private let endedCount = Mutex(0)

    /// - Parameters:
    ///   - files: how many files the process may have open.
    ///   - ports: how many ports share them.
    init(files: Int, ports: Int) {
        limit = max(1, files - Self.reserve - ports * Self.portShare)
    }

    /// How many are served; those beyond are told to come again.
    var served: Int { max(1, limit / 9 * 8) }

    var isFull: Bool { count.withLock { $0 >= limit } }
    var isCrowded: Bool { count.withLock { $0 > served } }

    /// How many have ended so far.
    var ended: Int { endedCount.withLock { $0 } }

    func add(_ number: Int) {
        count.withLock { $0 += number }
        if number < 0 { endedCount.withLock { $0 -= number } }
    }

    /// Raises the limit of open files as far as this process may, and tells what it is then.
    static func raisedFileLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        var most = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &most) == 0 { limit = most }
        return Int(clamping: limit.rlim_cur)
    }
}

/// The connections of one port.
struct PortConnections: AvailableConnectionsDelegate {
    let pool: ConnectionPool
    /// How many there may be on this port, those that are told to come again among them.
    let maximum: Int
    private var open = 0

    init(pool: ConnectionPool, maximum: Int) {
        self.pool = pool
        self.maximum = maximum
    }

    mutating func connectionOpened() {
        open += 1
        pool.add(1)
    }

    mutating func connectionClosed() {
        open -= 1
        pool.add(-1)
    }

    func isAcceptingNewConnections() -> Bool {
        open < maximum && (open < ConnectionPool.portShare || !pool.isFull)
    }
}

import CLinux
import Logging
import ServiceLifecycle

/// Gives memory back to the system that connections took and left.
///
/// The C library keeps what is freed below the last piece in use, in each of its arenas: after 10,000 connections by TLS
/// that were many hundred MiB, which nobody but this process could use any more. Looking through the arenas takes
/// milliseconds, so it is done only after many connections have gone.
struct MemoryReturn: ServiceLifecycle.Service {
    /// How often it is looked.
    static let interval = Duration.seconds(5)
    /// How many connections must have ended since the last time.
    static let least = 200

    let pool: ConnectionPool

    func run() async throws {
        var before = 0
        while !Task.isShuttingDownGracefully {
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
            } catch is CancellationError {
                return
            }
            let ended = pool.ended
            guard ended - before >= Self.least else { continue }
            before = ended
            // Blocks this thread of Swift's for some milliseconds.
            _ = pd_return_memory()
        }
    }
}

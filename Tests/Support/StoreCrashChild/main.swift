// Records submissions until it is killed, and says which ones the store has acknowledged:
// `store-crash-child DATABASE HOST-PREFIX HOSTS FIRST-NUMBER`, where DATABASE is `sqlite:PATH` or
// `mongodb://…`. For the tests of the store.

import Foundation
import PDDocument
import PDProtocol
import PDStore

let words = CommandLine.arguments
guard words.count == 5, let hosts = Int(words[3]), let first = Int(words[4]) else {
    FileHandle.standardError.write(
        Data("usage: store-crash-child DATABASE HOST-PREFIX HOSTS FIRST-NUMBER\n".utf8))
    exit(2)
}
let store = try await StoreLocation(uri: words[1]).open(mustExist: false)

/// Sends it again while the store is not available, as an agent does: in MongoDB, the transaction of a process that was
/// killed stands in the way for a minute.
@Sendable func deliver(_ submission: V1.Submission, at time: Int64) async throws {
    while true {
        do {
            _ = try await store.record(submission, submittedAt: time)
            return
        } catch {
            guard case .unavailable = error else { throw error }
        }
    }
}

try await withThrowingTaskGroup(of: Void.self) { group in
    for host in 0..<hosts {
        guard let hostname = Hostname("\(words[2])-\(host)") else { exit(2) }
        group.addTask {
            for number in first... {
                let time = Int64(Date().timeIntervalSince1970 * 1000)
                let submission = V1.Submission(
                    hostname: hostname, collectedAt: nil,
                    plugins: [
                        "counter": ["value": .int(number)],
                        "ballast": .string(String(repeating: "x", count: 4000)),
                    ], commands: nil)
                try await deliver(submission, at: time)
                // In one write(2), so that the line is out whole before the next submission begins.
                let line = Array("\(hostname) \(number)\n".utf8)
                guard write(STDOUT_FILENO, line, line.count) == line.count else { exit(3) }
            }
        }
    }
    try await group.waitForAll()
}

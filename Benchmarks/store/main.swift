// Measures the SQLite store: `swift run -c release store-benchmark [--directory DIR] [--seconds N] [--hosts N]`.
// What the figures mean and how they came out: Benchmarks/store.md.

import Foundation
import PDDocument
import PDProtocol
import PDQuery
import PDStore

/// The arguments, by name.
struct Arguments {
    var directory = FileManager.default.temporaryDirectory.path
    var seconds = 10
    var hosts = 1000

    init(_ words: [String]) {
        for (name, value) in zip(words, words.dropFirst()) {
            switch name {
            case "--directory": directory = value
            case "--seconds": seconds = Int(value) ?? seconds
            case "--hosts": hosts = Int(value) ?? hosts
            default: break
            }
        }
    }
}

/// Plugin results of about 15 kB: 20 plugins, lists and nested objects among them. Each report changes one value.
func plugins() -> Document {
    var plugins: [(String, Value)] = [("counter", ["value": 0])]
    for plugin in 0..<19 {
        let packages = (0..<10).map { index -> Value in
            ["name": .string("package-\(plugin)-\(index)"), "version": "1.2.3-4+deb12u5", "installed": true]
        }
        plugins.append(
            (
                plugin == 0 ? "firewall" : plugin == 1 ? "hd_encryption" : "plugin_\(plugin)",
                ["status": "on", "packages": .array(packages), "seen_at": .date(milliseconds: now())]
            ))
    }
    return Document(plugins)
}

/// Milliseconds since 1970, and never the same twice.
func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

/// What this process has used so far.
func usage() -> rusage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage
}

/// User and system time of this process so far, in seconds.
func processorSeconds() -> Double {
    let usage = usage()
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

/// The peak of resident memory, in MiB.
func peakMemory() -> Int { usage().ru_maxrss / 1024 }

func percentile(_ sorted: [Double], _ share: Double) -> Double {
    sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
}

func line(_ name: String, _ latencies: [Double], seconds: Double, processor: Double) {
    let sorted = latencies.sorted()
    let text = String(
        format: "%d per second, median %.2f ms, p99 %.2f ms, worst %.1f ms, %.0f µs processor time each",
        Int(Double(sorted.count) / seconds), percentile(sorted, 0.5), percentile(sorted, 0.99),
        sorted.last ?? 0,
        processor / Double(max(1, sorted.count)) * 1e6)
    print("\(name): \(text), peak memory \(peakMemory()) MiB")
}

/// Has callers record reports, one after the other each, for that long.
func measure(_ name: String, _ store: SQLiteStore, callers: Int, arguments: Arguments) async throws {
    let clock = ContinuousClock()
    let template = plugins()
    let start = clock.now
    let processor = processorSeconds()
    let end = start + .seconds(arguments.seconds)
    let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
        for caller in 0..<callers {
            group.addTask {
                var latencies: [Double] = []
                var number: Int64 = 0
                while clock.now < end {
                    // Callers go round the fleet side by side. Only the changed field is made anew, so that making
                    // reports costs next to nothing here.
                    let host = (Int(number) * callers + caller) % arguments.hosts
                    guard let hostname = Hostname("host-\(host)") else { break }
                    number += 1
                    let time = now()
                    let submission = V1.Submission(
                        hostname: hostname, collectedAt: time,
                        plugins: template.setting("counter", to: ["value": .int64(time * 1000 + number)]),
                        commands: nil)
                    let begin = clock.now
                    _ = try await store.record(submission, submittedAt: time)
                    latencies.append((clock.now - begin) / .milliseconds(1))
                }
                return latencies
            }
        }
        return try await group.reduce(into: []) { $0 += $1 }
    }
    line(
        name, latencies, seconds: (clock.now - start) / .seconds(1), processor: processorSeconds() - processor
    )
}

/// What of the processor time is the benchmark's own.
func ownCost(count: Int = 20_000) {
    let template = plugins()
    let processor = processorSeconds()
    var bytes = 0
    for number in 0..<count { bytes += template.setting("counter", to: ["value": .int(number)]).byteCount }
    let each = (processorSeconds() - processor) / Double(count) * 1e6
    print(String(format: "a report has %d bytes of BSON, and takes %.0f µs to make", bytes / count, each))
}

/// Does what an audit does with the checks that are shipped: their queries to all hosts, one host at a time, then the
/// open issues.
func audit(_ store: SQLiteStore) async throws {
    struct Sweep: Sendable {
        var hosts = 0
        var found: [[HostID]] = [[], [], []]
    }
    let time = now()
    let queries = QuerySet([
        try Query(json: #"{"submitted_at": {"$lt": {"$ago": "1d"}}}"#, now: time),
        try Query(
            json: """
                {"$or": [{"plugins.hd_encryption.status": "off"},
                         {"plugins.hd_encryption.status": {"$exists": false},
                          "$or": [{"plugins.hd_encryption.encrypted": false},
                                  {"plugins.hd_encryption.encrypted": {"$exists": false}}]}]}
                """),
        try Query(json: #"{"plugins.firewall.status": {"$nin": ["on", "unknown", "not_applicable"]}}"#),
    ])
    let clock = ContinuousClock()
    let begin = clock.now
    let sweep = try await store.reduceHosts(where: nil, into: Sweep()) { sweep, host in
        sweep.hosts += 1
        queries.forEachMatch(in: host.document) {
            sweep.found[$0].append(host.id)
        } undecided: {
            fatalError("\($1)")
        }
    }
    let swept = clock.now
    let found = Dictionary(
        uniqueKeysWithValues: zip(["not-reporting", "unencrypted", "firewall"], sweep.found))
    let issues = try await store.reconcileIssues(found: found, at: time)
    print(
        "audit of \(sweep.hosts) hosts: \(swept - begin), \(issues.count) issues in \(clock.now - swept),",
        "peak memory \(peakMemory()) MiB")
}

let arguments = Arguments(Array(CommandLine.arguments.dropFirst()))
let directory = arguments.directory + "/penguindome-store-benchmark-\(getpid())"
defer { try? FileManager.default.removeItem(atPath: directory) }

ownCost()
let store = try await SQLiteStore.open(path: directory + "/fleet.sqlite")
try await measure("first, 32 callers", store, callers: 32, arguments: arguments)
try await measure("again, 32 callers", store, callers: 32, arguments: arguments)
try await measure("one caller", store, callers: 1, arguments: arguments)
for _ in 1...3 { try await audit(store) }
try await store.close()

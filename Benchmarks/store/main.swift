// Measures the SQLite store: `swift run -c release store-benchmark [--directory DIR] [--seconds N] [--hosts N]`, and audits:
// with `--database FILE`, first to fill it, then to audit it.
// What the figures mean and how they came out: Benchmarks/store.md.

import Foundation
import PDDocument
import PDFleet
import PDProtocol
import PDStore

/// The arguments, by name.
struct Arguments {
    var directory = FileManager.default.temporaryDirectory.path
    var seconds = 10
    var hosts = 1000
    var database: String?

    init(_ words: [String]) {
        for (name, value) in zip(words, words.dropFirst()) {
            switch name {
            case "--directory": directory = value
            case "--seconds": seconds = Int(value) ?? seconds
            case "--hosts": hosts = Int(value) ?? hosts
            case "--database": database = value
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

/// The report of a machine without a fault that any shipped check finds, of about 15 kB of BSON; every fifth has its
/// firewall off.
func machine(_ number: Int) -> Document {
    var plugins: [(String, Value)] = [
        ("hd_encryption", ["status": "on"]),
        ("firewall", ["status": number % 5 == 0 ? "off" : "on", "reason": "no rules"]),
        ("os_updates", ["release": false, "security_patches": false]), ("guest_session", ["enabled": false]),
        (
            "sshd",
            ["status": "running", "config": ["passwordauthentication": "no", "permitrootlogin": "no"]]
        ),
        ("screenlock", ["users": [["user": "anna", "enabled": true]]]),
        ("integrity", ["status": "intact", "release": 7]),
        ("updates_automatic", ["status": "on"]), ("os_end_of_life", ["supported": true]),
        ("reboot_required", ["required": false]), ("autologin", ["enabled": false]),
        ("secure_boot", ["status": "on"]),
        ("users", ["without_password": []]), ("antivirus", ["status": "on"]), ("time_sync", ["status": "on"]),
        ("os_info", ["id": "debian", "name": "Debian GNU/Linux", "version": "12"]),
    ]
    for plugin in 0..<17 {
        let packages = (0..<10).map { index -> Value in
            ["name": .string("package-\(plugin)-\(index)"), "version": "1.2.3-4+deb12u5", "installed": true]
        }
        plugins.append(("plugin_\(plugin)", ["packages": .array(packages)]))
    }
    return Document(plugins)
}

/// Fills a database with machines, or audits the one that is there: what a process has held at most is then the audit's.
func audits(_ arguments: Arguments, database: String) async throws {
    let isNew = !FileManager.default.fileExists(atPath: database)
    let store = try await SQLiteStore.open(path: database)
    if isNew {
        let time = now()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<32 {
                group.addTask {
                    for number in stride(from: caller, to: arguments.hosts, by: 32) {
                        guard let hostname = Hostname("host-\(number)") else { continue }
                        _ = try await store.record(
                            V1.Submission(
                                hostname: hostname, collectedAt: time, plugins: machine(number), commands: nil
                            ),
                            submittedAt: time)
                    }
                }
            }
            try await group.waitForAll()
        }
        print("\(arguments.hosts) hosts of \(machine(0).byteCount) bytes")
    } else {
        let checks = try CheckFile.read(yaml: CheckFile.shipped, file: "checks.yml")
        let clock = ContinuousClock()
        for _ in 1...3 {
            let (begin, processor) = (clock.now, processorSeconds())
            let report = try await Audit.run(
                store: store, checks: checks, builtIn: BuiltInFindings(newestRelease: 7), at: now())
            print(
                "audit of \(report.hostCount) hosts with \(checks.checks.count) checks: \(clock.now - begin),",
                String(format: "%.2f s of processor time,", processorSeconds() - processor),
                "\(report.findings.count) issues, peak memory \(peakMemory()) MiB")
        }
        let (begin, processor) = (clock.now, processorSeconds())
        let standing = try await Audit.standing(store: store, checks: checks, at: now())
        print(
            "as it stands: \(clock.now - begin),",
            String(format: "%.3f s of processor time,", processorSeconds() - processor),
            "\(standing.count) issues")
    }
    try await store.close()
}

let arguments = Arguments(Array(CommandLine.arguments.dropFirst()))
if let database = arguments.database {
    try await audits(arguments, database: database)
    exit(0)
}
let directory = arguments.directory + "/penguindome-store-benchmark-\(getpid())"
defer { try? FileManager.default.removeItem(atPath: directory) }

ownCost()
let store = try await SQLiteStore.open(path: directory + "/fleet.sqlite")
try await measure("first, 32 callers", store, callers: 32, arguments: arguments)
try await measure("again, 32 callers", store, callers: 32, arguments: arguments)
try await measure("one caller", store, callers: 1, arguments: arguments)
try await store.close()

import Foundation
import PDBasics
import PDFleet
import PDStore
import Synchronization

/// What the server counts about itself, in the text form that Prometheus reads (exposition format 0.0.4).
///
/// Label values are names of routes, statuses, dispositions and checks: all of them the server's or its administrators', so
/// that no peer can make the number of series grow.
final class ServerMetrics: Sendable {
    private struct Counts {
        var requests: [Request: Histogram] = [:]
        var submissions: [String: Int] = [:]
        var differences = 0
    }

    private struct Request: Hashable {
        let route: String
        let status: Int
    }

    /// Counts by upper bound, in seconds.
    private struct Histogram {
        static let bounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30]
        var buckets = [Int](repeating: 0, count: bounds.count)
        var count = 0
        var sum = 0.0
    }

    private let counts = Mutex(Counts())

    /// One request was answered.
    func count(route: String, status: Int, took elapsed: Duration) {
        let seconds = elapsed / .seconds(1)
        counts.withLock { counts in
            let key = Request(route: route, status: status)
            counts.requests[key, default: Histogram()].count += 1
            counts.requests[key, default: Histogram()].sum += seconds
            if let index = Histogram.bounds.firstIndex(where: { seconds <= $0 }) {
                counts.requests[key, default: Histogram()].buckets[index] += 1
            }
        }
    }

    /// One submission was taken.
    func count(_ receipt: SubmissionReceipt) {
        counts.withLock { counts in
            counts.submissions["\(receipt.disposition)", default: 0] += 1
            counts.differences += receipt.differences.count
        }
    }

    /// The text, with what is measured now.
    ///
    /// - Parameter fleet: what was measured of the fleet; nothing where its database cannot be read.
    func exposition(_ fleet: FleetGauges? = nil) -> String {
        let counts = counts.withLock { $0 }
        var text = ""
        func family(_ name: String, _ type: String, _ help: String) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        }
        let requests = counts.requests.sorted {
            ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status)
        }
        family("penguindome_request_duration_seconds", "histogram", "Time to answer a request.")
        for (key, histogram) in requests {
            let labels = "route=\"\(key.route)\",status=\"\(key.status)\""
            let name = "penguindome_request_duration_seconds"
            var cumulative = 0
            for (bound, count) in zip(Histogram.bounds, histogram.buckets) {
                cumulative += count
                text += "\(name)_bucket{\(labels),le=\"\(bound)\"} \(cumulative)\n"
            }
            text += "\(name)_bucket{\(labels),le=\"+Inf\"} \(histogram.count)\n"
            text += "\(name)_sum{\(labels)} \(histogram.sum)\n\(name)_count{\(labels)} \(histogram.count)\n"
        }
        family("penguindome_submissions_total", "counter", "Reports by how they were taken.")
        for disposition in ["newHost", "stored", "outdated", "repeated"] {
            let name = disposition == "newHost" ? "new_host" : disposition
            let count = counts.submissions[disposition] ?? 0
            text += "penguindome_submissions_total{disposition=\"\(name)\"} \(count)\n"
        }
        family("penguindome_differences_total", "counter", "Changes that reports brought.")
        text += "penguindome_differences_total \(counts.differences)\n"
        if let fleet {
            family("penguindome_issues_open", "gauge", "Open issues as of the last audit, quiet ones too.")
            for (check, count) in fleet.openIssues.sorted(by: { $0.key < $1.key }) {
                text += "penguindome_issues_open{check=\"\(Self.escaped(check))\"} \(count)\n"
            }
            family("penguindome_hosts_silent", "gauge", "Hosts that the last audit found silent.")
            text += "penguindome_hosts_silent \(fleet.silentHosts)\n"
            family("penguindome_outbox_messages", "gauge", "Messages to people that wait to be delivered.")
            text += "penguindome_outbox_messages \(fleet.waitingMessages)\n"
        }
        if let memory = Self.residentBytes() {
            family("process_resident_memory_bytes", "gauge", "Memory that the process holds.")
            text += "process_resident_memory_bytes \(memory)\n"
        }
        return text
    }

    /// Administrators may open issues under names of their own.
    private static func escaped(_ label: String) -> String {
        label.printable.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }

    /// The second number of `/proc/self/statm` is in pages.
    private static func residentBytes() -> Int? {
        guard let statm = try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii) else {
            return nil  // No such file system; then there is nothing to tell.
        }
        let fields = statm.split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * Int(getpagesize()) } : nil
    }
}

import Logging
import PDFiles
import PDProtocol

/// Delivers what waits in a spool, oldest first.
///
/// A report leaves the spool after a 2xx answer only. One that the server will never take, because it cannot read it
/// (400) or it is too large (413), is set aside. Every other answer, and none, leaves it where it is, to be sent again
/// with the same bytes.
public struct Submitter: Sendable {
    /// How patient to be within one run.
    public struct Patience: Sendable {
        /// How often a report is sent when there is no answer or one that says "later".
        public var attempts = 4
        /// The pause before the second attempt; it doubles with each one. A random share of up to half is taken off,
        /// so that a fleet does not come back all at once.
        public var firstPause: Duration = .milliseconds(500)
        /// When the run stops, whatever still waits.
        public var total: Duration = .seconds(50)
        /// How many refused reports it takes to conclude that the others would be refused as well.
        public var refusals = 3

        /// The standard values.
        public init() {}
    }

    /// What became of a run.
    public struct Outcome: Sendable, Equatable {
        /// How many reports the server took.
        public var delivered = 0
        /// How many still wait.
        public var waiting = 0
        /// Why the last refused one was refused.
        public var refusal: String?
        /// Why the server could not be reached, or that it asked to come back later.
        public var unreachable: String?

        /// Nothing delivered, nothing left.
        public init() {}
    }

    private let transport: any ReportTransport
    private let patience: Patience
    private let random: @Sendable () -> Double
    private let log: Logger

    /// A submitter.
    ///
    /// - Parameter random: numbers from 0 to 1 that spread the pauses of many machines.
    public init(
        transport: any ReportTransport, patience: Patience = Patience(), log: Logger,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) {
        self.transport = transport
        self.patience = patience
        self.random = random
        self.log = log
    }

    /// Sends what waits.
    ///
    /// - Throws: ``FileError`` where the spool cannot be read or changed.
    public func run(_ spool: Spool) async throws(FileError) -> Outcome {
        let end = SuspendingClock.now + patience.total
        var outcome = Outcome()
        var refusals = 0
        sending: for entry in try spool.contents().waiting {
            guard SuspendingClock.now < end else {
                outcome.unreachable = "the time allowed was not enough for all reports"
                break
            }
            guard let report = try spool.read(entry) else {
                outcome.refusal = "\(entry.name) is damaged; it is kept as .bad"
                log.warning("a report in the spool is damaged; set aside", metadata: entry.metadata)
                try spool.setAside(entry)
                continue
            }
            switch await send(report, until: end) {
            case .delivered:
                try spool.remove(entry)
                outcome.delivered += 1
                log.debug("delivered", metadata: entry.metadata)
            case .unacceptable(let status):
                try spool.setAside(entry)
                outcome.refusal = "\(entry.name) was refused with status \(status); it is kept as .bad"
                log.warning(
                    "the server will never take a report; set aside", metadata: entry.metadata(status))
            case .refused(let status):
                outcome.refusal = "\(entry.name) was refused with status \(status)"
                log.info("the server refused a report; it is kept", metadata: entry.metadata(status))
                refusals += 1
                if refusals == patience.refusals { break sending }
            case .refusedAll(let status):
                outcome.refusal = "the server refused with status \(status)"
                log.info("the server refuses requests; reports are kept", metadata: entry.metadata(status))
                break sending
            case .unreachable(let reason):
                outcome.unreachable = reason
                log.info("the server is not reached; reports are kept: \(reason)")
                break sending
            }
        }
        outcome.waiting = try spool.contents().waiting.count
        return outcome
    }

    // MARK: - One report

    private enum Answer {
        case delivered
        /// 400, 413: sending it again is of no use.
        case unacceptable(Int)
        /// This report.
        case refused(Int)
        /// Whatever we send.
        case refusedAll(Int)
        case unreachable(String)
    }

    private func send(_ report: SignedReport, until end: SuspendingClock.Instant) async -> Answer {
        let body = V1.Envelope(data: report.data, signature: report.signature).formBody()
        var pause = patience.firstPause
        var attempt = 1
        while true {
            let reason: String
            do throws(TransportError) {
                let status = try await transport.post(body)
                switch status {
                case 200...299: return .delivered
                case 400, 413: return .unacceptable(status)
                case 408, 425, 429, 500...: reason = "it answered with status \(status)"
                // Authentication wanted, wrong address, a redirection: not about this report.
                case 401, 404, 405, 407, ..<400: return .refusedAll(status)
                default: return .refused(status)
                }
            } catch {
                reason = error.description
            }
            let wait = pause * (1 - random() / 2)
            guard attempt < patience.attempts, SuspendingClock.now + wait < end else {
                return .unreachable(reason)
            }
            log.debug("attempt \(attempt) failed: \(reason)")
            attempt += 1
            pause *= 2
            do {
                try await Task.sleep(for: wait, clock: .suspending)
            } catch {
                return .unreachable(reason)
            }
        }
    }
}

extension Spool.Entry {
    fileprivate func metadata(_ status: Int) -> Logger.Metadata {
        metadata.merging(["status": "\(status)"]) { $1 }
    }
}

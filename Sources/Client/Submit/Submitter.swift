import Logging
import PDFiles
import PDProtocol

/// Delivers what waits in a spool, oldest first.
///
/// A report leaves the spool after a 2xx answer only. One that the server will never take, because it cannot read it
/// (400) or it is too large (413), is set aside. Every other answer, and none, leaves it where it is, to be sent again
/// with the same bytes.
///
/// One that is refused by itself holds up none behind it, whatever their number: those that were refused before are passed
/// over but for a few, and once others are taken while they are refused again, they are set aside.
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
        /// How many refused reports it takes to conclude that the others would be refused as well. Of those that were
        /// refused in an earlier run as many are tried again.
        public var refusals = 3

        /// The standard values.
        public init() {}
    }

    /// What became of a run.
    public struct Outcome: Sendable, Equatable {
        /// How many reports the server took.
        public var delivered = 0
        /// The last of them, as it was sent.
        public var last: SignedReport?
        /// How many still wait.
        public var waiting = 0
        /// Why the last refused one was refused.
        public var refusal: String?
        /// The numbers of those that were refused and still wait.
        public var refused: Set<Int> = []
        /// How many were set aside because they are dated ahead of our clock.
        public var ahead = 0
        /// Why the server could not be reached, or that it asked to come back later.
        public var unreachable: String?

        /// Nothing delivered, nothing left.
        public init() {}
    }

    private let transport: any ReportTransport
    private let patience: Patience
    private let random: @Sendable () -> Double
    private let log: Logger
    private let standing: @Sendable (SignedReport) -> SignedReport.Standing

    /// A submitter.
    ///
    /// - Parameters:
    ///   - standing: what a report's own signature is worth, before it is sent.
    ///   - random: numbers from 0 to 1 that spread the pauses of many machines.
    public init(
        transport: any ReportTransport, patience: Patience = Patience(), log: Logger,
        standing: @escaping @Sendable (SignedReport) -> SignedReport.Standing = { _ in .good },
        random: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) {
        self.standing = standing
        self.transport = transport
        self.patience = patience
        self.random = random
        self.log = log
    }

    /// Sends what waits.
    ///
    /// - Parameter before: ``Outcome/refused`` of the last run.
    /// - Throws: ``FileError`` where the spool cannot be read or changed.
    public func run(_ spool: Spool, refusedBefore before: Set<Int> = []) async throws(FileError) -> Outcome {
        let end = SuspendingClock.now + patience.total
        var outcome = Outcome()
        // By number: whether it was only its date that spoke against it.
        var refused: [Int: (entry: Spool.Entry, isAhead: Bool)] = [:]
        var fresh = 0
        var again = 0
        sending: for entry in try spool.contents().waiting {
            guard SuspendingClock.now < end else {
                outcome.unreachable = "the time allowed was not enough for all reports"
                break
            }
            guard let report = spool.read(entry) else {
                try setAside(entry, "is damaged", spool, &outcome)
                continue
            }
            switch standing(report) {
            case .good: break
            case .damaged:
                try setAside(entry, "is not as it was signed", spool, &outcome)
                continue
            case .ahead:
                outcome.refusal = "\(entry.name) is dated ahead of this machine's clock"
                refused[entry.number] = (entry, true)
                continue
            }
            // Where the first ones are refused as they were before, so are the rest; where one is taken, they are not.
            let isKnown = before.contains(entry.number)
            if isKnown, again == patience.refusals {
                outcome.refused.insert(entry.number)
                continue
            }
            switch await send(report, until: end) {
            case .delivered:
                try spool.remove(entry)
                outcome.delivered += 1
                outcome.last = report
                log.debug("delivered", metadata: entry.metadata)
            case .unacceptable(let status):
                try setAside(entry, "was refused with status \(status)", spool, &outcome)
            case .refused(let status):
                outcome.refusal = "\(entry.name) was refused with status \(status)"
                log.info("the server refused a report; it is kept", metadata: entry.metadata(status))
                refused[entry.number] = (entry, false)
                if isKnown { again += 1 } else { fresh += 1 }
                if fresh == patience.refusals { break sending }
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
        for (number, (entry, isAhead)) in refused.sorted(by: { $0.key < $1.key }) {
            // Others were taken meanwhile: it is this one that is wrong, not our key, nor our clock.
            guard outcome.delivered > 0, isAhead || before.contains(number) else {
                outcome.refused.insert(number)
                continue
            }
            let reason =
                isAhead ? "is dated ahead of this machine's clock" : "is refused while others are taken"
            try setAside(entry, reason, spool, &outcome)
            if isAhead { outcome.ahead += 1 }
        }
        let waiting = try spool.contents().waiting
        outcome.waiting = waiting.count
        outcome.refused.formUnion(before.intersection(waiting.map(\.number)))
        return outcome
    }

    private func setAside(
        _ entry: Spool.Entry, _ reason: String, _ spool: Spool, _ outcome: inout Outcome
    ) throws(FileError) {
        outcome.refusal = "\(entry.name) \(reason); it is kept as .bad"
        log.warning("a report is set aside: it \(reason)", metadata: entry.metadata)
        try spool.setAside(entry)
    }

    /// Sends a report that lies in no spool.
    ///
    /// - Returns: nothing where it was taken, else why not.
    func send(_ report: SignedReport) async -> String? {
        switch await send(report, until: SuspendingClock.now + patience.total) {
        case .delivered: nil
        case .unacceptable(let status), .refused(let status), .refusedAll(let status):
            "the server refused it with status \(status)"
        case .unreachable(let reason): reason
        }
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

import Foundation
import Logging
import PDFleet
import PDStore
import ServiceLifecycle

/// Says each few minutes that this server runs, and each minute tells people what became due: at the end of their quiet
/// hours what is still wrong, and again what could not be delivered before. Of several servers on one database one does.
struct AlertService: ServiceLifecycle.Service {
    /// What the lease is called.
    static let lease = "alerts"
    private static let interval: Int64 = 60_000

    let fleet: Fleet
    /// Different in each process.
    let holder: String
    /// The clock, in milliseconds since 1970-01-01 UTC.
    let now: @Sendable () -> Int64
    let logger: Logger

    func run() async throws {
        let started = now()
        var lastBeat = Int64.min
        while !Task.isShuttingDownGracefully {
            let time = now()
            if lastBeat == .min || time - lastBeat >= ServerPresence.beat {
                lastBeat = time
                await beat(from: started, at: time)
            }
            await tell(at: time)
            do {
                try await cancelWhenGracefulShutdown {
                    try await Task.sleep(for: .milliseconds(Self.interval))
                }
            } catch is CancellationError {
                break
            }
        }
        await beat(from: started, at: now())
        do throws(StoreError) {
            try await fleet.store.releaseLease(Self.lease, holder: holder)
        } catch {
            logger.warning("the lease of the alerts could not be given back: \(error)")
        }
    }

    private func beat(from started: Int64, at time: Int64) async {
        do throws(StoreError) {
            let record = ServerPresence.record(server: holder, from: started, to: max(started, time))
            try await fleet.store.apply(records: [.put(.presence, record)])
        } catch {
            logger.warning("that this server runs could not be written down: \(error)")
        }
    }

    /// Plans and delivers, where this process may. What goes wrong is logged, and tried again next time.
    func tell(at time: Int64) async {
        guard !fleet.settings.alerts.isEmpty else { return }
        do {
            guard
                try await fleet.store.takeLease(
                    Self.lease, holder: holder, at: time, duration: Self.interval * 5)
            else { return }
            let checks = try CheckFile.read(fleet.state.checksFile)
            let alerting = Alerting(store: fleet.store, settings: fleet.settings.alerts, checks: checks)
            try await alerting.plan(
                try await Audit.standing(store: fleet.store, checks: checks, at: time), at: time)
            let round = try await alerting.deliver(
                by: NetworkDelivery(fleet), at: time, jitter: { Double.random(in: 0...1) })
            for (channel, reason) in round.failures.sorted(by: { $0.key < $1.key }) {
                logger.warning("a message was not delivered: \(reason)", metadata: ["channel": "\(channel)"])
            }
        } catch {
            logger.error("alerts: \(error)")
        }
    }
}

import Glibc
import Logging
import PDFiles

/// The agent that stays: it sleeps, and starts a process for each thing that is to be done, so that it is small itself and
/// a new release takes over with the next one.
public struct AgentLoop {
    private let state: StateDirectory
    private let configuration: String?
    /// The executable as an absolute path, and the arguments that every command gets.
    private let program: String
    private let arguments: [String]
    private let machine: Machine

    /// A loop for the agent whose membership lies in that directory.
    public init(
        state: StateDirectory, configuration: String?, program: String, arguments: [String],
        machine: Machine = .this()
    ) {
        self.state = state
        self.configuration = configuration
        self.program = program
        self.arguments = arguments
        self.machine = machine
    }

    /// Runs until SIGTERM or SIGINT; SIGHUP has it read its settings anew.
    public func run() throws(AgentError) {
        let lock = try instanceLock()
        defer { withExtendedLifetime(lock) {} }
        let events: AgentEvents
        do throws(FileError) {
            events = try AgentEvents([SIGTERM, SIGINT, SIGHUP, SIGCHLD])
        } catch { throw .file(error) }
        let settings = try settings()
        var schedule = AgentSchedule(settings)
        var log = AgentLog.logger(settings, state: state)
        var collection = ContinuousClock.now
        var delivery = collection
        while true {
            let waits = waits
            var isReload = false
            switch events.wait(until: waits ? min(collection, delivery) : collection, watchesNetwork: waits) {
            case .signal(SIGTERM), .signal(SIGINT): return
            case .signal(SIGHUP): isReload = true
            case .signal: continue
            case .network:
                delivery = min(delivery, .now + AgentSchedule.afterNetwork(random: .random(in: 0...1)))
                continue
            case .time: break
            }
            if isReload {
                reload(&schedule, &log)
                // Sooner where the intervals are shorter now, but not at once: a whole fleet may have been told so.
                collection = min(collection, .now + untilCollection(schedule))
                continue
            }
            guard !Shutdown.isUnderWay(machine) else {
                // Should it be called off, that is seen then.
                (collection, delivery) = (.now + .seconds(60), .now + .seconds(60))
                continue
            }
            let isCollection = ContinuousClock.now >= collection
            for command in isCollection ? ["update", "cycle"] : ["submit"] {
                guard let code = carryOut(command, events, log, &isReload) else { return }
                if command != "update" { schedule.failures = code == 3 ? schedule.failures + 1 : 0 }
            }
            if isReload { reload(&schedule, &log) }
            if isCollection { collection = .now + untilCollection(schedule) }
            delivery =
                .now + schedule.untilDelivery(isOnBattery: isOnBattery, random: .random(in: 0...1))
        }
    }

    private func reload(_ schedule: inout AgentSchedule, _ log: inout Logger) {
        do throws(AgentError) {
            let new = try settings()
            (schedule.collectInterval, schedule.submitInterval) = (new.collectInterval, new.submitInterval)
            log = AgentLog.logger(new, state: state)
            log.notice("the settings were read anew")
        } catch { log.error("the settings stay as they were", metadata: ["reason": "\(error)"]) }
    }

    private func untilCollection(_ schedule: AgentSchedule) -> Duration {
        schedule.untilCollection(isOnBattery: isOnBattery, random: .random(in: 0...1))
    }

    /// One that stays is enough. What it starts takes the other lock.
    private func instanceLock() throws(AgentError) -> StateLock {
        do throws(FileError) {
            return try StateLock("\(state.path)/run.lock")
        } catch {
            throw error.code == EWOULDBLOCK
                ? .busy(state.path) : error.isAbsence ? .notJoined(state.path) : .file(error)
        }
    }

    private func settings() throws(AgentError) -> AgentSettings {
        try Agent.settings(state: state, configuration: configuration)
    }

    private var waits: Bool {
        // What cannot be looked at is looked at by the next cycle, which says so.
        (try? Spool.contents(of: state.spool).waiting.isEmpty == false) ?? false
    }

    /// Whether there is a source of power from outside, and it gives none.
    private var isOnBattery: Bool {
        let directory = "/sys/class/power_supply"
        let outside = ((try? machine.names(in: directory)) ?? []).filter {
            machine.attribute("\(directory)/\($0)/type") != "Battery"
                && machine.exists("\(directory)/\($0)/online")
        }
        return !outside.isEmpty
            && outside.allSatisfy { machine.attribute("\(directory)/\($0)/online") == "0" }
    }

    /// Runs one command to its end.
    ///
    /// - Returns: its exit code; nothing where we are to end, and it was ended first.
    private func carryOut(
        _ command: String, _ events: AgentEvents, _ log: Logger, _ isReload: inout Bool
    ) -> Int32? {
        guard let process = ChildProcess.startInheriting(program, ["pd-agent", command] + arguments) else {
            log.error("pd-agent \(command) cannot be started")
            return 1
        }
        while true {
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process { return ChildProcess.returncode(status) }
            // Its end is announced; should that be lost, a look each minute finds it.
            switch events.wait(until: .now + .seconds(60)) {
            case .signal(SIGTERM), .signal(SIGINT):
                kill(process, SIGTERM)
                _ = retryingInterrupts { Int(waitpid(process, &status, 0)) }
                return nil
            case .signal(SIGHUP): isReload = true
            default: continue
            }
        }
    }
}

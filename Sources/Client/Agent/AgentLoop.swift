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

    /// What woke it.
    private enum Wake {
        case due, reload, end
    }

    /// Runs until SIGTERM or SIGINT; SIGHUP has it read its settings anew.
    public func run() throws(AgentError) {
        let lock = try instanceLock()
        defer { withExtendedLifetime(lock) {} }
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        let settings = try settings()
        var schedule = AgentSchedule(settings)
        var log = AgentLog.logger(settings, state: state)
        var collection = ContinuousClock.now
        var delivery = collection
        while true {
            let next = waits ? min(collection, delivery) : collection
            switch sleep(until: next, &signals) {
            case .end: return
            case .reload:
                do throws(AgentError) {
                    let new = try self.settings()
                    (schedule.collectInterval, schedule.submitInterval) = (
                        new.collectInterval, new.submitInterval
                    )
                    log = AgentLog.logger(new, state: state)
                    log.notice("the settings were read anew")
                } catch { log.error("the settings stay as they were", metadata: ["reason": "\(error)"]) }
                continue
            case .due: break
            }
            let isCollection = ContinuousClock.now >= collection
            for command in isCollection ? ["update", "cycle"] : ["submit"] {
                guard let code = carryOut(command, &signals, log) else { return }
                if command != "update" { schedule.failures = code == 3 ? schedule.failures + 1 : 0 }
            }
            let now = ContinuousClock.now
            if isCollection {
                collection =
                    now + schedule.untilCollection(isOnBattery: isOnBattery, random: .random(in: 0...1))
            }
            delivery = now + schedule.untilDelivery(isOnBattery: isOnBattery, random: .random(in: 0...1))
        }
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

    private func sleep(until time: ContinuousClock.Instant, _ signals: inout sigset_t) -> Wake {
        while true {
            let left = max(.zero, ContinuousClock.now.duration(to: time))
            var timeout = timespec(
                tv_sec: Int(left.components.seconds),
                tv_nsec: Int(left.components.attoseconds / 1_000_000_000))
            switch sigtimedwait(&signals, nil, &timeout) {
            case SIGTERM, SIGINT: return .end
            case SIGHUP: return .reload
            case SIGCHLD: continue
            default: if ContinuousClock.now >= time { return .due }
            }
        }
    }

    /// Runs one command to its end.
    ///
    /// - Returns: its exit code; nothing where we are to end, and it was ended first.
    private func carryOut(_ command: String, _ signals: inout sigset_t, _ log: Logger) -> Int32? {
        guard let process = ChildProcess.startInheriting(program, ["pd-agent", command] + arguments) else {
            log.error("pd-agent \(command) cannot be started")
            return 1
        }
        while true {
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process { return ChildProcess.returncode(status) }
            // Its end is announced; should that be lost, a look each minute finds it.
            var timeout = timespec(tv_sec: 60, tv_nsec: 0)
            switch sigtimedwait(&signals, nil, &timeout) {
            case SIGTERM, SIGINT:
                kill(process, SIGTERM)
                _ = retryingInterrupts { Int(waitpid(process, &status, 0)) }
                return nil
            default: continue
            }
        }
    }
}

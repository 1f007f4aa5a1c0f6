import Glibc
import Logging
import PDBasics
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol
import PDSecrets
import PDSettings

/// A member of a fleet: collects, keeps, and delivers.
public struct Agent: Sendable {
    /// Where it keeps what it needs.
    public let state: StateDirectory
    /// What it is set to.
    public let settings: AgentSettings
    /// What it reports as.
    public let hostname: Hostname

    let signer: any ReportSigner
    let machine: Machine
    let runner: CollectorRunner
    let now: @Sendable () -> Int64
    let log: Logger

    /// An agent from its parts.
    ///
    /// - Parameter now: the time in milliseconds since 1970-01-01 UTC.
    public init(
        state: StateDirectory, settings: AgentSettings, hostname: Hostname, signer: any ReportSigner,
        machine: Machine, runner: CollectorRunner, log: Logger,
        now: @escaping @Sendable () -> Int64 = { Agent.currentTime() }
    ) {
        self.state = state
        self.settings = settings
        self.hostname = hostname
        self.signer = signer
        self.machine = machine
        self.runner = runner
        self.now = now
        self.log = log
    }

    /// The agent whose membership lies in that directory, on this machine.
    ///
    /// - Parameters:
    ///   - configuration: a settings file to use instead of the one in the directory.
    ///   - worker: how to start a process that runs collectors by ``work(state:configuration:isWritable:log:)``.
    public static func load(
        state: StateDirectory, configuration: String? = nil, worker: [String]? = nil, log: Logger
    ) throws(AgentError) -> Agent {
        let settings = try settings(state: state, configuration: configuration)
        let signer = try signer(state)
        let now = Self.currentTime
        var runner = CollectorRunner(
            collectors(state: state, settings: settings, log: log, now: now), worker: worker)
        if worker != nil { runner.adoptOrphans() }
        return Agent(
            state: state, settings: settings, hostname: hostname(settings), signer: signer,
            machine: .this(), runner: runner, log: log)
    }

    /// Runs collectors in this process, for an agent that started it, until that has no more to run.
    public static func work(
        state: StateDirectory, configuration: String?, isWritable: Bool, log: Logger
    ) throws(AgentError) {
        let settings = try settings(state: state, configuration: configuration)
        CollectorWorker(
            collectors(state: state, settings: settings, log: log, now: currentTime),
            environment: CollectorEnvironment(
                machine: .this(), directory: state.collectors, isWritable: isWritable,
                settings: settings.collectorSettings)
        ).run()
    }

    private static func collectors(
        state: StateDirectory, settings: AgentSettings, log: Logger, now: @escaping @Sendable () -> Int64
    ) -> [any Collector] {
        var collectors: [String: any Collector] = [:]
        // What somebody signed for this machine counts more than what is built in.
        let all: [any Collector] =
            BuiltInCollectors.all + plugins(state: state, settings: settings, log: log, now: now())
            + [IntegrityCollector(state: state, settings: settings, log: log, now: now)]
        for collector in all { collectors[collector.name] = collector }
        return collectors.values.filter { settings.isOn($0.name) }.sorted { $0.name < $1.name }
    }

    /// The settings of the agent whose membership lies in that directory.
    public static func settings(
        state: StateDirectory, configuration: String?
    ) throws(AgentError) -> AgentSettings {
        let file = configuration ?? state.settings
        for path in [state.path, file] {
            var status = stat()
            guard stat(path, &status) != 0 || status.st_mode & 0o022 == 0 else { throw .writable(path) }
        }
        let yaml: [UInt8]
        do throws(FileError) {
            yaml = try Files.read(file, limit: 1 << 20)
        } catch { throw error.isAbsence && configuration == nil ? .notJoined(state.path) : .file(error) }
        let settings: AgentSettings
        do throws(SettingsError) {
            let text = String(decoding: yaml, as: UTF8.self)
            let own = try AgentSettings(yaml: text, file: file)
            settings = try ReleasedSettings(state: state, trust: own.trust, now: currentTime())
                .filling(own, yaml: text, file: file)
        } catch { throw .settings(error) }
        if let path = settings.caPath, !Files.exists(path) {
            throw .settings(
                SettingsError(file: file, line: nil, message: "ssl:ca_path: there is no file \(path)"))
        }
        return settings
    }

    private static func signer(_ state: StateDirectory) throws(AgentError) -> OpenPGPSigner {
        let key: SecretBytes
        do throws(FileError) {
            key = try Files.readSecret(
                state.clientKey, limit: OpenPGP.SecretKey.sizeLimit, links: .refuse)
        } catch { throw error.isAbsence ? .notJoined(state.path) : .file(error) }
        do throws(OpenPGP.Error) {
            return try OpenPGPSigner(key)
        } catch { throw .key(file: state.clientKey, reason: "\(error)") }
    }

    private static func hostname(_ settings: AgentSettings) -> Hostname {
        if let hostname = settings.hostname { return hostname }
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        let name = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return Hostname(kernelName: name, machineID: (try? Files.read("/etc/machine-id")) ?? [])
    }

    /// Milliseconds since 1970-01-01 UTC.
    @Sendable public static func currentTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    // MARK: - Collecting

    /// What there is to report now, without signing or keeping it.
    ///
    /// - Parameter isKept: whether collectors may remember what they found.
    public func report(isKept: Bool = true) async -> V1.Submission {
        let plugins = await runner.run(
            in: CollectorEnvironment(
                machine: machine, directory: state.collectors, isWritable: isKept,
                settings: settings.collectorSettings, now: now))
        return V1.Submission(
            hostname: hostname, collectedAt: now(), agent: BuildStamp.text,
            plugins: PrivateFields(
                selectors: settings.withheld
            ).removed(from: plugins), commands: nil
        )
    }

    /// What there is to report now, as JSON to look at.
    public func shownReport() async -> String {
        String(decoding: await report(isKept: false).json(), as: UTF8.self)
    }

    /// Puts a report into the spool.
    public func collect() async throws(AgentError) {
        try await collect(lock: state.lock())
    }

    private func collect(lock: StateLock) async throws(AgentError) {
        let report = await report()
        for (name, result) in report.plugins ?? [:] {
            guard let failed = result.document, failed["returncode"] != nil, failed["status"] == "unknown",
                let reason = failed["reason"]?.string
            else { continue }
            log.debug("a collector has no answer", metadata: ["collector": "\(name)", "reason": "\(reason)"])
        }
        let time = now()
        var history = AgentHistory(file: state.history)
        let clock = clockProblem(history, at: time)
        let signed = try sign(report.adding("clock", clock ?? history.clock), at: time)
        do throws(FileError) {
            try Spool(directory: state.spool, lock: lock, log: log).add(signed)
        } catch { throw .notKept(error, report) }
        log.debug("collected", metadata: ["bytes": "\(signed.data.count)"])
        do throws(FileError) {
            history.collectedAt = time
            history.clock = nil
            try history.write(to: state.history)
        } catch { throw .file(error) }
    }

    private func sign(_ report: V1.Submission, at time: Int64) throws(AgentError) -> SignedReport {
        let data = report.json()
        do {
            return SignedReport(data: data, signature: Array(try signer.sign(data, at: time / 1000).utf8))
        } catch { throw .signing("\(error)") }
    }

    /// A clock that was put back far, or stands before this agent was built.
    private func clockProblem(_ history: AgentHistory, at time: Int64) -> String? {
        let last = max(history.collectedAt ?? 0, history.deliveredAt ?? 0)
        let text = { (milliseconds: Int64) in Timestamp.text(milliseconds: milliseconds) }
        return last > time + 600_000
            ? "it went back from \(text(last)) to \(text(time)): it was wrong before, or is now" : nil
    }

    /// Sends what cannot be kept, and says so in it.
    private func sendUnkept(
        _ report: V1.Submission, _ problem: FileError, over transport: any ReportTransport,
        patience: Submitter.Patience
    ) async throws(AgentError) {
        let signed = try sign(report.adding("state", "\(problem)"), at: now())
        log.error("the report cannot be kept; it is sent at once", metadata: ["reason": "\(problem)"])
        let submitter = Submitter(transport: transport, patience: patience, log: log)
        if let reason = await submitter.send(signed) {
            throw .notReached(server: settings.serverURL, reason: reason, waiting: 0)
        }
    }

    // MARK: - Delivering

    /// Delivers what waits in the spool.
    ///
    /// - Returns: how many reports the server took.
    /// - Throws: ``AgentError/notReached(server:reason:waiting:)`` and ``AgentError/refused(server:reason:waiting:)``
    ///   where not all were delivered.
    @discardableResult
    public func submit(
        over transport: any ReportTransport, patience: Submitter.Patience = .init()
    ) async throws(AgentError) -> Int {
        try await submit(over: transport, patience: patience, lock: state.lock())
    }

    /// Collects, then delivers what waits, also where collecting failed.
    ///
    /// - Returns: how many reports the server took.
    /// - Throws: why there is no new report, else what ``submit(over:patience:)`` throws.
    @discardableResult
    public func cycle(
        over transport: any ReportTransport, patience: Submitter.Patience = .init()
    ) async throws(AgentError) -> Int {
        let lock: StateLock
        do throws(AgentError) {
            lock = try state.lock()
        } catch {
            // A disk that takes nothing is no reason for silence.
            guard case .file(let problem) = error, [EROFS, ENOSPC, EDQUOT, EIO].contains(problem.code) else {
                throw error
            }
            try await sendUnkept(await report(isKept: false), problem, over: transport, patience: patience)
            throw error
        }
        do throws(AgentError) {
            try await collect(lock: lock)
        } catch {
            if case .notKept(let problem, let report) = error {
                try? await sendUnkept(report, problem, over: transport, patience: patience)
            }
            // Delivering is what makes room on a full disk.
            do throws(AgentError) {
                try await submit(over: transport, patience: patience, lock: lock, after: error)
            } catch let undelivered {
                log.error("nor is all delivered that waits", metadata: ["reason": "\(undelivered)"])
            }
            throw error
        }
        return try await submit(over: transport, patience: patience, lock: lock)
    }

    /// - Parameter earlier: what went wrong before in this run.
    @discardableResult
    private func submit(
        over transport: any ReportTransport, patience: Submitter.Patience, lock: StateLock,
        after earlier: AgentError? = nil
    ) async throws(AgentError) -> Int {
        var history = AgentHistory(file: state.history)
        let outcome: Submitter.Outcome
        let (signer, now) = (self.signer, self.now)
        do throws(FileError) {
            let spool = try Spool(directory: state.spool, lock: lock, log: log)
            try renewSignatures(in: spool)
            outcome = try await Submitter(transport: transport, patience: patience, log: log) {
                signer.standing(of: $0, at: now() / 1000)
            }.run(spool, refusedBefore: history.refused)
        } catch { throw .file(error) }

        history.refused = outcome.refused
        do throws(FileError) {
            if let last = outcome.last { try remember(last) }
        } catch { log.error("what was sent cannot be kept to be shown", metadata: ["reason": "\(error)"]) }
        if outcome.ahead > 0 {
            history.clock = "it was ahead: \(outcome.ahead) reports from then were not delivered"
        }
        if outcome.delivered > 0 { history.deliveredAt = self.now() }
        let problem = problem(outcome)
        history.error = (earlier ?? problem)?.description
        history.errorAt = history.error == nil ? nil : self.now()
        do throws(FileError) {
            try history.write(to: state.history)
        } catch {
            // What was delivered is delivered.
            log.error("what was done cannot be written down", metadata: ["reason": "\(error)"])
        }
        if let problem { throw problem }
        return outcome.delivered
    }

    private func problem(_ outcome: Submitter.Outcome) -> AgentError? {
        if let reason = outcome.unreachable {
            return .notReached(server: settings.serverURL, reason: reason, waiting: outcome.waiting)
        }
        return outcome.refusal.map {
            .refused(server: settings.serverURL, reason: $0, waiting: outcome.waiting)
        }
    }

    // MARK: - Looking

    /// Logs, for those who measure, what this process has used by itself, the commands that it ran not counted.
    public func logResources() {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let time = [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + $1.tv_sec * 1_000_000 + Int($1.tv_usec) }
        log.debug("resources", metadata: ["cpu_us": "\(time)", "peak_kib": "\(usage.ru_maxrss)"])
    }

    /// Who this agent is and how it fares, to show.
    public func status() throws(AgentError) -> Document {
        let contents: Spool.Contents
        do throws(FileError) {
            contents = try Spool.contents(of: state.spool)
        } catch { throw .file(error) }
        let history = AgentHistory(file: state.history)
        let time = { (milliseconds: Int64?) in
            milliseconds.map(Value.date(milliseconds:)) ?? .null
        }
        let machine = try machineStatus()
        // A folder that cannot be read has no release that works.
        let release =
            Files.exists(state.releases) ? (try? ReleaseFolder(state.releases)).flatMap(\.current) : nil
        return [
            "hostname": .string(hostname.name),
            "version": .string(BuildStamp.text),
            "release": release.map(Value.int) ?? .null,
            "server": .string(settings.serverURL),
            "key": .string(signer.fingerprint),
            "machine_key": machine.key,
            "machine_standing": machine.standing,
            "state": .string(state.path),
            "waiting": .int(contents.waiting.count),
            "waiting_bytes": .int(contents.byteCount),
            "collected_at": time(history.collectedAt),
            "delivered_at": time(history.deliveredAt),
            "error": history.error.map(Value.string) ?? .null,
            "error_at": time(history.errorAt),
            "bad": .array(contents.bad.map { .string("\(state.spool)/\($0.name)") }),
            "notes": .array(settings.notes.map(Value.string)),
        ]
    }
}

import PDDocument

/// `time_sync`: whether the clock is set by the network, and by what.
struct TimeSyncCollector: Collector {
    let name = "time_sync"
    let commands: Set = ["timedatectl"]

    /// Programs that set the clock.
    private static let programs = [
        "systemd-timesyncd", "chronyd", "ntpd", "ntpd-rs", "ntp-daemon", "openntpd",
    ]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let processes = try RunningProcess.all(machine)
        let running = Self.programs.filter { program in processes.contains { $0.isProgram(program) } }
        var verdict: Verdict
        var evidence: [String] = []
        do throws(CommandError) {
            let output = try machine.run("timedatectl", "show", "-p", "NTPSynchronized", "-p", "NTP")
            let fields = ShellAssignments.parse(output.text)
            switch (output.returncode, fields["NTPSynchronized"]) {
            case (0, "yes"): verdict = .on
            case (0, "no"): verdict = .off
            default: verdict = .unknown("timedatectl: \(output.complaint)")
            }
            evidence.append("timedatectl")
        } catch {
            verdict = .unknown("\(error)")
        }
        if case .unknown = verdict {
            evidence = ["/proc"]
            if running.isEmpty, !processes.isEmpty { verdict = .off }
        }
        var result = DocumentWriter()
        result.append("status", .string(verdict.word))
        let reason =
            verdict == .off
            ? (running.isEmpty ? "nothing sets the clock" : "the clock is not in step yet") : verdict.reason
        result.append("reason", ifPresent: reason)
        result.append("programs", running)
        result.append("evidence", evidence)
        return .document(result.finish())
    }
}

import PDDocument

/// `reboot_required`: whether an update takes effect only after a restart of the machine.
struct RebootCollector: Collector {
    let name = "reboot_required"
    let commands: Set = ["dnf"]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        var result = DocumentWriter()
        if let kind = Container.kind(machine) {
            result.append("required", false)
            result.append("reason", .string("a container (\(kind)) runs the kernel of its host"))
            return .document(result.finish())
        }
        let (answer, reason, evidence) = try Self.answer(machine)
        result.append("required", .known(answer))
        result.append("reason", ifPresent: reason)
        result.append("packages", ifAny: Self.packages(machine))
        result.append("evidence", ifAny: evidence)
        return .document(result.finish())
    }

    private static func answer(_ machine: Machine) throws -> (Bool?, String?, [String]) {
        for path in ["/run/reboot-required", "/run/reboot-needed"] where machine.exists(path) {
            return (true, "an update asks for it", [path])
        }
        let running = machine.kernel.release
        let directories = ["/usr/lib/modules", "/lib/modules"]
        let kernels = try Set(directories.flatMap { try machine.names(in: $0) })
        if !kernels.isEmpty, !kernels.contains(running) {
            return (
                true, "the modules of the kernel that runs are gone: it was replaced", ["/usr/lib/modules"]
            )
        }
        if let newer = newest(kernels, like: running), newer != running {
            return (true, "a newer kernel is installed: \(newer)", ["/usr/lib/modules"])
        }
        if let booted = machine.realPath("/run/booted-system/kernel"),
            let current = machine.realPath("/run/current-system/kernel")
        {
            return (booted != current, nil, ["/run/booted-system"])
        }
        if try OSRelease.read(machine).family == .fedora {
            do throws(CommandError) {
                let output = try machine.run("dnf", "-q", "-C", "needs-restarting", "-r")
                if output.returncode <= 1, output.returncode >= 0, output.stderr.isEmpty {
                    return (output.returncode == 1, nil, ["dnf needs-restarting"])
                }
                return (nil, "dnf needs-restarting: \(output.complaint)", [])
            } catch { return (nil, "\(error)", []) }
        }
        if kernels.isEmpty { return (nil, "no installed kernel is to be seen", []) }
        return (false, nil, ["/usr/lib/modules"])
    }

    /// The newest kernel of the kind that runs: of one flavour, such as `-amd64` or `-generic`.
    static func newest(_ kernels: Set<String>, like running: String) -> String? {
        kernels.filter { flavour($0) == flavour(running) }.max { isOlder($0, $1) }
    }

    /// What stands behind the numbers: the parts without a digit. `6.1.0-28-amd64` and `6.1.0-9-amd64` are of one kind.
    private static func flavour(_ kernel: String) -> [Substring] {
        kernel.split(separator: "-").filter {
            !$0.contains(where: \.isNumber) || $0 == "amd64" || $0 == "arm64"
        }
    }

    /// By their numbers, in order.
    private static func isOlder(_ left: String, _ right: String) -> Bool {
        let numbers = { (text: String) in
            text.split { !$0.isASCII || !$0.isNumber }.map { Int($0) ?? Int.max }
        }
        return numbers(left).lexicographicallyPrecedes(numbers(right))
    }

    private static func packages(_ machine: Machine) -> [String] {
        let text = (try? machine.text("/run/reboot-required.pkgs")) ?? ""
        return Set(text.split(whereSeparator: \.isNewline).map { trimmed($0) }).sorted()
    }
}

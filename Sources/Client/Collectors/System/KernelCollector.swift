import PDDocument

/// `kernel`: what the running kernel does to protect itself and others.
struct KernelCollector: Collector {
    let name = "kernel"

    /// Switches below `/proc/sys` and the names under which they are reported.
    private static let switches = [
        ("kernel/kptr_restrict", "kptr_restrict"), ("kernel/dmesg_restrict", "dmesg_restrict"),
        ("kernel/unprivileged_bpf_disabled", "unprivileged_bpf_disabled"),
        ("kernel/yama/ptrace_scope", "ptrace_scope"), ("kernel/modules_disabled", "modules_disabled"),
        ("kernel/sysrq", "sysrq"), ("kernel/randomize_va_space", "randomize_va_space"),
        ("kernel/unprivileged_userns_clone", "unprivileged_user_namespaces"),
    ]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        var result = DocumentWriter()
        result.append("release", .string(machine.kernel.release))
        result.append("architecture", .string(machine.kernel.architecture))
        // The order is that of the questions, and means something.
        let modules = machine.attribute("/sys/kernel/security/lsm").map {
            $0.split(separator: ",").map { Value.string(trimmed($0)) }
        }
        result.append("lsm", modules.map(Value.array) ?? "unknown")
        result.append(
            "lockdown",
            .string(machine.attribute("/sys/kernel/security/lockdown").map(Self.chosen) ?? "unknown"))
        let enforcing = machine.attribute("/sys/fs/selinux/enforce")
        result.append("selinux", .string(enforcing.map { $0 == "1" ? "enforcing" : "permissive" } ?? "off"))
        result.append("apparmor", .bool(machine.attribute("/sys/module/apparmor/parameters/enabled") == "Y"))
        if let enforced = machine.attribute("/sys/module/module/parameters/sig_enforce") {
            result.append("signed_modules_only", .bool(enforced == "Y"))
        }
        if let taint = machine.attribute("/proc/sys/kernel/tainted").flatMap({ UInt64($0) }) {
            result.append("tainted", .string(Self.taints(taint)))
        }
        let commandLine = (machine.attribute("/proc/cmdline") ?? "").split(separator: " ")
        result.append("mitigations_off", .bool(commandLine.contains("mitigations=off")))
        result.append("vulnerable", ifAny: try Self.vulnerabilities(machine))
        var values = DocumentWriter()
        for (path, name) in Self.switches {
            if let value = machine.attribute("/proc/sys/\(path)").flatMap({ Int($0) }) {
                values.append(name, .int(value))
            }
        }
        result.append("switches", .document(values.finish()))
        return .document(result.finish())
    }

    /// The choice in `none [integrity] confidentiality`.
    static func chosen(_ text: String) -> String {
        guard let start = text.firstIndex(of: "["), let end = text[start...].firstIndex(of: "]") else {
            return "unknown"
        }
        return String(text[text.index(after: start)..<end])
    }

    /// The letters of the bits, in the order of the kernel's `Documentation/admin-guide/tainted-kernels.rst`.
    static func taints(_ bits: UInt64) -> String {
        String(
            "PFSRMBUDAWCIOELKXTNJ".enumerated().filter { bits >> UInt64($0.offset) & 1 == 1 }.map(\.element))
    }

    /// The faults of the processor that nothing is done against.
    private static func vulnerabilities(_ machine: Machine) throws -> [String] {
        let directory = "/sys/devices/system/cpu/vulnerabilities"
        return try machine.names(in: directory).filter {
            machine.attribute("\(directory)/\($0)")?.hasPrefix("Vulnerable") == true
        }
    }
}

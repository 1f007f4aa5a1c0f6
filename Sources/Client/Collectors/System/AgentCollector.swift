import PDBasics
import PDCrypto
import PDDocument

/// `agent`: the agent about itself: which one it is, what it takes, and what its clock says.
///
/// `machine` tells this machine from all others, and nothing about it: by it the server notices that two report under one
/// name. What it takes is told in steps (doubling for time, 8 MiB for memory), since a result must not change while the
/// machine does not. `clock_at` changes every time; values under names that end in `_at` are not compared.
struct AgentCollector: Collector {
    let name = "agent"

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        var result = DocumentWriter()
        result.append("version", .string(BuildStamp.text))
        result.append("root", .bool(machine.isRoot))
        if let identity = Self.identity(machine) { result.append("machine", .string(identity)) }
        if let peak = Self.peakKiB(machine.textOrEmpty("/proc/self/status")) {
            result.append("memory_mib", .int((peak + 8191) / 8192 * 8))
        }
        if let ticks = Self.ticks(machine.textOrEmpty("/proc/self/stat")) {
            // The kernel shows times in hundredths of a second, whatever it counts in.
            result.append("cpu_ms", .int(Self.doubling(ticks * 10)))
        }
        result.append("clock_at", .date(milliseconds: context.now))
        return .document(result.finish())
    }

    /// A digest of what systemd and the firmware call this machine: machine-id(5) is not to be shown as it is, and clones of
    /// a disk share it.
    ///
    /// - Returns: 32 digits of base 16; nothing where the machine has no name.
    static func identity(_ machine: Machine) -> String? {
        func name(_ path: String) -> String {
            machine.textOrEmpty(path).filter { !$0.isWhitespace }.lowercased()
        }
        let names = [name("/etc/machine-id"), name("/sys/class/dmi/id/product_uuid")]
        guard names.contains(where: { !$0.isEmpty && $0 != "uninitialized" }) else { return nil }
        let digest = SHA256.hash(Array("penguindome machine\0\(names.joined(separator: "\0"))".utf8))
        return digest.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// `VmHWM` of `/proc/self/status`, in KiB.
    static func peakKiB(_ status: String) -> Int? {
        status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?
            .split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
            .flatMap { (0...(1 << 40)).contains($0) ? $0 : nil }
    }

    /// User and system time of `/proc/self/stat`; the name before them may hold spaces and parentheses.
    static func ticks(_ stat: String) -> Int? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]),
            (0...(1 << 40)).contains(user), (0...(1 << 40)).contains(system)
        else { return nil }
        return user + system
    }

    /// The first of 100, 200, 400, … that is not smaller.
    static func doubling(_ milliseconds: Int) -> Int {
        var step = 100
        while step < milliseconds, step < 1 << 50 { step *= 2 }
        return step
    }
}

extension Machine {
    /// The file's text; empty where it cannot be read, for what is only told where it is there.
    func textOrEmpty(_ path: String) -> String { (try? text(path)) ?? "" }
}

/// What systemd says of one unit (systemctl(1), `show`). Needs no root.
struct SystemdUnit {
    /// Whether it is started.
    var isActive = false
    /// What a socket unit listens on, such as `[::]:22`.
    var listening: [String] = []

    /// The named units.
    ///
    /// - Returns: by name; nothing where systemd does not run here, or does not answer.
    static func show(_ names: [String], _ machine: Machine) -> [String: SystemdUnit]? {
        guard machine.exists("/run/systemd/system") else { return nil }
        let arguments = ["systemctl", "show", "--property=Id,ActiveState,Listen"] + names
        // No answer is an answer here: the collectors then look at what they find without systemd.
        guard let output = try? machine.run(arguments), output.returncode == 0 else {
            return nil
        }
        var units: [String: SystemdUnit] = [:]
        var name = ""
        var unit = SystemdUnit()
        for line in (output.text + "\n").split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                if !name.isEmpty { units[name] = unit }
                name = ""
                unit = SystemdUnit()
            } else if let value = after("Id=", line) {
                name = value
            } else if let value = after("ActiveState=", line) {
                // A socket unit whose service is starting is "active" too; "reloading" still serves.
                unit.isActive = value == "active" || value == "reloading"
            } else if let value = after("Listen=", line), let address = value.split(separator: " ").first {
                unit.listening.append(String(address))
            }
        }
        return units
    }

    private static func after(_ prefix: String, _ line: Substring) -> String? {
        line.hasPrefix(prefix) ? String(line.dropFirst(prefix.count)) : nil
    }
}

import PDDocument
import PDFiles

/// `dmidecode`: who made this machine, its model and its serial numbers, as the firmware says (SMBIOS).
///
/// The kernel shows what is asked for in sysfs; the command of that name is asked only where sysfs has nothing. A
/// machine without SMBIOS (most ARM boards) is described by its device tree.
struct DMICollector: Collector {
    let name = "dmidecode"
    let commands: Set = ["dmidecode"]

    /// Where a fact is reported, its file in `/sys/class/dmi/id`, and its place in the output of dmidecode(8).
    private static let facts: [(group: String, key: String, file: String, section: String, field: String)] = [
        ("system", "vendor", "sys_vendor", "System Information", "Manufacturer"),
        ("system", "product", "product_name", "System Information", "Product Name"),
        ("system", "version", "product_version", "System Information", "Version"),
        ("system", "family", "product_family", "System Information", "Family"),
        ("system", "sku", "product_sku", "System Information", "SKU Number"),
        ("system", "serial", "product_serial", "System Information", "Serial Number"),
        ("board", "vendor", "board_vendor", "Base Board Information", "Manufacturer"),
        ("board", "product", "board_name", "Base Board Information", "Product Name"),
        ("board", "version", "board_version", "Base Board Information", "Version"),
        ("board", "serial", "board_serial", "Base Board Information", "Serial Number"),
        ("bios", "vendor", "bios_vendor", "BIOS Information", "Vendor"),
        ("bios", "version", "bios_version", "BIOS Information", "Version"),
        ("bios", "date", "bios_date", "BIOS Information", "Release Date"),
        ("chassis", "vendor", "chassis_vendor", "Chassis Information", "Manufacturer"),
        ("chassis", "serial", "chassis_serial", "Chassis Information", "Serial Number"),
        ("chassis", "asset_tag", "chassis_asset_tag", "Chassis Information", "Asset Tag"),
    ]

    /// What firmware says where its maker wrote nothing.
    private static let blanks: Set = [
        "", "none", "not specified", "default string", "to be filled by o.e.m.", "system serial number",
        "system product name", "system manufacturer", "unknown", "n/a", "0123456789", "0", "empty",
    ]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let directory = "/sys/class/dmi/id"
        if machine.exists(directory) {
            return Self.result(source: "sysfs") { fact in
                do throws(FileError) {
                    return try machine.textIfPresent("\(directory)/\(fact.file)") ?? ""
                } catch { return nil }
            }
        }
        if let model = machine.attribute("/proc/device-tree/model") {
            let serial = machine.attribute("/proc/device-tree/serial-number") ?? ""
            return Self.result(source: "device tree") { fact in
                switch (fact.group, fact.key) {
                case ("system", "product"): model.filter { $0 != "\0" }
                case ("system", "serial"): serial.filter { $0 != "\0" }
                default: ""
                }
            }
        }
        let output: CommandOutput
        do throws(CommandError) {
            output = try machine.run("dmidecode", "-q", "-t", "bios,system,baseboard,chassis")
        } catch {
            return ["status": "unknown", "reason": .string("neither sysfs nor a command tells: \(error)")]
        }
        guard output.returncode == 0 else {
            return ["status": "unknown", "reason": .string("dmidecode: \(output.complaint)")]
        }
        let sections = Self.parse(output.text)
        return Self.result(source: "dmidecode") { sections[$0.section]?[$0.field] ?? "" }
    }

    /// The fields of each section; of several sections with one title, the first.
    static func parse(_ text: String) -> [String: [String: String]] {
        var sections: [String: [String: String]] = [:]
        var title: String?
        var isTaken = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.first?.isWhitespace != true {
                title = trimmed(line)
                isTaken = title.map { sections[$0] != nil } ?? true
            } else if let title, !isTaken, line.hasPrefix("\t"), !line.hasPrefix("\t\t"),
                let colon = line.firstIndex(of: ":")
            {
                sections[title, default: [:]][trimmed(line[..<colon])] = trimmed(
                    line[line.index(after: colon)...])
            }
        }
        return sections
    }

    /// - Parameter text: what the source says of a fact; nothing where it may not be read.
    private static func result(
        source: String,
        _ text: ((group: String, key: String, file: String, section: String, field: String)) -> String?
    ) -> Value {
        var groups: [(name: String, fields: [(String, Value)])] = []
        var hidden = false
        for fact in facts {
            if groups.last?.name != fact.group { groups.append((fact.group, [])) }
            guard let said = text(fact) else {
                hidden = true
                groups[groups.count - 1].fields.append((fact.key, "unknown"))
                continue
            }
            let value = trimmed(said.prefix { !$0.isNewline })
            guard !blanks.contains(value.lowercased()) else { continue }
            groups[groups.count - 1].fields.append((fact.key, .string(value)))
        }
        var result = DocumentWriter()
        for group in groups where !group.fields.isEmpty {
            result.append(group.name, .document(Document(group.fields)))
        }
        result.append("source", .string(source))
        if hidden { result.append("reason", "serial numbers are shown to root only") }
        return .document(result.finish())
    }
}

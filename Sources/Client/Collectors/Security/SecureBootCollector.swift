import PDDocument
import PDFiles

/// `secure_boot`: whether the firmware starts signed programs only, and which TPM there is.
struct SecureBootCollector: Collector {
    let name = "secure_boot"

    private static let firmware = "/sys/firmware/efi"
    /// The vendor's number of the UEFI specification's global variables, and that of shim's.
    private static let global = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
    private static let shim = "605dab50-e046-4300-abb6-3dd810dd8b23"

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        var result = DocumentWriter()
        let secureBoot = Self.variable("SecureBoot-\(Self.global)", machine)
        let setupMode = Self.variable("SetupMode-\(Self.global)", machine)
        let verdict: Verdict
        if let kind = Container.kind(machine) {
            verdict = .notApplicable("a container (\(kind)) is not booted")
        } else if !machine.exists("/sys/firmware") {
            verdict = .unknown("there is no /sys")
        } else if !machine.exists(Self.firmware) {
            verdict = .off
        } else {
            switch (secureBoot, setupMode) {
            case (1, 1): verdict = .off
            case (1, _): verdict = .on
            case (.some, _): verdict = .off
            case (nil, _):
                verdict = .unknown("the firmware's variables cannot be read")
            }
        }
        result.append("status", .string(verdict.word))
        var reason = verdict.reason
        if verdict == .off {
            reason =
                !machine.exists(Self.firmware)
                ? "no UEFI: it was started the old way"
                : setupMode == 1 ? "the firmware is in setup mode: anybody may enrol keys" : nil
        }
        result.append("reason", ifPresent: reason)
        let kind = machine.exists("/sys/firmware") ? "legacy" : "unknown"
        result.append("firmware", .string(machine.exists(Self.firmware) ? "uefi" : kind))
        // The variable is there only while shim was told not to check: MokSBState 1.
        if secureBoot != nil {
            result.append("shim_validates", .bool(Self.variable("MokSBStateRT-\(Self.shim)", machine) != 1))
        }
        if machine.exists("/sys/class/tpm/tpm0") {
            let version = machine.attribute("/sys/class/tpm/tpm0/tpm_version_major")
            result.append("tpm", .string(version ?? "unknown"))
        } else {
            result.append("tpm", "none")
        }
        return .document(result.finish())
    }

    /// The first byte of a variable: four bytes of attributes stand before it (efivarfs).
    private static func variable(_ name: String, _ machine: Machine) -> UInt8? {
        let path = "\(machine.root)\(firmware)/efivars/\(name)"
        // Missing and not readable are the same here: nothing is known of it.
        guard let bytes = try? Files.read(path, limit: 4096), bytes.count >= 5 else { return nil }
        return bytes[4]
    }
}

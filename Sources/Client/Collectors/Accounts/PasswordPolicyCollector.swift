import PDDocument

/// `password_policy`: what a new password must be like, and whether guessing is stopped.
struct PasswordPolicyCollector: Collector {
    let name = "password_policy"

    /// Where PAM keeps the rules for passwords: Debian and openSUSE, Fedora and Arch.
    private static let files = [
        "common-password", "common-auth", "system-auth", "password-auth", "passwd", "login",
    ]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        var lines: [PAMLine] = []
        var evidence: [String] = []
        for file in Self.files {
            guard let text = try machine.textIfPresent("/etc/pam.d/\(file)") else { continue }
            let found = PAMLine.parse(text).filter { Self.modules.contains($0.module) }
            if !found.isEmpty { evidence.append("/etc/pam.d/\(file)") }
            lines += found
        }
        let (quality, qualityFiles) = try IniFile.layers(
            ["/etc/security/pwquality.conf", "/etc/security/pwquality.conf.d/"], machine)
        let checksQuality = lines.contains {
            $0.kind == "password" && Self.qualityModules.contains($0.module)
        }
        var minimum: Int?
        if checksQuality {
            evidence += qualityFiles
            // The library's own standard is 8.
            minimum = quality["", "minlen"].flatMap { Int($0) } ?? 8
        }
        for line in lines where line.kind == "password" {
            if let length = line.number("minlen")
                ?? (line.module == "pam_unix.so" ? line.number("minlen") : nil)
            {
                minimum = max(minimum ?? 0, length)
            }
        }
        var result = DocumentWriter()
        result.append("quality_checked", .bool(checksQuality))
        // pam_unix refuses what is shorter than 6 characters.
        result.append("minimum_length", lines.isEmpty ? "unknown" : .int(minimum ?? 6))
        for key in ["minclass", "dcredit", "ucredit", "lcredit", "ocredit"] where checksQuality {
            if let number = quality["", key].flatMap({ Int($0) }) { result.append(key, .int(number)) }
        }
        let lockout = lines.contains { ["pam_faillock.so", "pam_tally2.so"].contains($0.module) }
        result.append("lockout", lines.isEmpty ? "unknown" : .bool(lockout))
        if lockout {
            let settings = IniFile(try machine.textIfPresent("/etc/security/faillock.conf") ?? "")
            result.append(
                "lockout_after",
                .int(
                    lines.compactMap { $0.number("deny") }.first ?? settings["", "deny"].flatMap { Int($0) }
                        ?? 3))
        }
        let definitions = Self.definitions(try machine.textIfPresent("/etc/login.defs") ?? "")
        if let days = definitions["PASS_MAX_DAYS"].flatMap({ Int($0) }) {
            result.append("maximum_days", .int(days))
        }
        result.append(
            "null_passwords",
            .bool(lines.contains { $0.module == "pam_unix.so" && $0.arguments.contains("nullok") }))
        if lines.isEmpty { result.append("reason", "no rule of PAM for passwords is to be seen") }
        result.append("evidence", ifAny: evidence)
        return .document(result.finish())
    }

    private static let qualityModules: Set = ["pam_pwquality.so", "pam_cracklib.so", "pam_passwdqc.so"]
    private static let modules = qualityModules.union(["pam_unix.so", "pam_faillock.so", "pam_tally2.so"])

    /// login.defs(5): a name and a value, with white space between them.
    static func definitions(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count >= 2 { fields[String(words[0])] = String(words[1]) }
        }
        return fields
    }
}

/// A line of a file in `/etc/pam.d` (pam.conf(5)).
struct PAMLine: Equatable {
    /// `auth`, `account`, `password` or `session`.
    let kind: String
    /// The file name of the module.
    let module: String
    /// Its arguments.
    let arguments: [String]

    /// The number that an argument such as `minlen=12` gives.
    func number(_ name: String) -> Int? {
        arguments.last { $0.hasPrefix(name + "=") }.flatMap { Int($0.dropFirst(name.count + 1)) }
    }

    /// The lines that name a module.
    static func parse(_ text: String) -> [PAMLine] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            var words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard words.count >= 3 else { return nil }
            let kind = words.removeFirst().drop { $0 == "-" }
            // A control in brackets may have spaces in it.
            var control = words.removeFirst()
            if control.hasPrefix("[") {
                while !control.hasSuffix("]"), !words.isEmpty { control = words.removeFirst() }
            }
            guard !words.isEmpty else { return nil }
            let module = words.removeFirst().split(separator: "/").last ?? ""
            return PAMLine(kind: String(kind), module: String(module), arguments: words.map(String.init))
        }
    }
}

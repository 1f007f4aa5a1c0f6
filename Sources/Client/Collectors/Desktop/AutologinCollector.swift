import PDDocument

/// `autologin`: whether the machine logs somebody in without asking for a password.
struct AutologinCollector: Collector {
    let name = "autologin"

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        var found: Set<Found> = []
        var evidence: [String] = []
        var reason: String?
        let manager = DisplayManager.current(machine)
        if let known = manager?.known {
            let (settings, read) = try known.settings(machine)
            evidence = read
            let text = read.last.map { machine.textOrEmpty($0) } ?? ""
            found.formUnion(
                Self.users(known, settings, text: text).map { Found(user: $0, by: known.rawValue) })
        } else if let manager {
            reason = "how \(manager.name) logs users in is not known here"
        }
        for (user, file) in try Self.gettys(machine) {
            found.insert(Found(user: user, by: "getty"))
            evidence.append(file)
        }
        // PAM lets members of this group in without a password where the distribution has set it up so.
        for user in (try? AccountFiles.read(machine))?.members(of: "nopasswdlogin") ?? [] {
            found.insert(Found(user: user, by: "nopasswdlogin"))
        }
        var result = DocumentWriter()
        result.append("enabled", .known(!found.isEmpty ? true : reason == nil ? false : nil))
        result.append("display_manager", .string(manager?.name ?? "none"))
        result.append(
            "users",
            .array(
                found.sorted { ($0.by, $0.user) < ($1.by, $1.user) }.map {
                    ["user": .string($0.user), "by": .string($0.by)]
                }))
        result.append("reason", ifPresent: reason)
        result.append("evidence", ifAny: evidence)
        return .document(result.finish())
    }

    private struct Found: Hashable {
        let user: String
        let by: String
    }

    /// Whom a display manager logs in by itself.
    ///
    /// - Parameter text: the last of the files of its settings, for those that are not of that form.
    static func users(_ manager: DisplayManager, _ settings: IniFile, text: String = "") -> [String] {
        func value(_ section: String, _ key: String) -> [String] {
            settings[section, key].map { $0.filter { $0 != "\"" && $0 != "'" } }.flatMap {
                $0.isEmpty ? nil : [$0]
            } ?? []
        }
        switch manager {
        case .gdm:
            var users: [String] = []
            if IniFile.isTrue(settings["daemon", "AutomaticLoginEnable"]) {
                users += value("daemon", "AutomaticLogin")
            }
            if IniFile.isTrue(settings["daemon", "TimedLoginEnable"]) {
                users += value("daemon", "TimedLogin")
            }
            return users
        case .lightdm:
            return settings.names.filter { $0.hasPrefix("Seat") }.flatMap { seat in
                value(seat, "autologin-user")
                    + (IniFile.isTrue(settings[seat, "autologin-guest"]) ? ["guest"] : [])
            }
        case .sddm, .plasmalogin: return value("Autologin", "User")
        case .greetd:
            return settings.names.contains("initial_session") ? value("initial_session", "user") : []
        case .ly: return value("", "auto_login_user").filter { $0 != "null" }
        case .lxdm: return value("base", "autologin")
        case .slim:
            // Lines of a name and a value, with blanks between them; the last one counts.
            let lines = text.split(whereSeparator: \.isNewline).map {
                $0.split(whereSeparator: \.isWhitespace)
            }
            func last(_ name: String) -> String? {
                lines.last { $0.first.map { $0 == name } ?? false }?.dropFirst().first.map(String.init)
            }
            return last("auto_login") == "yes" ? [last("default_user")].compactMap { $0 } : []
        case .xdm: return []
        }
    }

    /// Users in `agetty --autologin USER` of the units' drop-ins and of inittab.
    private static func gettys(_ machine: Machine) throws -> [(user: String, file: String)] {
        var files: [String] = ["/etc/inittab"]
        let directory = "/etc/systemd/system"
        for unit in try machine.names(in: directory) {
            guard
                unit.hasPrefix("getty@") || unit.hasPrefix("serial-getty@") || unit.hasPrefix("console-getty")
                    || unit.hasPrefix("autologin@")
            else { continue }
            if unit.hasSuffix(".service.d") {
                files += try machine.names(in: "\(directory)/\(unit)").filter { $0.hasSuffix(".conf") }
                    .map { "\(directory)/\(unit)/\($0)" }
            } else if unit.hasSuffix(".service") {
                files.append("\(directory)/\(unit)")
            }
        }
        return files.flatMap { file in gettyUsers(machine.textOrEmpty(file)).map { ($0, file) } }
    }

    /// The users that the commands in a unit's text log in.
    static func gettyUsers(_ text: String) -> [String] {
        var users: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            let words = line.split { $0 == " " || $0 == "=" || $0 == "\t" }
            for (index, word) in words.enumerated() where word == "--autologin" || word == "-a" {
                if word == "-a", !line.contains("agetty") { continue }
                if index + 1 < words.count { users.append(String(words[index + 1])) }
            }
        }
        return users
    }
}

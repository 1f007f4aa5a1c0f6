import PDDocument

/// `screenlock`: whether the screen of each user is locked after a time, as that user's own session is set to.
///
/// Settings can be seen only while a user is logged in to a desktop; of others the last known answer is reported, with
/// the time when it was seen. An answer of a user who has no account any more, or of half a year ago, is forgotten.
struct ScreenLockCollector: Collector {
    let name = "screenlock"
    let commands: Set = ["loginctl", "gsettings", "xfconf-query", "xset"]

    /// How long an answer is remembered, in milliseconds.
    private static let rememberedFor: Int64 = 180 * 86_400_000

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let before = context.memory.facts()
        var facts = before
        var reason: String?
        do {
            let processes = try RunningProcess.all(machine)
            for (user, found) in try Self.look(machine, processes) {
                // The time moves only when the answer does: a report must not change while the machine does not.
                if let known = before[user], known.value == found { continue }
                facts[user] = .init(value: found, at: context.now)
            }
        } catch let error as SessionsUnknown {
            reason = error.description
        } catch let error as CommandError {
            reason = "\(error)"
        }
        let accounts = try? AccountFiles.read(machine)
        facts = facts.filter { user, fact in
            let isGone = accounts.map { accounts in !accounts.users.contains { $0.name == user } } ?? false
            return !(isGone && context.now - fact.at > 0) && context.now - fact.at < Self.rememberedFor
        }
        if facts != before { try context.memory.keep(facts) }
        var result = DocumentWriter()
        result.append(
            "users",
            .array(
                facts.sorted { $0.key < $1.key }.map { user, fact in
                    (fact.value.document ?? [:]).setting("seen_at", to: .date(milliseconds: fact.at))
                }.map(Value.document)))
        result.append(
            "reason",
            ifPresent: reason ?? (facts.isEmpty ? "nobody has been seen logged in to a desktop" : nil))
        return .document(result.finish())
    }

    /// What is to be seen now, by user; of several desktops of one user the one that locks least.
    private static func look(_ machine: Machine, _ processes: [RunningProcess]) throws -> [String: Value] {
        var found: [String: (rank: Int, value: Value)] = [:]
        for session in try UserSession.all(on: machine)
        where session.class == "user" && session.uid != 0 && !session.isRemote {
            let own = processes.filter { $0.uid == session.uid }
            let desktop = DesktopKind.of(session, own)
            // startx leaves the session what it was: one of a terminal.
            guard session.isGraphical || (session.type == "tty" && desktop != nil) else { continue }
            let lock =
                desktop.map { judge($0, session, own, machine) }
                ?? idleDaemon(session, own, machine) ?? .unknown("what desktop runs is not known here")
            var entry = DocumentWriter()
            entry.append("user", .string(session.user))
            entry.append("desktop", .string(desktop?.name ?? "unknown"))
            entry.append("session_type", .string(session.type))
            lock.append(to: &entry)
            let rank = lock.enabled == false ? 0 : lock.enabled == nil ? 1 : 2
            if let known = found[session.user], known.rank <= rank { continue }
            found[session.user] = (rank, .document(entry.finish()))
        }
        return found.mapValues(\.value)
    }

    private static func judge(
        _ desktop: (name: String, kind: DesktopKind), _ session: UserSession, _ own: [RunningProcess],
        _ machine: Machine
    ) -> ScreenLock {
        // A failure to ask is no setting: each judgement makes `unknown` of it.
        let gsettings = { (schema: String, key: String) -> String? in
            guard let output = try? machine.run(["gsettings", "get", schema, key], in: session),
                output.returncode == 0
            else {
                return nil
            }
            return DesktopSettings.value(output.text)
        }
        switch desktop.kind {
        case .gnome:
            return DesktopSettings.gnome(
                desktop.name, schemas: ("org.gnome.desktop.screensaver", "org.gnome.desktop.session"),
                gsettings)
        case .cinnamon:
            return DesktopSettings.gnome(
                desktop.name, schemas: ("org.cinnamon.desktop.screensaver", "org.cinnamon.desktop.session"),
                gsettings)
        case .mate: return DesktopSettings.mate(gsettings)
        case .kde:
            let layers = ["/etc/xdg/kscreenlockerrc", "\(home(session))/.config/kscreenlockerrc"]
            guard let (settings, read) = try? IniFile.layers(layers, machine) else {
                return .unknown("the settings of KDE cannot be read")
            }
            return DesktopSettings.kde(settings, evidence: read)
        case .cosmic:
            let file = "\(home(session))/.config/cosmic/com.system76.CosmicIdle/v1/screen_off_time"
            guard let text = try? machine.textIfPresent(file) else { return DesktopSettings.cosmic(nil) }
            return DesktopSettings.cosmic(text)
        case .xfce where own.contains(where: { $0.isProgram("xfce4-screensaver") }):
            // A channel without any property is not there; then all have their defaults.
            guard machine.isInstalled("xfconf-query") else {
                return .unknown("xfconf-query is not installed")
            }
            return DesktopSettings.xfce { key in
                guard
                    let output = try? machine.run(
                        ["xfconf-query", "-c", "xfce4-screensaver", "-p", key], in: session),
                    output.returncode == 0
                else { return nil }
                return trimmed(output.text)
            }
        case .xfce, .compositor, .windowManager:
            if let lock = idleDaemon(session, own, machine) { return lock }
            if let shell = ["quickshell", "qs", "noctalia-shell", "dms", "ags", "eww"].first(where: {
                program in
                own.contains { $0.isProgram(program) }
            }) {
                return .unknown("\(shell) runs, and may lock as its owner wrote it")
            }
            return .off("nothing runs in this session that locks it after a time")
        }
    }

    /// What the program says that locks this session; nothing where no such program runs.
    private static func idleDaemon(
        _ session: UserSession, _ own: [RunningProcess], _ machine: Machine
    ) -> ScreenLock? {
        let home = home(session)
        let process = { (name: String) in own.first { $0.isProgram(name) } }
        if let process = process("swayidle") {
            let given = process.arguments.firstIndex(of: "-C").flatMap {
                $0 + 1 < process.arguments.count ? process.arguments[$0 + 1] : nil
            }
            let files =
                given.map { [$0] } ?? [
                    "\(home)/.config/swayidle/config", "\(home)/.swayidle/config", "/etc/swayidle/config",
                ]
            return IdleDaemons.swayidle(process.arguments, settings: firstText(files, machine))
        }
        if process("hypridle") != nil {
            guard
                let text = firstText(
                    ["\(home)/.config/hypr/hypridle.conf", "/etc/xdg/hypr/hypridle.conf"], machine)
            else {
                return .unknown("hypridle runs, and its settings are not where it keeps them")
            }
            return IdleDaemons.hypridle(text)
        }
        if let process = process("xautolock") { return IdleDaemons.xautolock(process.arguments) }
        if let process = process("xidlehook") { return IdleDaemons.xidlehook(process.arguments) }
        if process("xscreensaver") != nil {
            return IdleDaemons.xscreensaver(firstText(["\(home)/.xscreensaver"], machine))
        }
        if let process = process("xss-lock") {
            return IdleDaemons.xssLock(process.arguments, blank: blank(session, own, machine))
        }
        if let process = process("light-locker") {
            return IdleDaemons.lightLocker(process.arguments, blank: blank(session, own, machine))
        }
        return nil
    }

    private static func blank(_ session: UserSession, _ own: [RunningProcess], _ machine: Machine) -> Int? {
        // No answer is one of the cases that are judged.
        guard let output = try? machine.run(["xset", "q"], in: session), output.returncode == 0 else {
            return nil
        }
        return IdleDaemons.blankTimeout(output.text)
    }

    private static func firstText(_ paths: [String], _ machine: Machine) -> String? {
        for path in paths {
            if let text = (try? machine.textIfPresent(path)) ?? nil { return text }
        }
        return nil
    }

    private static func home(_ session: UserSession) -> String { session.home ?? "/home/\(session.user)" }
}
